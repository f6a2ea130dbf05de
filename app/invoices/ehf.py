"""EHF Billing 3 / Peppol BIS 3 invoices and credit notes, read into plain frozen values.

Source of the element names and rules: Peppol BIS Billing 3.0 (UBL 2.1 syntax) and EHF Billing 3.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from lxml import etree

from app.invoices import fields
from app.invoices.attachments import Attachment, read_attachments
from app.invoices.fields import PartyTexts
from app.invoices.head import InvoiceHead, read_head
from app.invoices.schema import validate
from app.invoices.xml import read_xml


class Party(NamedTuple):
    """Supplier or buyer as the file writes them; empty text where the file says nothing."""

    name: str
    address_lines: tuple[str, ...]
    postal_code: str
    city: str
    country: str


class InvoiceLine(NamedTuple):
    """One line: every number is a decimal as written, empty where there is none."""

    name: str
    description: str
    quantity: str
    unit: str
    unit_price: str
    base_quantity: str
    amount: str
    vat_percent: str


class TaxSubtotal(NamedTuple):
    """VAT of one rate: decimals as written."""

    percent: str
    taxable: str
    tax: str


class Totals(NamedTuple):
    """The sums of the document in kroner: decimals as written, empty where the file leaves one out."""

    excluding_tax: str
    including_tax: str
    tax: str
    prepaid: str
    rounding: str
    allowance: str
    charge: str


@dataclass(frozen=True, slots=True)
class ParsedInvoice:
    """One whole invoice or credit note: the checked head, and what the letter shows besides."""

    head: InvoiceHead
    supplier: Party
    buyer: Party
    order_reference: str
    notes: tuple[str, ...]
    payment_terms: str
    period: tuple[str, str]
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[TaxSubtotal, ...]
    totals: Totals
    attachments: tuple[Attachment, ...]


def parse_root(data: bytes, source: str) -> Any:
    """The root of one EHF file, safe and valid by its schema; *source* is its name for reports.

    Raises `InvoiceUnreadable`.
    """
    root = read_xml(data, source)
    validate(root, source)
    return root


def parse_invoice(data: bytes, source: str) -> ParsedInvoice:
    """Read and check one EHF file whole. Raises `InvoiceUnreadable`."""
    root = parse_root(data, source)
    head = read_head(root, source)
    body = fields.body_texts(root)
    return ParsedInvoice(
        head=head,
        supplier=_party(fields.party_texts(fields.find_suppliers(root)[0])),
        buyer=_party(fields.party_texts(fields.find_buyers(root)[0])),
        order_reference=body.order_reference,
        notes=tuple(" ".join(note.split()) for note in fields.find_notes(root)),
        payment_terms=body.payment_terms,
        period=(body.period_starts_on, body.period_ends_on),
        lines=tuple(InvoiceLine(*fields.line_texts(element)) for element in fields.find_lines(root)),
        taxes=tuple(TaxSubtotal(*fields.tax_texts(element)) for element in fields.find_taxes(root)),
        totals=Totals(
            body.excluding_tax,
            body.including_tax,
            body.tax,
            body.prepaid,
            body.rounding,
            body.allowance,
            body.charge,
        ),
        attachments=read_attachments(fields.find_attachments(root)) if head.has_attachments else (),
    )


def same_content(one: bytes, other: bytes) -> bool:
    """Whether two readable EHF files say the same.

    Compared is the canonical XML (C14N 2.0, prefixes made alike) without comments, processing instructions and blank
    text, so line ends, indentation, encoding and the order of attributes make no difference.
    """
    return one == other or _canonical(one) == _canonical(other)


def _canonical(data: bytes) -> str:
    root = read_xml(data, "stored invoice")
    return str(etree.canonicalize(root, strip_text=True, rewrite_prefixes=True))


def _party(texts: PartyTexts) -> Party:
    streets = (texts.street, texts.second_street, texts.third_street)
    return Party(
        texts.name or texts.legal_name,
        tuple(street for street in streets if street),
        texts.postal_code,
        texts.city,
        texts.country,
    )
