"""OCR giro files from the bank as plain payments; wraps netsgiro's record parser.

netsgiro itself loses line numbers and refuses a KID that ends in ``-`` (mod11), so lines are parsed one by one.
Source of the layout: OCR giro system manual; characters are ISO-8859-1, 80 a line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from netsgiro import records

from app.core.errors import FileRejected

LINE_LENGTH = 80
REVERSALS = frozenset({"18", "20"})
"""Transaction types that take money back: reversing with KID, reversing with text."""

_KID = slice(49, 74)


class OcrPayment(NamedTuple):
    """One transaction. ``row``: the line its first record stands on, 1-based; ``amount_ore`` below 0 is money back."""

    row: int
    account: str
    kid: str
    amount_ore: int
    transaction_type: str
    settled_on: dt.date


def parse_ocr(data: bytes, source: str) -> list[OcrPayment]:
    """Every transaction of the file; raises `FileRejected` naming the line for anything that is not as it should be.

    The counts of the end records must be right. Sums are checked where there is no reversal, since the manual does
    not say how those count.
    """
    lines = data.decode("iso-8859-1").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise FileRejected(source, "the file is empty")
    reader = _Reader(source)
    for row, line in enumerate(lines, 1):
        reader.take(row, line.removesuffix("\r"))
    return reader.finish(len(lines))


class _Reader:
    """Follows the frame 10 (20 … 88)* 89, and collects the payments."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.payments: list[OcrPayment] = []
        self.account: str | None = None
        self.first_row = self.first_payment = 0
        self.has_begun = self.has_ended = False

    def take(self, row: int, line: str) -> None:
        """One line."""
        record = self._parse(row, line)
        if self.has_ended or self.has_begun == isinstance(record, records.TransmissionStart):
            raise self._wrong(row, "the record stands outside a transmission (start record 10, end record 89)")
        if self._is_misplaced(record):
            raise self._wrong(row, "the record stands outside its assignment (start record 20, end record 88)")
        match record:
            case records.TransmissionStart():
                self.has_begun = True
            case records.TransmissionEnd():
                self._check(record, row, self.payments, row)
                self.has_ended = True
            case records.AssignmentStart():
                self.account = record.assignment_account
                self.first_row, self.first_payment = row, len(self.payments)
            case records.AssignmentEnd():
                self._check(record, row, self.payments[self.first_payment :], row - self.first_row + 1)
                self.account = None
            case records.TransactionAmountItem1():
                self.payments.append(self._payment(record, row, line))
            case _:
                pass  # the second and third record of a transaction add nothing we keep

    def finish(self, row: int) -> list[OcrPayment]:
        """All payments, once the end record has been seen."""
        if not self.has_ended:
            raise self._wrong(row, "the file ends without its end record (89): it is cut off")
        return self.payments

    def _parse(self, row: int, line: str) -> Any:
        if len(line) != LINE_LENGTH:
            raise self._wrong(row, f"the line has {len(line)} characters, not {LINE_LENGTH}")
        if line[2:4] not in ("00", "09"):
            raise self._wrong(row, "this is no OCR giro file: the record belongs to another service")
        try:
            record: Any = records.parse(_digits_only(line))[0]
        # netsgiro answers what it cannot read with any of these, and quotes the line, which holds an account.
        except (ValueError, KeyError, TypeError):
            raise self._wrong(row, "the record is not as the OCR giro manual has it") from None
        return record

    def _is_misplaced(self, record: Any) -> bool:
        is_frame = isinstance(record, (records.TransmissionStart, records.TransmissionEnd, records.AssignmentStart))
        return is_frame is (self.account is not None)

    def _payment(self, record: Any, row: int, line: str) -> OcrPayment:
        transaction_type = line[4:6]
        is_back = record.sign == "-" or transaction_type in REVERSALS
        amount_ore = -record.amount if is_back else record.amount
        return OcrPayment(row, str(self.account), line[_KID].strip(), amount_ore, transaction_type, record.nets_date)

    def _check(self, record: Any, row: int, payments: Iterable[OcrPayment], record_count: int) -> None:
        found = list(payments)
        if (record.num_transactions, record.num_records) != (len(found), record_count):
            raise self._wrong(row, "the counts in the end record are not those of the file: something is missing")
        amounts = [payment.amount_ore for payment in found]
        if min(amounts, default=0) >= 0 and sum(amounts) != record.total_amount:
            raise self._wrong(row, "the sum in the end record is not that of the transactions")

    def _wrong(self, row: int, reason: str) -> FileRejected:
        return FileRejected(self.source, reason, row=row)


def _digits_only(line: str) -> str:
    """The line with a KID's final ``-`` made a digit, for netsgiro."""
    if line[6:8] != "30" or line[73] != "-":
        return line
    return f"{line[:73]}0{line[74:]}"


def content_lines(data: bytes) -> Iterator[bytes]:
    """The lines without their line ends, so that the same file sent by another way is recognised."""
    return (line.rstrip(b"\r") for line in data.strip().split(b"\n"))
