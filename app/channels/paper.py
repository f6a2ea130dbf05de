"""Paper as a print batch: all letters in one PDF, and a manifest that says which pages go to whom."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from app.channels.contract import Consignment, Outcome, Result
from app.channels.outbox import HiddenPlace, private_file
from app.channels.postal import is_complete
from app.core.settings import Settings
from app.routing.channels import Channel

MANIFEST_COLUMNS = (
    "invoice", "kind", "customer_number", "name", "address_line_1", "address_line_2", "postal_code", "city",
    "country", "first_page", "pages",
)  # fmt: skip
DETAIL_UNREADABLE = "unreadable_pdf"
DETAIL_INCOMPLETE = "incomplete_address"

# Memory while merging grows by the letters' own size, so a batch is bounded.
MOST_LETTERS = 500

_PLAIN_NUMBER = re.compile(r"[+-]?[0-9][0-9 .,]*")
_FORMULA_STARTS = ("=", "+", "-", "@")


class PaperBatch:
    """A folder ``print/<name>/`` with ``letters.pdf`` and ``manifest.csv`` for whoever prints.

    Every letter begins on an odd page, so that the batch can be printed on both sides and cut by the manifest; a blank
    page after a letter of odd length is not counted in its ``pages``. Each letter has a bookmark with its number.
    """

    channel = Channel.PAPER
    batch_size = MOST_LETTERS

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.outbox_dir / "print"

    def prepare(self, name: str, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Write the batch as a hidden folder; one result a ``key``.

        Refused: ``incomplete_address`` and ``unreadable_pdf``. Raises FileExistsError for a name handed over before,
        OSError when the disk is full.
        """
        place, draft = HiddenPlace(self._folder, name), _Draft(name)
        for consignment in consignments:
            draft.add(consignment)
        if draft.letters:
            place.fill(draft.write)
        return draft.results

    def hand_over(self, name: str) -> None:
        """Rename the folder into place. Safe to repeat, even when the printer has taken it."""
        HiddenPlace(self._folder, name).publish()

    def discard(self, name: str) -> None:
        """Remove the hidden folder."""
        HiddenPlace(self._folder, name).discard()


@dataclass(frozen=True, slots=True)
class _Letter:
    consignment: Consignment
    first_page: int
    pages: int


class _Draft:
    """A batch under way."""

    def __init__(self, name: str) -> None:
        self.letters: list[_Letter] = []
        self.results: dict[str, Result] = {}
        self._name = name
        self._writer = PdfWriter()

    def add(self, consignment: Consignment) -> None:
        """Take the letter into the batch, or note why not."""
        self.results[consignment.key] = self._taken(consignment)

    def _taken(self, consignment: Consignment) -> Result:
        if not is_complete(consignment.recipient.address):
            return Result(Outcome.REFUSED, detail=DETAIL_INCOMPLETE)
        reader = read_letter(consignment.pdf)
        if reader is None:
            return Result(Outcome.REFUSED, detail=DETAIL_UNREADABLE)
        first_page, pages = len(self._writer.pages) + 1, len(reader.pages)
        self._writer.append(reader, outline_item=consignment.number, import_outline=False)
        if pages % 2:
            self._writer.add_blank_page()
        self.letters.append(_Letter(consignment, first_page, pages))
        return Result(Outcome.ACCEPTED, provider_reference=f"{self._name}/{first_page}")

    def write(self, folder: Path) -> None:
        """Put both files into the new *folder*."""
        folder.mkdir(mode=0o700)
        with os.fdopen(private_file(folder / "letters.pdf"), "wb") as letters:
            self._writer.write(letters)
        with os.fdopen(private_file(folder / "manifest.csv"), "w", encoding="utf-8-sig", newline="") as manifest:
            rows = csv.writer(manifest, delimiter=";")
            rows.writerow(MANIFEST_COLUMNS)
            rows.writerows(map(_row, self.letters))


def read_letter(pdf: bytes) -> PdfReader | None:
    """The letter, when it can be printed: readable to its last object, not locked, at least one page."""
    # The library raises its own errors for damage it knows, and whatever Python raises for damage it does not.
    with suppress(PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError):
        reader = PdfReader(io.BytesIO(pdf))
        if not reader.is_encrypted and len(reader.pages):
            # A trial, since a letter that breaks half-way into the batch could not be taken out again.
            PdfWriter().append(reader, import_outline=False)
            return reader
    return None


def _row(letter: _Letter) -> Iterable[str | int]:
    consignment, address = letter.consignment, letter.consignment.recipient.address
    texts = (
        consignment.number,
        consignment.witness_kind,
        consignment.recipient.customer_number,
        address.name or consignment.recipient.name,
        address.line_1,
        address.line_2,
        address.postal_code,
        address.city,
        address.country,
    )
    return (*map(harmless, texts), letter.first_page, letter.pages)


def harmless(text: str) -> str:
    """*text* on one line, and never a formula: spreadsheets run what begins with ``=``, ``+``, ``-`` or ``@``.

    Such a text gets an apostrophe in front; a plain number keeps its form.
    """
    line = " ".join(text.split())
    if line.startswith(_FORMULA_STARTS) and _PLAIN_NUMBER.fullmatch(line) is None:
        return f"'{line}"
    return line
