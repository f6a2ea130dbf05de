"""The invoices of one resident: a page of them, one of them with its way, and the PDF as it was sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.clock import Clock
from app.core.errors import NotFound
from app.core.settings import Settings
from app.delivery.letters import InvoiceLetters
from app.delivery.models import Attempt, Delivery, Part, State
from app.invoices.documents import document_store, read
from app.invoices.models import Invoice
from app.residents.models import Resident
from app.routing.channels import Channel

PAGE = 20
SENT = (State.IN_TRANSIT, State.DELIVERED)


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice in the list. ``channel``: how the document left, or ``avtalegiro`` when the claim stands alone.

    ``is_drawn``: the bank has a claim, and takes the money by itself.
    """

    invoice: Invoice
    channel: Channel | None
    is_sent: bool
    sent_at: dt.datetime | None
    is_drawn: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, newest first, numbered from 1."""

    rows: list[Row]
    number: int
    pages: int


def invoices_of(session: Session, resident: Resident, number: int) -> Page:
    """Page *number* of the resident's invoices; a page that is not there gives the nearest."""
    mine = Invoice.resident_id == resident.id
    count = session.scalar(select(func.count()).select_from(Invoice).where(mine)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(number, 1), pages)
    query = select(Invoice).where(mine).order_by(Invoice.issued_on.desc(), Invoice.id.desc())
    found = list(session.scalars(query.limit(PAGE).offset((number - 1) * PAGE)))
    return Page(rows_of(session, found), number, pages)


def rows_of(session: Session, invoices: Sequence[Invoice]) -> list[Row]:
    """A line of the list for each of *invoices*, in their order. One statement."""
    parts = _parts(session, [invoice.id for invoice in invoices])
    return [_row(invoice, parts.get(invoice.id, {})) for invoice in invoices]


def invoice_of(session: Session, resident: Resident, public_id: str) -> Invoice:
    """The resident's own invoice; raises `NotFound` for any other, whether it exists or not."""
    query = select(Invoice).where(Invoice.public_id == public_id, Invoice.resident_id == resident.id)
    invoice = session.scalar(query)
    if invoice is None:
        raise NotFound("this resident has no such invoice")
    return invoice


def pdf_of(session: Session, settings: Settings, clock: Clock, invoice: Invoice) -> bytes:
    """The document as it was last sent, else as it would be. May keep a newly set one, and then commits."""
    document = session.scalars(
        select(Delivery).where(Delivery.invoice_id == invoice.id, Delivery.part == Part.DOCUMENT)
    ).one_or_none()
    document_id = _sent_document(session, document)
    if document_id is None:
        letters = InvoiceLetters(settings, clock)
        try:
            # A notice never shows the accounting system's own, which has a payment slip.
            document_id = letters.presented(session, invoice, is_notice=document is not None and document.is_notice)
        finally:
            letters.close()
        session.commit()
    return read(session, document_store(settings.documents_url), document_id)


def _sent_document(session: Session, document: Delivery | None) -> int | None:
    if document is None:
        return None
    query = (
        select(Attempt.document_id)
        .where(
            Attempt.delivery_id == document.id,
            Attempt.document_id.is_not(None),
            Attempt.is_notice == document.is_notice,
            Attempt.outcome == Outcome.ACCEPTED,
        )
        .order_by(Attempt.number.desc())
        .limit(1)
    )
    return session.scalar(query)


def _parts(session: Session, invoice_ids: list[int]) -> dict[int, dict[Part, tuple[Any, ...]]]:
    """The parts of each invoice: channel, state, and when something was last taken."""
    taken = func.max(Attempt.closed_at).filter(Attempt.outcome == Outcome.ACCEPTED)
    query = (
        select(Delivery.invoice_id, Delivery.part, Delivery.channel, Delivery.state, taken)
        .outerjoin(Attempt, Attempt.delivery_id == Delivery.id)
        .where(Delivery.invoice_id.in_(invoice_ids))
        .group_by(Delivery.id)
    )
    found: dict[int, dict[Part, tuple[Any, ...]]] = {}
    for invoice_id, part, channel, state, at in session.execute(query):
        found.setdefault(invoice_id, {})[part] = (channel, state, at)
    return found


def _row(invoice: Invoice, parts: dict[Part, tuple[Any, ...]]) -> Row:
    leading = parts.get(Part.DOCUMENT) or parts.get(Part.CLAIM)
    if leading is None:
        return Row(invoice, None, is_sent=False, sent_at=None)
    channel, state, at = leading
    is_sent, claim = state in SENT, parts.get(Part.CLAIM)
    is_drawn = claim is not None and claim[1] in SENT
    return Row(invoice, channel if is_sent else None, is_sent, at if is_sent else None, is_drawn)
