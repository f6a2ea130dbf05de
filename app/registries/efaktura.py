"""The eFaktura register: does eFaktura reach the resident from this municipality, and by which identifier?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.clients.efaktura_contract import MOST_PEOPLE, Consumer, EfakturaAnswer
from app.clients.look_ups import LookUp
from app.registries.contract import Reply, Said, Target
from app.registries.models import Register
from app.routing.channels import Answer


class Looks(Protocol):
    """`app.clients.efaktura.Efaktura`, as far as look-ups go."""

    def look_up(self, consumers: Sequence[Consumer]) -> LookUp[str, EfakturaAnswer]:
        """Whom eFaktura reaches; never raises for what the gateway does."""
        ...


NOT_ASKABLE = (Said(Register.EFAKTURA, Answer.NO),)


class EfakturaRegistry:
    """Asks by national id, else by name, postal code, address and mobile; up to 1000 a call.

    Who has neither can never be found, so the answer is no.
    """

    provider = "efaktura"
    registers = (Register.EFAKTURA,)
    chunk = MOST_PEOPLE

    def __init__(self, client: Looks) -> None:
        self._client = client

    def ask(self, targets: Sequence[Target]) -> Reply:
        """Whether each takes eFaktura from us."""
        consumers = [consumer(target) for target in targets if is_askable(target)]
        found = self._client.look_up(consumers)
        said = {target.resident_id: NOT_ASKABLE for target in targets if not is_askable(target)}
        for reference, answer in found.answers.items():
            said[int(reference)] = (Said(Register.EFAKTURA, answer.answer, answer.identifier),)
        return Reply(said, found.calls, found.answered_calls, found.failure, found.needs_alarm)


def is_askable(target: Target) -> bool:
    """Whether there is anything to ask by."""
    return bool(target.national_id or (target.name.strip() and target.postal_code.strip()))


def consumer(target: Target) -> Consumer:
    """What the gateway is told of *target*."""
    # The number alone, where there is one: nothing more than needed.
    if target.national_id:
        return Consumer(str(target.resident_id), national_id=target.national_id)
    return Consumer(
        str(target.resident_id),
        name=target.name.strip(),
        postal_code=target.postal_code.strip(),
        address_line=target.address_line.strip() or None,
        mobile=target.mobile,
    )
