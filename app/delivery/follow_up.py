"""Claims that the bank took and nobody paid: of a limit too low, or a mandate that ended, the bank says nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.delivery.models import Attempt, Delivery, Handover, Part, State
from app.invoices.models import Invoice
from app.residents.models import Mandate, Resident


@dataclass(frozen=True, slots=True)
class UnpaidClaim:
    """One claim to look into. ``amount_ore``: whole øre; ``handed_over_at``: aware UTC; ``file``: the bank file's name.

    ``has_mandate``: whether the payer still has one. ``late_days``: since the due date, in calendar days.
    """

    public_id: str
    number: str
    customer_number: str | None
    kid: str
    due_on: dt.date
    amount_ore: int
    late_days: int
    has_mandate: bool
    file: str | None
    handed_over_at: dt.datetime | None

    def as_json(self) -> dict[str, Any]:
        """For ``--format json``."""
        return {
            "number": self.number,
            "resident": self.customer_number,
            "kid": self.kid,
            "due_on": self.due_on.isoformat(),
            "amount_ore": self.amount_ore,
            "late_days": self.late_days,
            "has_mandate": self.has_mandate,
            "file": self.file,
            "handed_over_at": self.handed_over_at.isoformat() if self.handed_over_at is not None else None,
        }


def unpaid_claims(
    session: Session, today: dt.date, days: int, *, limit: int | None = None, after: Invoice | None = None
) -> list[UnpaidClaim]:
    """The claims with the bank whose invoices are still open *days* calendar days after they were due, oldest first.

    An open invoice is one that no payment, credit note or person has closed; source: channels.md §2.3. At most *limit*,
    beginning behind the invoice *after*.
    """
    query = _unpaid(today - dt.timedelta(days=days), after).limit(limit)
    return [
        UnpaidClaim(
            public_id=invoice.public_id,
            number=invoice.number,
            customer_number=customer_number,
            kid=invoice.kid or "",
            due_on=invoice.due_on,
            amount_ore=invoice.amount_ore,
            late_days=(today - invoice.due_on).days,
            has_mandate=bool(has_one),
            file=file,
            handed_over_at=handed_over_at,
        )
        for invoice, customer_number, has_one, file, handed_over_at in session.execute(query)
    ]


def _unpaid(last_due_on: dt.date, after: Invoice | None) -> Select[Any, Any, Any, Any, Any]:
    has_mandate = exists().where(Mandate.kid_key == Invoice.kid_key, Mandate.ended_at.is_(None))
    query = (
        select(Invoice, Resident.customer_number, has_mandate, Handover.name, Handover.handed_over_at)
        .join(Delivery, Delivery.invoice_id == Invoice.id)
        .join(Attempt, Attempt.delivery_id == Delivery.id)
        .outerjoin(Handover, Handover.id == Attempt.handover_id)
        .outerjoin(Resident, Resident.id == Invoice.resident_id)
        .where(
            Delivery.part == Part.CLAIM,
            Delivery.state.in_((State.IN_TRANSIT, State.DELIVERED)),
            Attempt.outcome == Outcome.ACCEPTED,
            Attempt.taken_back_at.is_(None),
            ~Attempt.is_cancellation,
            Invoice.closed_at.is_(None),
            Invoice.due_on <= last_due_on,
        )
        .order_by(Invoice.due_on, Invoice.id)
    )
    if after is not None:
        behind = or_(Invoice.due_on > after.due_on, Invoice.id > after.id)
        query = query.where(Invoice.due_on >= after.due_on, behind)
    return query
