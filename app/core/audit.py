"""Append-only record of what a person or job did to what, and why."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.database import Base, Id


class AuditEvent(StrEnum):
    """The closed list of events."""

    INVOICE_HELD = "invoice_held"
    INVOICE_RELEASED = "invoice_released"
    INVOICE_CANCELLED = "invoice_cancelled"
    INVOICE_CREDITED = "invoice_credited"
    BRAKE_RELEASED = "brake_released"
    ADDRESS_REMOVED = "address_removed"
    RESIDENT_LOGGED_IN = "resident_logged_in"
    CONTACT_CODE_SENT = "contact_code_sent"
    CONTACT_CONFIRMED = "contact_confirmed"
    CONTACT_REMOVED = "contact_removed"
    PREFERENCE_CHOSEN = "preference_chosen"
    OWN_DATA_FETCHED = "own_data_fetched"
    OFFER_ANSWERED = "offer_answered"
    OFFER_UNSUBSCRIBED = "offer_unsubscribed"
    AGREEMENT_REQUESTED = "agreement_requested"
    AGREEMENT_ACTIVE = "agreement_active"
    AGREEMENT_DECLINED = "agreement_declined"
    AGREEMENT_ENDED = "agreement_ended"


class AuditRecord(Base):
    """One event. Rows are only ever added."""

    __tablename__ = "audit_record"

    id: Mapped[Id]
    at: Mapped[dt.datetime]
    actor: Mapped[str] = mapped_column(String(120))
    event: Mapped[AuditEvent]
    subject: Mapped[str] = mapped_column(String(80), index=True)
    reason: Mapped[str] = mapped_column(String(500))


def record(session: Session, *, at: dt.datetime, actor: str, event: AuditEvent, subject: str, reason: str = "") -> None:
    """Add one event to the caller's transaction. *subject* is ``kind:public id``, never personal data."""
    session.add(AuditRecord(at=at, actor=actor, event=event, subject=subject, reason=reason[:500]))
