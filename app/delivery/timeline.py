"""What has happened to one invoice, in the order of time, whoever did it: intake, attempts, receipts, people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.audit import VIEWS, AuditEvent, AuditRecord
from app.delivery.models import Attempt, Delivery, Part, Receipt
from app.invoices.models import Invoice
from app.routing.channels import Channel

MOST_RECORDS = 200


class Happened(StrEnum):
    """What happened. RECALLED: a claim was called back. TOLD: a provider's later word. DID: a person or job did it."""

    IMPORTED = "imported"
    SENT = "sent"
    CLAIMED = "claimed"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"
    TAKEN_BACK = "taken_back"
    RECALLED = "recalled"
    TOLD = "told"
    DID = "did"
    CLOSED = "closed"


_OUTCOMES = {
    Outcome.REFUSED: Happened.REFUSED,
    Outcome.UNAVAILABLE: Happened.UNAVAILABLE,
    Outcome.UNCERTAIN: Happened.UNCERTAIN,
    None: Happened.UNCERTAIN,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. ``word``: the key of the receipt's status, the event or the closure.

    ``detail``: a code. ``actor`` and ``reason`` are the audit record's.
    """

    at: dt.datetime
    what: Happened
    channel: Channel | None = None
    word: str = ""
    detail: str = ""
    actor: str = ""
    reason: str = ""
    is_notice: bool = False


def timeline(session: Session, invoice: Invoice) -> list[Moment]:
    """Everything in the order of time, oldest first; who looked is not in it (`viewers`)."""
    found = [Moment(invoice.imported_at, Happened.IMPORTED), *_attempts(session, invoice), *_receipts(session, invoice)]
    for row in _records(session, invoice):
        found.append(Moment(row.at, Happened.DID, word=row.event.value, actor=row.actor, reason=row.reason))
    if invoice.closed_at is not None and invoice.closed_reason is not None:
        found.append(Moment(invoice.closed_at, Happened.CLOSED, word=invoice.closed_reason.value))
    return sorted(found, key=lambda moment: moment.at)


def viewers(session: Session, invoice: Invoice, most: int) -> list[AuditRecord]:
    """Who of the municipality saw the invoice's page or document, newest first."""
    query = select(AuditRecord).where(_about(invoice), AuditRecord.event.in_(VIEWS))
    return list(session.scalars(query.order_by(AuditRecord.id.desc()).limit(most)))


def _about(invoice: Invoice) -> ColumnElement[bool]:
    return AuditRecord.subject == f"invoice:{invoice.public_id}"


def _records(session: Session, invoice: Invoice) -> list[AuditRecord]:
    query = select(AuditRecord).where(_about(invoice), AuditRecord.event.not_in((*VIEWS, AuditEvent.SEARCHED)))
    return list(session.scalars(query.order_by(AuditRecord.id.desc()).limit(MOST_RECORDS)))


def _attempts(session: Session, invoice: Invoice) -> Iterator[Moment]:
    query = (
        select(Attempt, Delivery.part)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Delivery.invoice_id == invoice.id)
    )
    for attempt, part in session.execute(query):
        detail, at = attempt.detail or "", attempt.closed_at or attempt.opened_at
        yield Moment(at, _what(attempt, part), attempt.channel, detail=detail, is_notice=attempt.is_notice)
        if attempt.taken_back_at is not None and not attempt.is_cancellation:
            yield Moment(attempt.taken_back_at, Happened.TAKEN_BACK, attempt.channel, detail=detail)


def _what(attempt: Attempt, part: Part) -> Happened:
    if attempt.outcome is not Outcome.ACCEPTED:
        return _OUTCOMES[attempt.outcome]
    if attempt.is_cancellation:
        return Happened.RECALLED
    return Happened.CLAIMED if part is Part.CLAIM else Happened.SENT


def _receipts(session: Session, invoice: Invoice) -> Iterator[Moment]:
    same = (Attempt.provider_reference == Receipt.provider_reference) & (Attempt.channel == Receipt.channel)
    query = (
        select(Receipt)
        .join(Attempt, same)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Delivery.invoice_id == invoice.id)
    )
    for receipt in session.scalars(query):
        detail = receipt.detail or ""
        yield Moment(receipt.received_at, Happened.TOLD, receipt.channel, word=receipt.status, detail=detail)
