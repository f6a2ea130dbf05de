"""The head of an invoice: what is decided and paid by, so every value of it is strictly checked.

What the letter only shows (`app.invoices.ehf`) is shown as the file writes it.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any, NamedTuple

from app.core.account import OrganisationNumberInvalid, check_organisation_number
from app.invoices import fields
from app.invoices.fields import HeadTexts, MeansTexts
from app.invoices.payment_means import choose
from app.invoices.schema import CREDIT_NOTE_ROOT
from app.invoices.values import EARLIEST, LATEST, Reader
from app.routing.channels import Kind

CURRENCY = "NOK"

_ORGANISATION = re.compile(r"(?:NO)?(\d{9})(?:MVA)?")


class InvoiceHead(NamedTuple):
    """``amount_ore``: PayableAmount with the sign the file gives it (a credit note's is normally positive).

    ``source`` is the supplier's organisation number. ``kid`` and ``account`` are as written but without blanks;
    whether they are right is intake's question. ``buyer_reference``: the buyer's PartyIdentification.
    ``buyer_organisation``: nine right digits of the buyer as a legal entity, else empty.
    """

    kind: Kind
    source: str
    number: str
    issued_on: dt.date
    due_on: dt.date
    amount_ore: int
    kid: str
    account: str
    buyer_reference: str
    buyer_organisation: str
    accounting_cost: str
    original_number: str
    has_attachments: bool


def read_head(root: Any, source: str) -> InvoiceHead:
    """The head of a document that is valid by its schema; raises `InvoiceUnreadable` with every problem found."""
    reader = Reader(source)
    texts = fields.head_texts(root)
    is_credit_note = root.tag == CREDIT_NOTE_ROOT
    amount_ore = reader.ore(texts.payable, "PayableAmount")
    is_owed = amount_ore > 0 and not is_credit_note
    if texts.currency != CURRENCY or texts.payable_currency != CURRENCY:
        reader.wrong("DocumentCurrencyCode", f"the currency is not {CURRENCY}")
    means = _means(root, texts)
    issued_on = reader.date(texts.issued_on, "IssueDate") or EARLIEST
    head = InvoiceHead(
        kind=Kind.CREDIT_NOTE if is_credit_note else Kind.DEMAND if is_owed else Kind.INFORMATION,
        source=_supplier(texts, reader),
        number=reader.text(texts.number, "ID", 100),
        issued_on=issued_on,
        due_on=_due_on(texts, means, issued_on, is_owed, reader),
        amount_ore=amount_ore,
        kid=means.kid.replace(" ", ""),
        account=means.account.replace(" ", ""),
        buyer_reference=texts.buyer_customer_number or texts.buyer_identification,
        # Only the legal entity counts: the endpoint of a private person is whoever forwards the invoice to them.
        buyer_organisation=_organisation(texts.buyer_legal_number),
        accounting_cost=texts.accounting_cost,
        original_number=texts.original_number,
        has_attachments=texts.attachment_count != "0",
    )
    reader.raise_if_wrong()
    return head


def _means(root: Any, texts: HeadTexts) -> MeansTexts:
    if texts.means_count in ("0", "1"):
        return MeansTexts(texts.means_code, texts.kid, texts.account, texts.means_due_on)
    return choose([fields.means_texts(element) for element in fields.find_means(root)])


def _due_on(texts: HeadTexts, means: MeansTexts, issued_on: dt.date, is_owed: bool, reader: Reader) -> dt.date:
    """A credit note has no due date in EHF, and where nothing is owed none is needed: the day of issue stands in."""
    text = texts.due_on or means.due_on or texts.terms_due_on
    if not text and not is_owed:
        return issued_on
    due_on = reader.date(text, "DueDate") or LATEST
    if is_owed and due_on < issued_on:
        reader.wrong("DueDate", "the due date lies before the day of issue")
    return due_on


def _supplier(texts: HeadTexts, reader: Reader) -> str:
    for text in (texts.supplier_legal_number, texts.supplier_endpoint, texts.supplier_vat_number):
        number = _organisation(text)
        if number:
            return number
    reader.wrong("AccountingSupplierParty", "the supplier has no right Norwegian organisation number")
    return ""


@lru_cache(maxsize=4096)
def _organisation(text: str) -> str:
    """The nine right digits in *text* (``987654325``, ``NO987654325MVA``), else empty text."""
    found = _ORGANISATION.fullmatch(text.replace(" ", "").upper())
    try:
        return check_organisation_number(found[1]) if found else ""
    except OrganisationNumberInvalid:
        return ""
