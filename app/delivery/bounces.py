"""An address that mail cannot reach is closed, so that nobody writes to it again and the resident is told."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.audit import AuditEvent, record
from app.delivery.models import Attempt
from app.invoices.models import Invoice
from app.residents.models import ClosedReason, ContactKind, ContactPoint, StaleResident

MAILBOX_FULL = "5.2.2"


def is_about_address(detail: str | None) -> bool:
    """Whether a refusal says that the address is no good, rather than that its mailbox is full today."""
    return MAILBOX_FULL not in (detail or "")


def close_refused_address(session: Session, invoice: Invoice, attempt: Attempt, now: dt.datetime) -> bool:
    """Close the e-mail address that *attempt* was sent to; whether it was still the open one. Does not commit.

    An address that came after the attempt has refused nothing, so it stays.
    """
    if invoice.resident_id is None:
        return False
    point = session.scalars(
        select(ContactPoint).where(
            ContactPoint.resident_id == invoice.resident_id,
            ContactPoint.kind == ContactKind.EMAIL,
            ContactPoint.closed_at.is_(None),
            ContactPoint.registered_at <= attempt.opened_at,
        )
    ).one_or_none()
    if point is None:
        return False
    point.closed_at, point.closed_reason = now, ClosedReason.BOUNCED
    session.add(StaleResident(resident_id=invoice.resident_id))
    record(
        session,
        at=now,
        actor="delivery",
        event=AuditEvent.ADDRESS_REMOVED,
        subject=f"invoice:{invoice.public_id}",
        reason=ClosedReason.BOUNCED,
    )
    return True
