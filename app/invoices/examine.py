"""Everything about one invoice file that needs no database: parsed, checked, its PDF chosen. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from app.core.account import AccountInvalid, check_account
from app.core.kid import KidInvalid, check_kid
from app.invoices.attachments import choose_pdf
from app.invoices.ehf import ParsedInvoice, parse_invoice
from app.invoices.pdf import PdfUnreadable, check_pdf
from app.invoices.problems import IntakeProblem, InvoiceUnreadable
from app.invoices.sources import InvoiceFile
from app.routing.channels import Kind


class Candidate(NamedTuple):
    """An invoice that can be stored. ``problems`` are what was dropped or must hold it; ``pdf`` is readable."""

    source: str
    number: str
    kind: Kind
    issued_on: dt.date
    due_on: dt.date
    amount_ore: int
    kid: str | None
    has_wrong_kid: bool
    account: str | None
    has_wrong_account: bool
    buyer_reference: str
    buyer_organisation: str
    accounting_cost: str
    original_number: str
    content_sha256: bytes
    pdf: bytes | None
    problems: tuple[IntakeProblem, ...]


Examined = Candidate | tuple[IntakeProblem, ...]
"""What came of a file: an invoice, or the reasons why it is none."""


def examine_all(files: Sequence[InvoiceFile]) -> list[Examined]:
    """One answer a file, in order."""
    return [examine(file) for file in files]


def examine(file: InvoiceFile) -> Examined:
    """Read and check one file; never raises for what a file holds."""
    if file.problem:
        return (file.problem,)
    try:
        parsed = parse_invoice(file.xml, file.source)
    except InvoiceUnreadable as error:
        return error.problems
    problems: list[IntakeProblem] = []
    pdf = _pdf(file, parsed, problems)
    kid, has_wrong_kid = _kid(parsed, file.source, problems)
    account, has_wrong_account = _account(parsed, file.source, problems)
    return Candidate(
        parsed.source,
        parsed.number,
        parsed.kind,
        parsed.issued_on,
        parsed.due_on,
        parsed.amount_ore,
        kid,
        has_wrong_kid,
        account,
        has_wrong_account,
        parsed.buyer_reference,
        parsed.buyer.organisation_number,
        parsed.accounting_cost,
        parsed.original_number,
        _digest(parsed, file.pdf),
        pdf,
        tuple(problems),
    )


def _digest(parsed: ParsedInvoice, pdf_beside: bytes | None) -> bytes:
    """Equal content means: equal XML (see `ParsedInvoice.content_sha256`) and the same PDF beside it."""
    if pdf_beside is None:
        return parsed.content_sha256
    return hashlib.sha256(parsed.content_sha256 + hashlib.sha256(pdf_beside).digest()).digest()


def _pdf(file: InvoiceFile, parsed: ParsedInvoice, problems: list[IntakeProblem]) -> bytes | None:
    """The invoice's own PDF: the one beside the XML, else the one embedded in it."""
    if file.pdf_fault:
        problems.append(IntakeProblem(file.source, None, "PDF beside", f"{file.pdf_fault}; a PDF will be made"))
        return None
    if file.pdf is not None:
        return _readable(file.pdf, file.source, "PDF beside", problems)
    if not parsed.attachments:
        return None
    attachment = choose_pdf(parsed.attachments, parsed.number)
    for other in parsed.attachments:
        if other is not attachment:
            reason = "the attachment was dropped: only one PDF, the invoice itself, is sent"
            problems.append(IntakeProblem(file.source, None, "EmbeddedDocumentBinaryObject", reason))
    if attachment is None:
        return None
    return _readable(attachment.content or b"", file.source, "EmbeddedDocumentBinaryObject", problems)


def _readable(data: bytes, source: str, field: str, problems: list[IntakeProblem]) -> bytes | None:
    try:
        check_pdf(data)
    except PdfUnreadable as error:
        problems.append(IntakeProblem(source, None, field, f"{error}; it was dropped, and a PDF will be made"))
        return None
    return data


def _kid(parsed: ParsedInvoice, source: str, problems: list[IntakeProblem]) -> tuple[str | None, bool]:
    try:
        return check_kid(parsed.kid), False
    except KidInvalid as error:
        if parsed.kind is not Kind.DEMAND:
            return None, False
        reason = f"the invoice is kept and held: the KID is wrong ({error.reason.value})"
        problems.append(IntakeProblem(source, None, "PaymentID", reason))
        return parsed.kid[:40] or None, True


def _account(parsed: ParsedInvoice, source: str, problems: list[IntakeProblem]) -> tuple[str | None, bool]:
    account, fault = _checked_account(parsed.account)
    if account or parsed.kind is not Kind.DEMAND:
        return account, False
    reason = f"the invoice is kept and held: the account number is wrong ({fault})"
    problems.append(IntakeProblem(source, None, "PayeeFinancialAccount", reason))
    return parsed.account[:40] or None, True


@lru_cache(maxsize=64)
def _checked_account(text: str) -> tuple[str | None, str]:
    try:
        return check_account(text), ""
    except AccountInvalid as error:
        return None, error.reason.value
