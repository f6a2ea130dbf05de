"""The last look before a mail: who has eFaktura by now, who is a child, and whom we may not write to from here."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.orm import Session

from app.campaigns.age import is_minor
from app.campaigns.select import Chosen, Skipped
from app.channels.contract import Address, Recipient
from app.core.crypto import NationalIdVault, vault
from app.core.settings import Settings
from app.delivery.allowed import Allowed
from app.registries.contract import Registry, Target
from app.registries.models import Register
from app.registries.targets import targets_of
from app.routing.channels import Answer, Channel

log = structlog.get_logger(__name__)

NOWHERE = Address("", "", "", "", "", "")
# So many questions in a row without any answer, and the gateway is left in peace.
GIVE_UP_AFTER = 3


@dataclass(slots=True)
class LastLook:
    """Looks residents up, fresh, some hundred at a time; the session has no transaction open while the gateway thinks.

    ``skipped``: how many were left out, by reason. ``is_silent``: the gateway has not answered for a while.
    """

    session: Session
    settings: Settings
    registry: Registry
    today: dt.date
    skipped: Counter[str] = field(default_factory=Counter)
    failure: str | None = None
    _vault: NationalIdVault = field(init=False)
    _allowed: Allowed = field(init=False)
    _unanswered: int = 0

    def __post_init__(self) -> None:
        self._vault, self._allowed = vault(self.settings), Allowed.by(self.settings)

    @property
    def is_silent(self) -> bool:
        """Whether to ask no further."""
        return self._unanswered >= GIVE_UP_AFTER

    def still_to_ask(self, chosen: Sequence[Chosen]) -> list[Chosen]:
        """Those of *chosen* that may be written to, in their order. Whoever is unknown is not, this time. Commits."""
        kept: list[Chosen] = []
        for start in range(0, len(chosen), self.registry.chunk):
            some = chosen[start : start + self.registry.chunk]
            people = targets_of(self.session, Register.EFAKTURA, self._vault, [one.resident_id for one in some])
            reasons = self._reasons({one.resident_id: one for one in some}, people)
            self.skipped.update(reason.value for reason in reasons.values())
            kept += [one for one in some if one.resident_id not in reasons]
        return kept

    def _reasons(self, chosen: dict[int, Chosen], people: Sequence[Target]) -> dict[int, Skipped]:
        """Why each who is left out is; the gateway is asked about the others alone."""
        reasons = dict.fromkeys(chosen.keys() - {one.resident_id for one in people}, Skipped.UNKNOWN)
        asked: list[Target] = []
        for target in people:
            if not self._allowed.lets(Channel.EMAIL, _recipient(chosen[target.resident_id])):
                reasons[target.resident_id] = Skipped.NOT_ALLOWED
            elif target.national_id and is_minor(target.national_id, self.today):
                reasons[target.resident_id] = Skipped.MINOR
            else:
                asked.append(target)
        answers = self._answers(asked)
        for target in asked:
            answer = answers.get(target.resident_id, Answer.UNKNOWN)
            if answer is not Answer.NO:
                reasons[target.resident_id] = Skipped.HAS_EFAKTURA if answer is Answer.YES else Skipped.UNKNOWN
        return reasons

    def _answers(self, people: Sequence[Target]) -> dict[int, Answer]:
        if self.is_silent or not people:
            return {}
        reply = self.registry.ask(people)
        if reply.answered_calls or not reply.calls:
            self._unanswered = 0
        else:
            self._unanswered += 1
        if reply.failure is not None:
            self.failure = reply.failure
            log.warning("eFaktura look-up before an offer failed", failure=reply.failure)
        return {
            resident_id: one.answer
            for resident_id, said in reply.said.items()
            for one in said
            if one.register is Register.EFAKTURA
        }


def _recipient(chosen: Chosen) -> Recipient:
    return Recipient(chosen.customer_number, "", chosen.language, NOWHERE, email=chosen.address)
