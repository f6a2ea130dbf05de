"""Takes the customer register apart line by line, so that a spoilt line costs itself and never the file.

The format: UTF-8 (with a mark in front or without) or Windows-1252, ``;`` or ``,``, header row, columns in any order.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from app.core.errors import FileRejected
from app.residents.encodings import encoding_of
from app.residents.register_lines import LONGEST_RECORD, Lines, Progress

ADDRESS = ("address_line_1", "address_line_2", "postal_code", "city", "country")
COLUMNS = (
    *("customer_number", "kind", "national_id", "name", *ADDRESS),
    *("mobile", "email", "language", "address_protection", "deceased_on"),
)
REQUIRED = ("customer_number", "name")

_DELIMITERS = (";", ",")
# What an error text may repeat: something that looks like a column's name, and never a value that stands in its place.
_NAME_LIKE = re.compile(r"[a-zæøå][a-zæøå_ .-]{0,39}[1-9]?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DAMAGED = "holds control characters, as damaged and binary files do"


class Record(NamedTuple):
    """One row: its line in the file (1-based, the header counted) and the text of each column the file has."""

    row: int
    texts: dict[str, str]


class Unreadable(NamedTuple):
    """A row that could not be taken apart, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """An open register; ``columns`` are those the header names, in the file's order."""

    columns: tuple[str, ...]
    _lines: Lines
    _delimiter: str

    def records(self) -> Iterator[Record | Unreadable]:
        """Every row that says something. Blank lines, and rows of nothing but delimiters, do not."""
        width = len(self.columns)
        for row, line in self._lines:
            try:
                texts = self._take_apart(line)
            except ValueError as error:
                yield Unreadable(row, str(error))
                continue
            if len(texts) == width:
                if any(texts):
                    yield Record(row, dict(zip(self.columns, texts, strict=True)))
            elif any(texts):
                yield Unreadable(row, f"{len(texts)} fields where the header names {width}")

    def _take_apart(self, line: str | None) -> list[str]:
        if line is None:
            raise ValueError(f"longer than {LONGEST_RECORD} characters")
        if not line.isprintable() and _CONTROL.search(line):
            raise ValueError(_DAMAGED)
        if '"' not in line:
            return [text.strip() for text in line.split(self._delimiter)]
        try:
            texts = next(csv.reader(self._lines.following(line), delimiter=self._delimiter, strict=True))
        except csv.Error:
            # The quote may have swallowed rows that are whole in themselves.
            self._lines.take_back()
            raise ValueError("a quotation mark that is never closed, or stands where none may") from None
        if any(_CONTROL.search(text) for text in texts):
            raise ValueError(_DAMAGED)
        return [" ".join(text.split()) for text in texts]


@contextmanager
def open_register(path: Path, progress: Progress | None = None) -> Iterator[RegisterFile]:
    """The register in *path*, its header read. Raises `FileRejected` when the file or its header cannot be used."""
    try:
        encoding = encoding_of(path)
        with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=encoding) as text:
            lines = Lines(text, raw, progress)
            delimiter, columns = _read_header(path.name, lines)
            yield RegisterFile(columns, lines, delimiter)
            lines.report_progress()
    except OSError as error:
        raise FileRejected(path.name, f"cannot be read: {error.strerror}") from None


def _read_header(source: str, lines: Lines) -> tuple[str, tuple[str, ...]]:
    row, line = next(lines, (1, ""))
    if line is None:
        raise FileRejected(source, f"no header: the first row is longer than {LONGEST_RECORD} characters", row=row)
    if not line:
        raise FileRejected(source, "the file is empty")
    splits = [(delimiter, _names(line, delimiter)) for delimiter in _DELIMITERS]
    delimiter, names = max(splits, key=lambda split: len(set(split[1]).intersection(COLUMNS)))
    if not set(names).intersection(COLUMNS):
        raise FileRejected(source, f"no header: the first row must name columns, at least {' and '.join(REQUIRED)}")
    for number, name in enumerate(names, start=1):
        if name not in COLUMNS:
            raise FileRejected(source, f"unknown column {_shown(name, number)}", row=row)
        if names.count(name) > 1:
            raise FileRejected(source, "the column stands there twice", row=row, field=name)
    for name in REQUIRED:
        if name not in names:
            raise FileRejected(source, "the column is missing", row=row, field=name)
    return delimiter, tuple(names)


def _names(line: str, delimiter: str) -> list[str]:
    return [part.strip().strip('"').strip().lower() for part in line.split(delimiter)]


def _shown(name: str, number: int) -> str:
    return f"{name!r}" if _NAME_LIKE.fullmatch(name) else f"number {number}"
