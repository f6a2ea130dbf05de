"""EHF Billing 3 / Peppol BIS 3 invoices and credit notes, read into plain frozen values.

Source of the element names and rules: Peppol BIS Billing 3.0 (UBL 2.1 syntax) and EHF Billing 3.0.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

from app.core.account import OrganisationNumberInvalid, check_organisation_number
from app.invoices import fields
from app.invoices.attachments import Attachment, read_attachments
from app.invoices.fields import HeaderTexts, MeansTexts, PartyTexts
from app.invoices.payment_means import choose
from app.invoices.schema import CREDIT_NOTE_ROOT, validate
from app.invoices.values import Reader
from app.invoices.xml import read_xml
from app.routing.channels import Kind

CURRENCY = "NOK"
_ORGANISATION = re.compile(r"(?:NO)?(\d{9})(?:MVA)?")


class Party(NamedTuple):
    """Supplier or buyer as the file writes them; empty text where the file says nothing."""

    organisation_number: str
    name: str
    address_lines: tuple[str, ...]
    postal_code: str
    city: str
    country: str


class InvoiceLine(NamedTuple):
    """One line. Quantities, price and percent are decimals as written; ``amount_ore`` is whole øre."""

    name: str
    description: str
    quantity: str
    unit: str
    unit_price: str
    base_quantity: str
    amount_ore: int
    vat_percent: str


class TaxSubtotal(NamedTuple):
    """VAT of one rate; ``percent`` as written, empty where the category has none."""

    percent: str
    taxable_ore: int
    tax_ore: int


class Totals(NamedTuple):
    """The sums of the document in whole øre; None where the file leaves one out."""

    excluding_tax_ore: int | None
    including_tax_ore: int | None
    tax_ore: int | None
    prepaid_ore: int | None
    rounding_ore: int | None
    allowance_ore: int | None
    charge_ore: int | None


@dataclass(frozen=True, slots=True)
class ParsedInvoice:
    """One invoice or credit note, every value checked for shape.

    ``amount_ore``: PayableAmount with the sign the file gives it (a credit note's is normally positive).
    ``kid`` and ``account`` are as written, without blanks; whether they are right is intake's question.
    ``content_sha256`` covers the element tree without comments, processing instructions and blank text.
    """

    kind: Kind
    number: str
    issued_on: dt.date
    due_on: dt.date
    amount_ore: int
    kid: str
    account: str
    supplier: Party
    buyer: Party
    buyer_reference: str
    accounting_cost: str
    order_reference: str
    original_number: str
    notes: tuple[str, ...]
    payment_terms: str
    period: tuple[str, str]
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[TaxSubtotal, ...]
    totals: Totals
    attachments: tuple[Attachment, ...]
    content_sha256: bytes

    @property
    def source(self) -> str:
        """Whose number it is: the supplier's organisation number."""
        return self.supplier.organisation_number


def parse_invoice(data: bytes, source: str) -> ParsedInvoice:
    """Read and check one EHF file; *source* is the file's name for reports. Raises `InvoiceUnreadable`."""
    root = read_xml(data, source)
    validate(root, source)
    return _read(root, Reader(source))


def _read(root: Any, reader: Reader) -> ParsedInvoice:
    header = fields.header_texts(root)
    is_credit_note = root.tag == CREDIT_NOTE_ROOT
    amount_ore = reader.ore(header.payable, "PayableAmount")
    means = choose([fields.means_texts(element) for element in fields.find_means(root)])
    issued_on = reader.date(header.issued_on, "IssueDate")
    is_owed = amount_ore > 0 and not is_credit_note
    buyer = fields.party_texts(fields.find_buyers(root)[0])
    if header.currency != CURRENCY or header.payable_currency != CURRENCY:
        reader.wrong("DocumentCurrencyCode", f"the currency is not {CURRENCY}")
    parsed = ParsedInvoice(
        kind=Kind.CREDIT_NOTE if is_credit_note else Kind.DEMAND if is_owed else Kind.INFORMATION,
        number=reader.text(header.number, "ID", 100),
        issued_on=issued_on,
        due_on=_due_on(header, means, issued_on, is_owed, reader),
        amount_ore=amount_ore,
        kid=means.kid.replace(" ", ""),
        account=means.account.replace(" ", ""),
        supplier=_supplier(fields.party_texts(fields.find_suppliers(root)[0]), reader),
        buyer=_party(buyer, _buyer_organisation(buyer)),
        buyer_reference=buyer.customer_number or buyer.identification,
        accounting_cost=header.accounting_cost,
        order_reference=header.order_reference,
        original_number=header.original_number,
        notes=tuple(" ".join(note.split()) for note in fields.find_notes(root)) if header.note else (),
        payment_terms=header.payment_terms,
        period=(header.period_starts_on, header.period_ends_on),
        lines=tuple(_line(element, reader) for element in fields.find_lines(root)),
        taxes=tuple(_tax(element, reader) for element in fields.find_taxes(root)),
        totals=_totals(header, reader),
        attachments=() if header.attachment_count == "0" else read_attachments(fields.find_attachments(root)),
        content_sha256=hashlib.sha256(etree.tostring(root, encoding="utf-8")).digest(),
    )
    reader.raise_if_wrong()
    return parsed


def _due_on(header: HeaderTexts, means: MeansTexts, issued_on: dt.date, is_owed: bool, reader: Reader) -> dt.date:
    """A credit note has no due date in EHF, and where nothing is owed none is needed: the day of issue stands in."""
    text = header.due_on or means.due_on or header.terms_due_on
    if not text and not is_owed:
        return issued_on
    due_on = reader.date(text, "DueDate")
    if is_owed and due_on < issued_on:
        reader.wrong("DueDate", "the due date lies before the day of issue")
    return due_on


def _supplier(texts: PartyTexts, reader: Reader) -> Party:
    for text in (texts.legal_number, texts.endpoint_0192, texts.vat_number):
        number = _organisation(text)
        if number:
            return _party(texts, number)
    reader.wrong("AccountingSupplierParty", "the supplier has no right Norwegian organisation number")
    return _party(texts, "")


def _buyer_organisation(texts: PartyTexts) -> str:
    # Only the legal entity counts: the endpoint of a private person is whoever forwards the invoice to them.
    return _organisation(texts.legal_number_0192)


@lru_cache(maxsize=4096)
def _organisation(text: str) -> str:
    """The nine right digits in *text* (``987654325``, ``NO987654325MVA``), else empty text."""
    found = _ORGANISATION.fullmatch(text.replace(" ", "").upper())
    try:
        return check_organisation_number(found[1]) if found else ""
    except OrganisationNumberInvalid:
        return ""


def _party(texts: PartyTexts, organisation_number: str) -> Party:
    streets = (texts.street, texts.second_street, texts.third_street)
    return Party(
        organisation_number,
        texts.name or texts.legal_name,
        tuple(street for street in streets if street),
        texts.postal_code,
        texts.city,
        texts.country,
    )


def _line(element: Any, reader: Reader) -> InvoiceLine:
    texts = fields.line_texts(element)
    return InvoiceLine(*texts[:6], reader.ore(texts.amount, "LineExtensionAmount"), texts.vat_percent)


def _tax(element: Any, reader: Reader) -> TaxSubtotal:
    percent, taxable, tax = fields.tax_texts(element)
    return TaxSubtotal(percent, reader.ore(taxable, "TaxableAmount"), reader.ore(tax, "TaxAmount"))


def _totals(header: HeaderTexts, reader: Reader) -> Totals:
    return Totals(
        reader.ore_if_any(header.excluding_tax, "TaxExclusiveAmount"),
        reader.ore_if_any(header.including_tax, "TaxInclusiveAmount"),
        reader.ore_if_any(header.tax, "TaxAmount"),
        reader.ore_if_any(header.prepaid, "PrepaidAmount"),
        reader.ore_if_any(header.rounding, "PayableRoundingAmount"),
        reader.ore_if_any(header.allowance, "AllowanceTotalAmount"),
        reader.ore_if_any(header.charge, "ChargeTotalAmount"),
    )
