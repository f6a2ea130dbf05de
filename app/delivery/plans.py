"""Every distinct plan, made once: the table that planning joins instead of deciding invoice by invoice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.core.dialect import insert_ignoring
from app.core.settings import Settings
from app.delivery.models import PlanRow
from app.routing import channels, facts, policy, rules
from app.routing.channels import Channel, Reason
from app.routing.facts import MOST_BITS, DayFacts, Facts, InvoiceFacts, ResidentFacts
from app.routing.policy import Plan, Policy, decide

AT_ONCE = 2_000
INVOICE_AT = 1 << MOST_BITS
DAY_AT = 1 << 2 * MOST_BITS
PART = INVOICE_AT - 1


def policy_of(settings: Settings) -> Policy:
    """The municipality's choices as the rules read them."""
    return Policy(
        order=tuple(Channel(name) for name in settings.routing_order),
        reservation_closes_email=settings.reservation_closes_email,
        email_requires_confirmation=settings.email_requires_confirmation,
        bank_notifies=settings.avtalegiro_notice == "bank",
        mailbox_prints=settings.mailbox_provider == "svarut",
    )


def policy_digest(choices: Policy) -> str:
    """Sixteen characters that change whenever the rules' code or the municipality's choices do."""
    return hashlib.sha256(_code() + repr(choices).encode()).hexdigest()[:16]


@cache
def _code() -> bytes:
    return b"".join(Path(module.__file__ or "").read_bytes() for module in (channels, facts, policy, rules))


def key_of(resident: int, invoice: int, day: int) -> int:
    """Three numbers of facts side by side in one 63-bit key."""
    return resident + invoice * INVOICE_AT + day * DAY_AT


def triple_of(key: int) -> tuple[int, int, int]:
    """The three numbers of facts in *key*."""
    return key & PART, key // INVOICE_AT & PART, key // DAY_AT


@dataclass(slots=True)
class PlanBook:
    """Decides the plans of keys, and stores them. Does not commit."""

    session: Session
    policy: Policy
    digest: str
    made: int = 0

    @classmethod
    def of(cls, session: Session, settings: Settings) -> PlanBook:
        """The book for the settings in force."""
        choices = policy_of(settings)
        return cls(session, choices, policy_digest(choices))

    def store(self, keys: Iterable[int]) -> None:
        """Store the plans of *keys*; another planner may have stored some of them just now."""
        for part in _parts(keys):
            self.session.execute(insert_ignoring(self.session, PlanRow.__table__), [self._row(key) for key in part])
            self.made += len(part)

    def decide(self, key: int) -> Plan:
        """The plan of the facts in *key*."""
        resident, invoice, day = triple_of(key)
        return decide(
            Facts(ResidentFacts.from_bits(resident), InvoiceFacts.from_bits(invoice), DayFacts.from_bits(day)),
            self.policy,
        )

    def _row(self, key: int) -> dict[str, object]:
        plan, (resident, invoice, day) = self.decide(key), triple_of(key)
        return {
            "policy": self.digest,
            "resident_facts": resident,
            "invoice_facts": invoice,
            "day_facts": day,
            "claim": plan.claim.value if plan.claim else None,
            "route": [channel.value for channel in plan.route],
            "passed_over": {channel.value: reason.value for channel, reason in plan.passed_over.items()},
            "hold": plan.hold,
            "is_notice": plan.is_notice,
            "is_waiting": plan.is_waiting,
            "is_open_ended": plan.is_open_ended,
        }


def plan_of(row: Any) -> Plan:
    """A stored plan (`PlanRow`, or a row of its columns) as the policy gave it."""
    return Plan(
        claim=channels.Claim(row.claim) if row.claim else None,
        route=tuple(Channel(name) for name in row.route),
        passed_over={Channel(name): Reason(reason) for name, reason in row.passed_over.items()},
        hold=row.hold,
        is_notice=row.is_notice,
        is_waiting=row.is_waiting,
        is_open_ended=row.is_open_ended,
    )


def _parts(keys: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(keys)
    while part := list(islice(rest, AT_ONCE)):
        yield part
