"""The PDF that a bank or Vipps fetches for an invoice it was handed: the same bytes however often it is asked for."""

from __future__ import annotations

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.clock import Clock
from app.core.errors import NotFound
from app.core.settings import Settings
from app.delivery.consignments import FETCHED
from app.delivery.letters import InvoiceLetters
from app.delivery.models import Attempt, Delivery, Part
from app.invoices.documents import document_store, read
from app.invoices.models import Invoice
from app.invoices.queries import invoice_by_public_id


def presentation(session: Session, settings: Settings, clock: Clock, public_id: str) -> bytes:
    """The PDF of an invoice, set and kept when it is fetched for the first time; commits then.

    A notice (AvtaleGiro draws the money) never shows the accounting system's own, which has a payment slip. Raises
    `NotFound` when no bank was ever handed it, and `DocumentDamaged`.
    """
    invoice = invoice_by_public_id(session, public_id)
    attempt = _handed_over(session, invoice)
    if attempt is None:
        raise NotFound("no bank was handed this invoice")
    if attempt.document_id is None:
        letters = InvoiceLetters(settings, clock)
        try:
            document_id = letters.presented(session, invoice, is_notice=attempt.is_notice)
        finally:
            letters.close()
        # Of two that ask at once, one keeps its document, and both show that one.
        session.execute(
            update(Attempt)
            .where(Attempt.id == attempt.id, Attempt.document_id.is_(None))
            .values(document_id=document_id)
            .execution_options(synchronize_session=False)
        )
        session.commit()
        session.refresh(attempt)
    return read(session, document_store(settings.documents_url), attempt.document_id or 0)


def _handed_over(session: Session, invoice: Invoice) -> Attempt | None:
    """The latest attempt by which a bank has, or may have, the invoice's address; the bank may ask while it answers."""
    return session.scalars(
        select(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(
            Delivery.invoice_id == invoice.id,
            Delivery.part == Part.DOCUMENT,
            Attempt.channel.in_(FETCHED),
            or_(Attempt.outcome.is_(None), Attempt.outcome != Outcome.REFUSED),
        )
        .order_by(Attempt.number.desc())
        .limit(1)
    ).one_or_none()
