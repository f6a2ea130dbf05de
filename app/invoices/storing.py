"""Stores one chunk of examined invoices: few statements whatever the chunk's size, whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.orm import Session

from app.invoices.attachments import PDF
from app.invoices.documents import DocumentStore, read, store_all
from app.invoices.ehf import same_content
from app.invoices.examine import Candidate
from app.invoices.models import Batch, Invoice, Pending
from app.invoices.pack import MEDIA_TYPE, from_pack, make_pack
from app.invoices.rows import Buyers, RowMaker
from app.invoices.sources import InvoiceFile
from app.residents.models import Resident

Key = tuple[str, str]
"""Source (the supplier's organisation number) and invoice number."""


class NewInvoice(NamedTuple):
    """An invoice that is not stored yet, with the file it came in and who is invoiced."""

    file: InvoiceFile
    candidate: Candidate
    resident_id: int | None


class Known(NamedTuple):
    """An invoice whose number is taken: stored under these documents, or *new* in the same chunk."""

    digest: bytes
    xml_id: int = 0
    pdf_id: int | None = None
    new: NewInvoice | None = None


def key_of(candidate: Candidate) -> Key:
    """What makes an invoice the same one."""
    return candidate.head.source, candidate.head.number


def pack_key(source: str, number: str) -> str:
    """Under which an invoice's XML lies in its pack."""
    return f"{source}/{number}"


def known_invoices(session: Session, candidates: Iterable[Candidate]) -> dict[Key, Known]:
    """Those that are stored already."""
    wanted = [key_of(candidate) for candidate in candidates]
    if not wanted:
        return {}
    query = select(
        Invoice.source, Invoice.number, Invoice.content_sha256, Invoice.xml_document_id, Invoice.pdf_document_id
    ).where(
        # Two plain lists are looked up faster than a list of pairs; what they bring too much is harmless.
        Invoice.source.in_({source for source, _ in wanted}),
        Invoice.number.in_([number for _, number in wanted]),
    )
    return {
        (source, number): Known(bytes(digest), xml_id=xml_id, pdf_id=pdf_id)
        for source, number, digest, xml_id, pdf_id in session.execute(query)
    }


def is_same(session: Session, documents: DocumentStore, known: Known, new: NewInvoice) -> bool:
    """Whether *new* says what the invoice of that number already says, in its XML and in its PDF."""
    if known.digest == new.candidate.digest:
        return True
    if known.new:
        xml, pdf = known.new.file.xml, known.new.candidate.pdf
    else:
        pack = read(session, documents, known.xml_id)
        xml = from_pack(pack, pack_key(*key_of(new.candidate)))
        pdf = None if known.pdf_id is None else read(session, documents, known.pdf_id)
    return pdf == new.candidate.pdf and same_content(xml, new.file.xml)


def find_buyers(session: Session, candidates: Collection[Candidate]) -> Buyers:
    """The residents these invoices name. An organisation number that several residents have finds none of them."""
    references = {
        candidate.head.buyer_reference for candidate in candidates if 0 < len(candidate.head.buyer_reference) <= 40
    }
    organisations = {candidate.head.buyer_organisation for candidate in candidates if candidate.head.buyer_organisation}
    return Buyers(_by_customer_number(session, references), _by_organisation(session, organisations))


def _by_customer_number(session: Session, references: Collection[str]) -> Mapping[str, int]:
    if not references:
        return {}
    query = select(Resident.customer_number, Resident.id).where(Resident.customer_number.in_(references))
    return {number: resident_id for number, resident_id in session.execute(query) if number}


def _by_organisation(session: Session, organisations: Collection[str]) -> Mapping[str, int]:
    if not organisations:
        return {}
    number = Resident.organisation_number
    query = (
        select(number, func.min(Resident.id))
        .where(number.in_(organisations))
        .group_by(number)
        .having(func.count() == 1)
    )
    return {found: resident_id for found, resident_id in session.execute(query) if found}


def store_new(session: Session, documents: DocumentStore, maker: RowMaker, new: Sequence[NewInvoice]) -> None:
    """Insert the invoices and their outbox rows, after their documents; the caller commits."""
    if not new:
        return
    pack = make_pack({pack_key(*key_of(invoice.candidate)): invoice.file.xml for invoice in new})
    pdfs = [invoice.candidate.pdf for invoice in new if invoice.candidate.pdf is not None]
    items = [(pack, MEDIA_TYPE), *((pdf, PDF) for pdf in pdfs)]
    xml_id, *pdf_ids = store_all(session, documents, items, maker.now)
    next_pdf_id = iter(pdf_ids)
    rows = [
        maker.invoice(
            invoice.candidate,
            invoice.file.category,
            invoice.resident_id,
            xml_id,
            None if invoice.candidate.pdf is None else next(next_pdf_id),
        )
        for invoice in new
    ]
    session.execute(insert(cast(Table, Invoice.__table__)), rows)
    # Reading the ids back costs less than RETURNING them row by row, on both databases.
    query = select(Invoice.source, Invoice.number, Invoice.id).where(Invoice.xml_document_id == xml_id)
    ids = {(source, number): invoice_id for source, number, invoice_id in session.execute(query)}
    pairs = zip(new, rows, strict=True)
    session.execute(
        insert(cast(Table, Pending.__table__)),
        [maker.pending(invoice.candidate, row, ids[key_of(invoice.candidate)]) for invoice, row in pairs],
    )


def count_in(session: Session, batch_id: int, created: int, rejected: int) -> None:
    """Add to the batch's counts, in the same transaction as what is counted."""
    session.execute(
        update(Batch)
        .where(Batch.id == batch_id)
        .values(invoice_count=Batch.invoice_count + created, rejected_count=Batch.rejected_count + rejected)
    )
