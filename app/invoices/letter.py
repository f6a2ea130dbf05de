"""What stands on the invoice letter, word for word: a parsed invoice made into the texts that the template sets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from app.core.money import format_ore
from app.invoices.ehf import InvoiceLine, ParsedInvoice, Party, TaxSubtotal
from app.invoices.letter_texts import letter_texts
from app.routing.channels import Kind


class Form(StrEnum):
    """What the letter asks of its reader.

    A ``notice`` tells that the bank draws the amount, so it shows nothing a resident could pay a second time.
    """

    DEMAND = "demand"
    NOTICE = "notice"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """Everything one letter needs. ``recipient`` is name and address, one line each, as for the envelope's window.

    ``account``: eleven digits; may be empty unless ``form`` is a demand. ``language``: nb, nn or en.
    """

    invoice: ParsedInvoice
    form: Form
    language: str
    recipient: tuple[str, ...]
    account: str = ""
    contact_phone: str = ""
    contact_email: str = ""


MINUS = "\u2212"
AMOUNT = "#,##0.00####"

# UNECE Recommendation 20 codes; an empty text means that a bare number says it best.
_UNITS = {
    "EA": "unit_piece", "NAR": "unit_piece", "H87": "unit_piece", "PCE": "unit_piece", "STK": "unit_piece",
    "HUR": "unit_hour", "DAY": "unit_day", "MON": "unit_month", "ANN": "unit_year",
}  # fmt: skip
_SYMBOLS = {
    "KWH": "kWh", "MTR": "m", "MTK": "m²", "MTQ": "m³", "LTR": "l", "KGM": "kg", "TNE": "t", "KMT": "km",
}  # fmt: skip


def letter_data(view: InvoiceView) -> dict[str, Any]:
    """The template's data, as JSON can hold it: every amount and date already written in the reader's language."""
    invoice, texts = view.invoice, letter_texts(view.language)
    is_credit_note = invoice.head.kind is Kind.CREDIT_NOTE
    return {
        "language": view.language,
        "form": view.form.value,
        "texts": dict(texts),
        "title": texts["credit_note" if is_credit_note else "invoice"],
        "lines_title": texts["credit_lines" if is_credit_note else "lines"],
        "number": invoice.head.number,
        "sender": _sender(invoice.supplier, view),
        "recipient": list(view.recipient),
        "facts": _facts(view),
        "summary": _summary(view),
        "lines": [_line(line, view.language) for line in invoice.lines],
        "totals": _totals(view),
        "notes": [*invoice.notes, *([invoice.payment_terms] if _shows_terms(view) else [])],
        "payment": _payment(view) if view.form is Form.DEMAND else None,
        "information_text": texts["credit_text" if is_credit_note else "information_text"],
    }


def _shows_terms(view: InvoiceView) -> bool:
    return view.form is Form.DEMAND and bool(view.invoice.payment_terms)


def _sender(supplier: Party, view: InvoiceView) -> dict[str, Any]:
    return {
        "name": supplier.name,
        "address": ", ".join((*supplier.address_lines, f"{supplier.postal_code} {supplier.city}".strip())),
        "organisation_number": _grouped(view.invoice.head.source, 3, 3, 3),
        "phone": view.contact_phone,
        "email": view.contact_email,
    }


def _facts(view: InvoiceView) -> list[list[str]]:
    """The rows beside the address: label and value."""
    invoice, texts = view.invoice, letter_texts(view.language)
    is_credit_note = invoice.head.kind is Kind.CREDIT_NOTE
    starts, ends = (_day(text, view.language) for text in invoice.period)
    rows = [
        (texts["credit_note_number" if is_credit_note else "invoice_number"], invoice.head.number),
        (texts["original_number"], invoice.head.original_number),
        (texts["issued_on"], _date(invoice.head.issued_on, view.language)),
        (texts["due_on"], "" if view.form is Form.INFORMATION else _date(invoice.head.due_on, view.language)),
        (texts["customer_number"], invoice.head.buyer_reference),
        (texts["order_reference"], invoice.order_reference),
        (texts["period"], f"{starts} – {ends}" if starts and ends else starts or ends),
    ]
    return [[label, value] for label, value in rows if value]


def _summary(view: InvoiceView) -> dict[str, str]:
    """The one sum the reader looks for, and what it is."""
    texts = letter_texts(view.language)
    if view.invoice.head.kind is Kind.CREDIT_NOTE:
        label = "credited"
    elif view.form is Form.INFORMATION:
        label = "in_your_favour" if view.invoice.head.amount_ore < 0 else "to_pay"
    else:
        label = "will_be_drawn" if view.form is Form.NOTICE else "to_pay"
    is_owed_to_reader = label == "in_your_favour"
    amount_ore = -view.invoice.head.amount_ore if is_owed_to_reader else view.invoice.head.amount_ore
    return {"label": texts[label], "amount": _kroner(amount_ore, view.language)}


def _line(line: InvoiceLine, language: str) -> dict[str, str]:
    unit = letter_texts(language)[_UNITS[line.unit]] if line.unit in _UNITS else _SYMBOLS.get(line.unit, "")
    return {
        "name": line.name or line.description,
        "description": line.description if line.name and line.description != line.name else "",
        "quantity": f"{_decimal(line.quantity, language, '#,##0.######')} {unit}".strip(),
        "unit_price": _unit_price(line, language),
        "vat": f"{_decimal(line.vat_percent, language, '0.##')} %" if line.vat_percent else "",
        "amount": _decimal(line.amount, language, AMOUNT),
    }


def _unit_price(line: InvoiceLine, language: str) -> str:
    price = _decimal(line.unit_price, language, "#,##0.00####")
    if not price or line.base_quantity in ("", "1") or Decimal(line.base_quantity) == 1:
        return price
    return f"{price} / {_decimal(line.base_quantity, language, '#,##0.######')}"


def _totals(view: InvoiceView) -> list[list[str]]:
    """The rows under the lines, without the last and loudest one."""
    totals, texts, language = view.invoice.totals, letter_texts(view.language), view.language
    taxes = [tax for tax in view.invoice.taxes if _is_some(tax.tax) or len(view.invoice.taxes) > 1]
    rows = [
        (texts["allowance"], _negated(totals.allowance)),
        (texts["charge"], totals.charge if _is_some(totals.charge) else ""),
        (texts["excluding_tax"], totals.excluding_tax),
        *((_tax_label(tax, language), tax.tax) for tax in taxes),
        (texts["tax"], "" if taxes else totals.tax),
        (texts["including_tax"], totals.including_tax),
        (texts["prepaid"], _negated(totals.prepaid)),
        (texts["rounding"], totals.rounding if _is_some(totals.rounding) else ""),
    ]
    return [[label, _decimal(amount, language, AMOUNT)] for label, amount in rows if amount]


def _tax_label(tax: TaxSubtotal, language: str) -> str:
    percent, taxable = _decimal(tax.percent or "0", language, "0.##"), _decimal(tax.taxable, language, AMOUNT)
    return letter_texts(language)["tax_at"].format(percent=percent, taxable=taxable)


def _is_some(amount: str) -> bool:
    return bool(amount) and Decimal(amount) != 0


def _negated(amount: str) -> str:
    return str(-Decimal(amount)) if _is_some(amount) else ""


def _payment(view: InvoiceView) -> dict[str, str]:
    return {
        "kid": view.invoice.head.kid,
        "account": _grouped(view.account, 4, 2, 5),
        "amount": _kroner(view.invoice.head.amount_ore, view.language),
        "due_on": _date(view.invoice.head.due_on, view.language),
        "payee": view.invoice.supplier.name,
    }


def _grouped(digits: str, *sizes: int) -> str:
    """``86011117947`` as ``8601 11 17947``, with spaces that never break over two lines."""
    if len(digits) != sum(sizes):
        return digits
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return "\u00a0".join(digits[start : start + size] for start, size in zip(starts, sizes, strict=True))


def _kroner(amount_ore: int, language: str) -> str:
    return format_ore(amount_ore, _locale(language)).replace("-", MINUS)


def _decimal(text: str, language: str, pattern: str) -> str:
    try:
        return format_decimal(Decimal(text), format=pattern, locale=_locale(language)).replace("-", MINUS)
    except InvalidOperation:
        return text


def _date(date: dt.date, language: str) -> str:
    return format_date(date, format="long", locale=_locale(language))


def _day(text: str, language: str) -> str:
    return format_date(dt.date.fromisoformat(text[:10]), format="medium", locale=_locale(language)) if text else ""


def _locale(language: str) -> str:
    # British, not American: readers in Norway expect the day before the month.
    return "en_GB" if language == "en" else language
