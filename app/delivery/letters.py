"""The documents of a group: the accounting system's own PDF where it may be used, else a letter set by us."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

import structlog
from babel.numbers import format_decimal
from sqlalchemy import select
from sqlalchemy.orm import Session
from typst import TypstError

from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.consignments import Letter
from app.delivery.facts import NORWAY
from app.delivery.models import Attempt
from app.delivery.parcels import Parcel
from app.invoices.attachments import PDF
from app.invoices.documents import DocumentDamaged, DocumentStore, document_store, store_all
from app.invoices.ehf import parse_invoice
from app.invoices.letter import Form, InvoiceView
from app.invoices.models import Document, Invoice
from app.invoices.pack import NotInPack
from app.invoices.problems import InvoiceUnreadable
from app.invoices.queries import invoice_xml
from app.invoices.render import render_invoice
from app.residents.models import Resident
from app.routing.channels import Channel, Claim, Kind

log = structlog.get_logger(__name__)

# A document that is missing, or cannot be read or set any more, costs its own invoice time, and no other's.
UNREADABLE = (DocumentDamaged, InvoiceUnreadable, NotInPack, TypstError, ValueError, OSError)


@dataclass(frozen=True, slots=True)
class _Order:
    """One letter to be set, without anything that belongs to the session."""

    delivery_id: int
    xml: bytes
    number: str
    form: Form
    language: str
    recipient: tuple[str, ...]
    account: str


class InvoiceLetters:
    """Makes and keeps letters. Typst lets Python go while it sets, so letters are set in as many threads as there are
    processors."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._documents: DocumentStore = document_store(settings.documents_url)
        self._setters = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="letter")

    def make(self, session: Session, parcels: Sequence[Parcel]) -> Mapping[int, Letter]:
        """The letter of each parcel, by the id of its delivery; without those that cannot be made. Does not commit."""
        rows = self._rows(session, parcels)
        made: dict[int, Letter] = {}
        orders: list[_Order] = []
        for parcel in parcels:
            try:
                letter = self._ready(session, parcel, rows)
                if letter is None:
                    order = self._order(
                        session,
                        parcel.delivery.id,
                        parcel.invoice,
                        parcel.resident,
                        is_notice=parcel.delivery.is_notice,
                    )
                    orders.append(order)
                else:
                    made[parcel.delivery.id] = letter
            except UNREADABLE as error:
                log.error("no letter can be made", invoice=parcel.invoice.public_id, error=type(error).__name__)
        made.update(self._set(session, orders))
        return made

    def _ready(self, session: Session, parcel: Parcel, rows: Mapping[int, Document]) -> Letter | None:
        """What needs no setting; None when a letter must be set."""
        if parcel.is_claim:
            return self._claim_lines(session, parcel)
        kept = _kept(parcel)
        return None if kept is None else self._stored(rows[kept])

    def presented(self, session: Session, invoice: Invoice, *, is_notice: bool) -> int:
        """The row of the document that a bank shows of *invoice*, kept like any letter. Does not commit."""
        if invoice.pdf_document_id is not None and not is_notice:
            return invoice.pdf_document_id
        resident = session.get(Resident, invoice.resident_id) if invoice.resident_id is not None else None
        pdf = self._render(self._order(session, 0, invoice, resident, is_notice=is_notice))
        (document_id,) = store_all(session, self._documents, [(pdf, PDF)], self._clock.now())
        return document_id

    def close(self) -> None:
        """Let the threads go."""
        self._setters.shutdown()

    def _rows(self, session: Session, parcels: Sequence[Parcel]) -> dict[int, Document]:
        """The rows of every document the group needs, so that none is looked up by itself."""
        ids = {parcel.invoice.xml_document_id for parcel in parcels}
        ids |= {kept for parcel in parcels if (kept := _kept(parcel)) is not None}
        return {row.id: row for row in session.scalars(select(Document).where(Document.id.in_(ids)))}

    def _stored(self, row: Document) -> Letter:
        return Letter(self._documents.get(row.sha256), row.sha256.hex(), row.id)

    def _order(
        self, session: Session, delivery_id: int, invoice: Invoice, resident: Resident | None, *, is_notice: bool
    ) -> _Order:
        return _Order(
            delivery_id=delivery_id,
            xml=invoice_xml(session, self._documents, invoice),
            number=invoice.number,
            form=form_of(invoice, is_notice),
            language=resident.language if resident else self._settings.default_language,
            recipient=_lines_of(resident),
            account=invoice.account or "",
        )

    def _set(self, session: Session, orders: Sequence[_Order]) -> dict[int, Letter]:
        futures = [(order, self._setters.submit(self._render, order)) for order in orders]
        pdfs: list[tuple[_Order, bytes]] = []
        for order, future in futures:
            try:
                pdfs.append((order, future.result()))
            except UNREADABLE as error:
                log.error("no letter can be set", invoice=order.number, error=type(error).__name__)
        ids = store_all(session, self._documents, [(pdf, PDF) for _, pdf in pdfs], self._clock.now())
        rows = {row.id: row for row in session.scalars(select(Document).where(Document.id.in_(ids)))}
        return {
            order.delivery_id: Letter(pdf, rows[document_id].sha256.hex(), document_id)
            for (order, pdf), document_id in zip(pdfs, ids, strict=True)
        }

    def _render(self, order: _Order) -> bytes:
        view = InvoiceView(
            invoice=parse_invoice(order.xml, order.number),
            form=order.form,
            language=order.language,
            recipient=order.recipient,
            account=order.account,
            contact_phone=self._settings.contact_phone,
            contact_email=self._settings.contact_email,
        )
        return render_invoice(view)

    def _claim_lines(self, session: Session, parcel: Parcel) -> Letter:
        """What the bank's own notice says; only where the bank notifies."""
        if parcel.plan.claim != Claim.BANK_NOTIFIES.value:
            return Letter()
        invoice = parse_invoice(invoice_xml(session, self._documents, parcel.invoice), parcel.invoice.number)
        language = parcel.resident.language if parcel.resident else self._settings.default_language
        lines = (f"{line.name or line.description}: {_amount(line.amount, language)}" for line in invoice.lines)
        return Letter(lines=tuple(" ".join(line.split()) for line in lines))


