"""Finds invoices, and what belongs to them."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound, NotPossible
from app.invoices.documents import DocumentStore, read
from app.invoices.ehf import ParsedInvoice, parse_invoice
from app.invoices.models import Document, Invoice
from app.invoices.pack import from_pack
from app.invoices.storing import pack_key


def invoice_by_number(session: Session, number: str, source: str | None = None) -> Invoice:
    """The invoice with this number; raises `NotFound`, and `NotPossible` when several suppliers have used it."""
    query = select(Invoice).where(Invoice.number == number).order_by(Invoice.id).limit(2)
    if source:
        query = query.where(Invoice.source == source)
    found = session.scalars(query).all()
    if not found:
        raise NotFound(f"there is no invoice {number}")
    if len(found) > 1:
        raise NotPossible(f"invoice {number} exists with several suppliers: name the supplier as well")
    return found[0]


def invoice_by_public_id(session: Session, public_id: str) -> Invoice:
    """The invoice behind an address or link; raises `NotFound`."""
    invoice = session.scalar(select(Invoice).where(Invoice.public_id == public_id))
    if invoice is None:
        raise NotFound("there is no such invoice")
    return invoice


def ids_by_number(session: Session, number: str, most: int) -> list[int]:
    """The newest *most* invoices with this number, whichever suppliers' and however its letters are written."""
    written = {number, number.upper(), number.lower()}
    query = select(Invoice.id).where(Invoice.number.in_(written)).order_by(Invoice.id.desc()).limit(most)
    return list(session.scalars(query))


def ids_by_kid(session: Session, kid: str, most: int) -> list[int]:
    """The invoices with this KID, last due first."""
    query = select(Invoice.id).where(Invoice.kid == kid).order_by(Invoice.due_on.desc(), Invoice.id.desc())
    return list(session.scalars(query.limit(most)))


def credit_notes_of(session: Session, invoice: Invoice) -> list[Invoice]:
    """The credit notes that name *invoice*, oldest first."""
    query = select(Invoice).where(Invoice.original_number == invoice.number, Invoice.source == invoice.source)
    return list(session.scalars(query.order_by(Invoice.id)))


def invoice_xml(session: Session, documents: DocumentStore, invoice: Invoice) -> bytes:
    """The EHF file that the invoice came in, byte for byte."""
    sha256 = session.get_one(Document, invoice.xml_document_id).sha256
    return from_pack(_pack(documents, sha256), pack_key(invoice.source, invoice.number))


def parsed_invoice(session: Session, documents: DocumentStore, invoice: Invoice) -> ParsedInvoice:
    """The invoice with its lines, for rendering."""
    return parse_invoice(invoice_xml(session, documents, invoice), invoice.number)


def invoice_pdf(session: Session, documents: DocumentStore, invoice: Invoice) -> bytes | None:
    """The accounting system's own PDF, or None when one must be rendered."""
    return None if invoice.pdf_document_id is None else read(session, documents, invoice.pdf_document_id)


@lru_cache(maxsize=2)
def _pack(documents: DocumentStore, sha256: bytes) -> bytes:
    # Invoices are sent roughly as they came in, so the same few packs are read again and again.
    return documents.get(sha256)
