"""Takes in OCR giro files: every payment as a row, and invoices marked paid when their KID's payments cover them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.errors import FileRejected
from app.core.reports import ImportReport
from app.core.settings import Settings
from app.invoices.models import Closure, Invoice, Payment
from app.invoices.ocr import OcrPayment, content_lines, parse_ocr
from app.routing.channels import Kind

_CHUNK = 1000
# Accounting systems date invoices some days ahead; our judgement.
DATED_AHEAD = dt.timedelta(days=7)

Key = tuple[str, str]
"""Account and KID: a KID is one only together with the account it is paid to."""


def import_payments(session: Session, path: Path, settings: Settings, clock: Clock) -> ImportReport:
    """Take in one file, whole or not at all; the same file again changes nothing.

    Raises `FileRejected` naming the line. Payments with a KID that nobody knows are kept, and never stop a file: a
    municipality's account also takes in what other systems have invoiced. A reversal that leaves an invoice marked
    as paid uncovered is listed for a person.
    """
    data = _read(path, settings.max_file_bytes)
    payments = parse_ocr(data, path.name)
    digest = hashlib.sha256(b"\n".join(content_lines(data))).digest()
    unchanged = ImportReport(read=len(payments), unchanged=len(payments))
    if session.scalar(select(Payment.id).where(Payment.file_sha256 == digest).limit(1)):
        session.rollback()
        return unchanged
    report = ImportReport(read=len(payments), created=len(payments))
    try:
        _insert(session, payments, digest, clock)
        for kids in _chunked(sorted({payment.kid for payment in payments if payment.kid})):
            _close_paid(session, kids, clock, report, path.name)
        session.commit()
    except IntegrityError:
        # Another process took the same file in meanwhile.
        session.rollback()
        return unchanged
    return report


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        if path.stat().st_size > max_bytes:
            raise FileRejected(path.name, f"the file is larger than MAX_FILE_BYTES allows ({max_bytes})")
        return path.read_bytes()
    except OSError as error:
        raise FileRejected(path.name, f"the file cannot be read ({error.strerror})") from None


def _insert(session: Session, payments: Collection[OcrPayment], digest: bytes, clock: Clock) -> None:
    now = clock.now()
    rows = [{**payment._asdict(), "file_sha256": digest, "imported_at": now} for payment in payments]
    if rows:
        session.execute(insert(Payment), rows)


def _close_paid(session: Session, kids: list[str], clock: Clock, report: ImportReport, source: str) -> None:
    """Mark what these KIDs' payments cover. A KID may serve many invoices of one customer; another account's is not it.

    What was paid well before the first of them was issued was paid for something else: not every system's invoices come
    this way, nor from the beginning.
    """
    demands = select(Invoice).where(Invoice.kid.in_(kids), Invoice.kind == Kind.DEMAND)
    invoices: defaultdict[Key, list[Invoice]] = defaultdict(list)
    for invoice in session.scalars(demands.order_by(Invoice.due_on, Invoice.id)):
        invoices[str(invoice.account), str(invoice.kid)].append(invoice)
    first = {key: min(invoice.issued_on for invoice in found) - DATED_AHEAD for key, found in invoices.items()}
    paid = _paid(session, kids, first)
    now = clock.now()
    for key, found in invoices.items():
        settled = sum(invoice.amount_ore for invoice in found if invoice.closed_reason is Closure.PAID)
        rest = paid[key] - settled
        if rest < 0 and settled:
            reason = "payments with this KID were reversed, and no longer cover the invoices marked as paid"
            report.reject(source, None, "KID", reason)
        for invoice in covered([invoice for invoice in found if invoice.closed_at is None], rest):
            invoice.closed_at, invoice.closed_reason = now, Closure.PAID


def _paid(session: Session, kids: list[str], first: Mapping[Key, dt.date]) -> Mapping[Key, int]:
    """Whole øre paid with each account's KID since the day in *first*."""
    columns = (Payment.account, Payment.kid, Payment.settled_on)
    query = select(*columns, func.sum(Payment.amount_ore)).where(Payment.kid.in_(kids)).group_by(*columns)
    paid: defaultdict[Key, int] = defaultdict(int)
    for account, kid, settled_on, amount_ore in session.execute(query):
        if settled_on >= first.get((account, kid), dt.date.max):
            paid[account, kid] += int(amount_ore)
    return paid


def covered(invoices: list[Invoice], amount_ore: int) -> Iterator[Invoice]:
    """Which of these open invoices, earliest due first, *amount_ore* pays.

    The earliest due is paid first; an amount too small for it pays the one it equals, and otherwise waits for more.
    """
    waiting = list(invoices)
    while waiting:
        first = waiting[0]
        chosen = first if first.amount_ore <= amount_ore else _equal(waiting, amount_ore)
        if chosen is None:
            return
        yield chosen
        waiting.remove(chosen)
        amount_ore -= chosen.amount_ore


def _equal(invoices: list[Invoice], amount_ore: int) -> Invoice | None:
    return next((invoice for invoice in invoices if invoice.amount_ore == amount_ore), None)


def _chunked(items: list[str]) -> Iterator[list[str]]:
    source = iter(items)
    while chunk := list(islice(source, _CHUNK)):
        yield chunk
