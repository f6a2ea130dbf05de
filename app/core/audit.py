"""Append-only record of what a person or job did to what, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, LargeBinary, Select, String, or_, select
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from app.core.database import Base, Id, Key

MOST_SEEN = 5_000


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
    # The municipality's people: what they saw, and what they did
    STAFF_LOGGED_IN = "staff_logged_in"
    RESIDENT_VIEWED = "resident_viewed"
    INVOICE_VIEWED = "invoice_viewed"
    DOCUMENT_VIEWED = "document_viewed"
    SEARCHED = "searched"
    FOLLOW_UP_VIEWED = "follow_up_viewed"
    CONTACT_REGISTERED = "contact_registered"
    INVOICE_SENT_AGAIN = "invoice_sent_again"
    CAMPAIGN_STARTED = "campaign_started"
    CAMPAIGN_STOPPED = "campaign_stopped"
    CAMPAIGN_RESUMED = "campaign_resumed"
    CAMPAIGN_PACED = "campaign_paced"
    OFFER_ANSWERED = "offer_answered"
    OFFER_UNSUBSCRIBED = "offer_unsubscribed"
    AGREEMENT_REQUESTED = "agreement_requested"
    AGREEMENT_ACTIVE = "agreement_active"
    AGREEMENT_DECLINED = "agreement_declined"
    AGREEMENT_ENDED = "agreement_ended"


class AuditRecord(Base):
    """One event. Rows are only ever added, each linked to the one before it (`app.core.audit_chain`).

    ``details`` says what was seen or changed, as codes and ids, never personal data. ``link`` is the key's id (2 bytes)
    and an HMAC-SHA-256 over the link before and this row; None in rows from before there was a chain.
    """

    __tablename__ = "audit_record"

    id: Mapped[Id]
    at: Mapped[dt.datetime]
    actor: Mapped[str] = mapped_column(String(120))
    event: Mapped[AuditEvent]
    subject: Mapped[str] = mapped_column(String(80), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    link: Mapped[bytes | None] = mapped_column(LargeBinary(34))


class AuditHead(Base):
    """The one row that says where the chain ends: its last row's id and link, how many rows, and a seal over them."""

    __tablename__ = "audit_head"

    id: Mapped[Id]
    last_id: Mapped[Key]
    count: Mapped[Key]
    link: Mapped[bytes] = mapped_column(LargeBinary(34))
    seal: Mapped[bytes] = mapped_column(LargeBinary(34))


VIEWS = (
    AuditEvent.RESIDENT_VIEWED,
    AuditEvent.INVOICE_VIEWED,
    AuditEvent.DOCUMENT_VIEWED,
)
"""The events that say: somebody of the municipality has seen this."""

WAITING = "audit"
"""Where a session keeps the events of its transaction until it commits; `app.core.audit_chain` writes them then."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event that is not written yet, and the savepoint it stands or falls with."""

    values: dict[str, Any]
    savepoint: SessionTransaction | None


def record(
    session: Session,
    *,
    at: dt.datetime,
    actor: str,
    event: AuditEvent,
    subject: str,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one event to the caller's transaction: it is written when that commits, and forgotten when it rolls back.

    *subject* is ``kind:public id``; *details* are plain values for JSON. Neither holds personal data.
    """
    if not session.in_transaction():
        session.begin()
    values = {"at": at, "actor": actor, "event": event, "subject": subject, "reason": reason[:500],
              "details": dict(details) if details is not None else None}  # fmt: skip
    session.info.setdefault(WAITING, []).append(Waiting(values, session.get_nested_transaction()))


def seen_by(session: Session, resident_public_id: str, also: Select[str] | None = None) -> Sequence[AuditRecord]:
    """When somebody of the municipality saw the resident's page or (*also*: their subjects) an invoice, newest first.

    At most `MOST_SEEN`; what the resident did is not among them.
    """
    subject = AuditRecord.subject == f"resident:{resident_public_id}"
    about = subject if also is None else or_(subject, AuditRecord.subject.in_(also))
    query = select(AuditRecord).where(about, AuditRecord.event.in_(VIEWS)).order_by(AuditRecord.id.desc())
    return session.scalars(query.limit(MOST_SEEN)).all()
