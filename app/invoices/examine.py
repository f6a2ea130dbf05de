"""Everything about one invoice file that needs no database: parsed, checked, its PDF chosen. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from app.core.account import AccountInvalid, check_account
from app.core.kid import KidInvalid, check_kid
from app.invoices import fields
from app.invoices.attachments import choose_pdf, read_attachments
from app.invoices.ehf import parse_root
from app.invoices.head import InvoiceHead, read_head
from app.invoices.pdf import PdfUnreadable, check_pdf
from app.invoices.problems import IntakeProblem, InvoiceUnreadable
from app.invoices.sources import InvoiceFile
from app.routing.channels import Kind


class Candidate(NamedTuple):
    """An invoice that can be stored.

    ``kid`` and ``account`` are in the form to keep, None where there is none. ``digest``: SHA-256 of the files as they
    came. ``pdf`` is readable. ``problems`` are what was dropped, or must hold the invoice.
    """

    head: InvoiceHead
    kid: str | None
    has_wrong_kid: bool
    account: str | None
    has_wrong_account: bool
    digest: bytes
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
        root = parse_root(file.xml, file.source)
        head = read_head(root, file.source)
    except InvoiceUnreadable as error:
        return error.problems
    problems: list[IntakeProblem] = []
    kid, has_wrong_kid = _kid(head, file.source, problems)
    account, has_wrong_account = _account(head, file.source, problems)
    return Candidate(
        head,
        kid,
        has_wrong_kid,
        account,
        has_wrong_account,
        _digest(file),
        _pdf(file, root, head, problems),
        tuple(problems),
    )


def _digest(file: InvoiceFile) -> bytes:
    digest = hashlib.sha256(file.xml)
    if file.pdf is not None:
        digest.update(hashlib.sha256(file.pdf).digest())
    return digest.digest()


def _pdf(file: InvoiceFile, root: Any, head: InvoiceHead, problems: list[IntakeProblem]) -> bytes | None:
    """The invoice's own PDF: the one beside the XML, else the one embedded in it."""
    if file.pdf_fault:
        problems.append(IntakeProblem(file.source, None, "PDF beside", f"{file.pdf_fault}; a PDF will be made"))
        return None
    if file.pdf is not None:
        return _readable(file.pdf, file.source, "PDF beside", problems)
    return _embedded(root, head, file.source, problems) if head.has_attachments else None


def _embedded(root: Any, head: InvoiceHead, source: str, problems: list[IntakeProblem]) -> bytes | None:
    attachments = read_attachments(fields.find_attachments(root))
    chosen = choose_pdf(attachments, head.number)
    for other in attachments:
        if other is not chosen:
            reason = "the attachment was dropped: only one PDF, the invoice itself, is sent"
            problems.append(IntakeProblem(source, None, "EmbeddedDocumentBinaryObject", reason))
    if chosen is None:
        return None
    return _readable(chosen.content or b"", source, "EmbeddedDocumentBinaryObject", problems)


def _readable(data: bytes, source: str, field: str, problems: list[IntakeProblem]) -> bytes | None:
    try:
        check_pdf(data)
    except PdfUnreadable as error:
        problems.append(IntakeProblem(source, None, field, f"{error}; it was dropped, and a PDF will be made"))
        return None
    return data


def _kid(head: InvoiceHead, source: str, problems: list[IntakeProblem]) -> tuple[str | None, bool]:
    try:
        return check_kid(head.kid), False
    except KidInvalid as error:
        if head.kind is not Kind.DEMAND:
            return None, False
        reason = f"the invoice is kept and held: the KID is wrong ({error.reason.value})"
        problems.append(IntakeProblem(source, None, "PaymentID", reason))
        return head.kid[:40] or None, True


def _account(head: InvoiceHead, source: str, problems: list[IntakeProblem]) -> tuple[str | None, bool]:
    account, fault = _checked_account(head.account)
    if account or head.kind is not Kind.DEMAND:
        return account, False
    reason = f"the invoice is kept and held: the account number is wrong ({fault})"
    problems.append(IntakeProblem(source, None, "PayeeFinancialAccount", reason))
    return head.account[:40] or None, True


@lru_cache(maxsize=64)
def _checked_account(text: str) -> tuple[str | None, str]:
    try:
        return check_account(text), ""
    except AccountInvalid as error:
        return None, error.reason.value
