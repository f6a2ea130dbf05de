"""Reads AvtaleGiro mandates (FBO) from the bank's 80-character files, through netsgiro and around its gaps.

Source: AvtaleGiro system specification 3.3, records NY210020/70/88 of assignment type 24, frame NY000010/89.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

from netsgiro import AssignmentType, RecordType, ServiceCode, records

from app.core.errors import FileRejected
from app.core.reports import ImportReport

WIDTH = 80
ENCODING = "iso-8859-1"

_KID_PLACE = slice(16, 41)
_KID = re.compile(r" *([0-9]{1,24}[0-9-])")
_CLASSES = {
    record.RECORD_TYPE: record
    for record in (
        *(records.TransmissionStart, records.TransmissionEnd, records.AssignmentStart, records.AssignmentEnd),
        *(records.TransactionAmountItem1, records.TransactionAmountItem2, records.TransactionAmountItem3),
        *(records.TransactionSpecification, records.AvtaleGiroAgreement),
    )
}


class Registration(IntEnum):
    """What a mandate record says, position 16."""

    COMPLETE_LIST = 0
    NEW_OR_CHANGED = 1
    DELETED = 2


class MandateRecord(NamedTuple):
    """One mandate of the file; ``row`` is its line, 1-based."""

    row: int
    account: str
    kid: str
    registration: Registration
    wants_notice: bool


@dataclass(slots=True)
class MandateFile:
    """What a file says. ``complete_accounts`` are those whose mandates the file lists in full."""

    source: str
    mandates: list[MandateRecord] = field(default_factory=list)
    complete_accounts: set[str] = field(default_factory=set)
    rejected: ImportReport = field(default_factory=ImportReport)


def read_mandates(path: Path, largest: int) -> MandateFile:
    """The mandates in *path*, a file of at most *largest* bytes; its counts and sums are checked.

    Raises `FileRejected`, naming the line, for anything that would leave doubt about the rest of the file. A record
    with an unusable KID is rejected alone, and so is an assignment that holds no mandates.
    """
    found = MandateFile(path.name)
    reader = _Reader(found)
    lines = _lines(path, largest)
    for row, line in enumerate(lines, start=1):
        reader.take(row, line)
    reader.end(len(lines))
    return found


class _Reader:
    """Follows a file record by record: frame, assignments, mandates, and the counts of each."""

    def __init__(self, found: MandateFile) -> None:
        self._found = found
        self._row = 0
        self._start: Any = None
        self._first_row = self._in_assignment = self._in_file = self._lists = 0
        self._is_begun = self._is_ended = False

    def take(self, row: int, line: str) -> None:
        """One line. Raises `FileRejected`."""
        self._row = row
        record = self._parse(line)
        if self._is_ended:
            raise self._refused("a record behind the file's end record (NY000089)")
        kind = record.RECORD_TYPE
        if not self._is_begun and kind != RecordType.TRANSMISSION_START:
            raise self._refused("the file does not begin with its start record (NY000010)")
        if kind == RecordType.TRANSMISSION_START:
            self._begin_file()
        elif kind == RecordType.TRANSMISSION_END:
            self._end_file(record)
        elif kind == RecordType.ASSIGNMENT_START:
            self._begin_assignment(record)
        elif self._start is None:
            raise self._refused("a record outside of any assignment: its start record (…20) is missing")
        elif kind == RecordType.ASSIGNMENT_END:
            self._end_assignment(record)
        else:
            self._take_transaction(record, line)

    def end(self, rows: int) -> None:
        """After the last line. Raises `FileRejected`."""
        self._row = rows
        if not self._is_ended:
            raise self._refused("the file is cut off: its end record (NY000089) is missing")
        if not self._lists:
            raise FileRejected(self._found.source, "holds no mandates (assignment type 24)")

    def _parse(self, line: str) -> Any:
        if len(line) != WIDTH:
            raise self._refused(f"{len(line)} characters where a record has {WIDTH}")
        number = line[6:8]
        kind = next((kind for kind in _CLASSES if f"{kind:02d}" == number), None)
        if kind is None:
            raise self._refused("no record type of AvtaleGiro or OCR giro in positions 7-8")
        if kind == RecordType.TRANSACTION_AGREEMENTS:
            # netsgiro knows KIDs of digits only, while mod11 also gives "-"; the KID is read from the line itself.
            line = line[: _KID_PLACE.start] + "0" * 25 + line[_KID_PLACE.stop :]
        try:
            return _CLASSES[kind].from_string(line)
        except (ValueError, TypeError, KeyError):
            # The library's own text repeats the whole line.
            raise self._refused(f"the record (type {number}) is not built as the specification says") from None

    def _begin_file(self) -> None:
        if self._is_begun:
            raise self._refused("a second start record (NY000010): one file, one transmission")
        self._is_begun = True

    def _begin_assignment(self, record: Any) -> None:
        if self._start is not None:
            raise self._refused("an assignment begins before the one before it has ended")
        self._start, self._first_row, self._in_assignment = record, self._row, 0
        if _is_mandate_list(record):
            self._lists += 1
        else:
            reason = "an assignment without mandates, which is not read here (payments: flask payments import)"
            self._found.rejected.reject(self._found.source, self._row, None, reason)

    def _take_transaction(self, record: Any, line: str) -> None:
        if not _is_mandate_list(self._start):
            return
        if record.RECORD_TYPE != RecordType.TRANSACTION_AGREEMENTS:
            raise self._refused("a record that is no mandate (NY219470) in an assignment of mandates")
        self._in_assignment += 1
        self._in_file += 1
        self._found.rejected.read += 1
        registration = Registration(record.registration_type)
        if registration is Registration.COMPLETE_LIST:
            self._found.complete_accounts.add(self._start.assignment_account)
        kid = _KID.fullmatch(line[_KID_PLACE])
        if kid is None:
            self._found.rejected.reject(self._found.source, self._row, "kid", "not digits, right-justified")
            return
        self._found.mandates.append(
            MandateRecord(self._row, self._start.assignment_account, kid[1], registration, record.notify)
        )

    def _end_assignment(self, record: Any) -> None:
        if record.num_records != self._row - self._first_row + 1:
            raise self._refused("the assignment's count of records is wrong")
        if _is_mandate_list(self._start):
            if record.num_transactions != self._in_assignment:
                raise self._refused("the assignment's count of transactions is wrong")
        else:
            self._in_file += record.num_transactions
        self._start = None

    def _end_file(self, record: Any) -> None:
        if self._start is not None:
            raise self._refused("the last assignment has no end record (…88)")
        if record.num_records != self._row:
            raise self._refused("the file's count of records is wrong")
        if record.num_transactions != self._in_file:
            raise self._refused("the file's count of transactions is wrong")
        self._is_ended = True

    def _refused(self, reason: str) -> FileRejected:
        return FileRejected(self._found.source, reason, row=self._row)


def _is_mandate_list(start: Any) -> bool:
    kind = (start.service_code, start.assignment_type)
    return kind == (ServiceCode.AVTALEGIRO, AssignmentType.AVTALEGIRO_AGREEMENTS)


def _lines(path: Path, largest: int) -> list[str]:
    """The lines without their ends; blank lines behind the last record, and a DOS end mark, do not count."""
    try:
        if path.stat().st_size > largest:
            raise FileRejected(path.name, f"larger than {largest} bytes (MAX_FILE_BYTES)")
        text = path.read_bytes().decode(ENCODING)
    except OSError as error:
        raise FileRejected(path.name, f"cannot be read: {error.strerror}") from None
    lines = list(_without_ends(text.rstrip("\x1a \r\n\t")))
    if not lines:
        raise FileRejected(path.name, "the file is empty")
    return lines


def _without_ends(text: str) -> Iterator[str]:
    # Not splitlines: ISO-8859-1 has signs that it takes for line ends.
    if text:
        yield from (line.removesuffix("\r") for line in text.split("\n"))
