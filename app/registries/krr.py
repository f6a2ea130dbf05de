"""KRR as a register: has the resident a digital mailbox, whose, and is the resident reserved?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.clients.krr import MAILBOX_PROVIDERS, MOST_NUMBERS, Krr, KrrAnswer
from app.registries.contract import Reply, Said, Target
from app.registries.models import Register


class KrrRegistry:
    """Asks by national id, up to 1000 a call; a resident without a readable one is unknown."""

    provider = "krr"
    registers = (Register.MAILBOX, Register.RESERVATION)
    chunk = MOST_NUMBERS

    def __init__(self, client: Krr) -> None:
        self._client = client

    def ask(self, targets: Sequence[Target]) -> Reply:
        """Mailbox and reservation of each."""
        residents: dict[str, list[int]] = defaultdict(list)
        for target in targets:
            if target.national_id:
                residents[target.national_id].append(target.resident_id)
        found = self._client.look_up(list(residents))
        said = {resident: _said(answer) for number, answer in found.answers.items() for resident in residents[number]}
        return Reply(said, found.calls, found.answered_calls, found.failure, found.needs_alarm)


def _said(answer: KrrAnswer) -> tuple[Said, ...]:
    provider = answer.mailbox_provider if answer.mailbox_provider in MAILBOX_PROVIDERS.values() else None
    return Said(Register.MAILBOX, answer.mailbox, provider), Said(Register.RESERVATION, answer.reserved)
