"""An address that mail cannot reach is closed, so that nobody writes to it again and the resident is told."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.core.audit import AuditEvent, record
from app.delivery.models import Attempt, Delivery, State
from app.invoices.models import Invoice
from app.residents.models import ClosedReason, ContactKind, ContactPoint, StaleResident
from app.routing.channels import Channel

MAILBOX_FULL = "5.2.2"
SOFT, COMPLAINT = "soft", "complaint"


def is_about_address(detail: str | None) -> bool:
    """Whether a refusal says that the address is no good, rather than that its mailbox is full today, or the like."""
    return MAILBOX_FULL not in (detail or "") and not (detail or "").startswith(SOFT)


def closing_reason(detail: str | None) -> ClosedReason:
    """Why an address is closed whose mail came back with *detail*."""
    return ClosedReason.COMPLAINED if (detail or "").startswith(COMPLAINT) else ClosedReason.BOUNCED


def note_refused_address(
    session: Session, soft_limit: int, invoice: Invoice, attempt: Attempt, now: dt.datetime
) -> bool:
    """Close the e-mail address that *attempt* was sent to when its refusal says that the address is no good, or when
    more than *soft_limit* mails in a row came back from it for other causes; whether it was closed. Does not commit.

    An address that came after the attempt has refused nothing, so it stays.
    """
    point = _address_of(session, invoice, attempt)
    if point is None:
        return False
    if not is_about_address(attempt.detail) and _soft_in_a_row(session, point) <= soft_limit:
        return False
    reason = closing_reason(attempt.detail)
    point.closed_at, point.closed_reason = now, reason
    session.add(StaleResident(resident_id=point.resident_id))
    record(
        session,
        at=now,
        actor="delivery",
        event=AuditEvent.ADDRESS_REMOVED,
        subject=f"invoice:{invoice.public_id}",
        reason=reason,
    )
    return True


def _address_of(session: Session, invoice: Invoice, attempt: Attempt) -> ContactPoint | None:
    if invoice.resident_id is None:
        return None
    return session.scalars(
        select(ContactPoint).where(
            ContactPoint.resident_id == invoice.resident_id,
            ContactPoint.kind == ContactKind.EMAIL,
            ContactPoint.closed_at.is_(None),
            ContactPoint.registered_at <= attempt.opened_at,
        )
    ).one_or_none()


def _soft_in_a_row(session: Session, point: ContactPoint) -> int:
    """How many mails came back from this address, for causes that pass, since one last arrived there."""
    session.flush()
    to_address = (
        Attempt.channel == Channel.EMAIL,
        Attempt.opened_at >= point.registered_at,
        Invoice.resident_id == point.resident_id,
    )
    attempts = (
        select(func.count())
        .select_from(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .where(*to_address)
    )
    arrived = (
        attempts.with_only_columns(func.max(Attempt.opened_at))
        .where(Attempt.taken_back_at.is_(None), Delivery.channel == Channel.EMAIL, Delivery.state == State.DELIVERED)
        .scalar_subquery()
    )
    is_soft = or_(Attempt.detail.startswith(SOFT), Attempt.detail.contains(MAILBOX_FULL))
    return session.scalar(attempts.where(is_soft, or_(arrived.is_(None), Attempt.opened_at > arrived))) or 0