def form_of(invoice: Invoice, is_notice: bool) -> Form:
    """What the letter asks of its reader."""
    if is_notice:
        return Form.NOTICE
    return Form.DEMAND if invoice.kind is Kind.DEMAND else Form.INFORMATION


def _kept(parcel: Parcel) -> int | None:
    """The document that is sent as it lies: the one of the same attempt before, or the accounting system's own.

    The accounting system's has a payment slip, so a notice never carries it. Who has moved since the attempt before
    gets a letter with the new address in its window.
    """
    if parcel.is_claim:
        return None
    repeated: Attempt | None = parcel.repeatable(parcel.delivery.channel or Channel.PAPER)
    if repeated is not None and repeated.document_id is not None:
        has_changed = parcel.resident is not None and parcel.resident.updated_at > repeated.opened_at
        if not has_changed or repeated.document_id == parcel.invoice.pdf_document_id:
            return repeated.document_id
    return None if parcel.delivery.is_notice else parcel.invoice.pdf_document_id


def _lines_of(resident: Resident | None) -> tuple[str, ...]:
    """Name and address as they stand in the envelope's window."""
    if resident is None:
        return ()
    place = f"{resident.postal_code} {resident.city}".strip()
    country = "" if resident.country.strip().upper() in NORWAY else resident.country
    lines = (resident.name, resident.address_line_1, resident.address_line_2, place, country)
    return tuple(line for line in lines if line)


def _amount(kroner: str, language: str) -> str:
    return format_decimal(Decimal(kroner or "0"), format="#,##0.00", locale=language)
