from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from app.channels.contract import Consignment, Outcome, Result
from app.channels.paper import MANIFEST_COLUMNS, PaperBatch, harmless
from app.channels.postal import is_complete
from tests.channels.consignments import ADDRESS, consignment
from tests.conftest import make_settings

NAME = "paper-0000003"


def pdf(width: int, pages: int = 1) -> bytes:
    """A readable PDF whose pages are known again by their width."""
    writer, stream = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(width, 842)
    writer.write(stream)
    return stream.getvalue()


def letter(number: str, width: int = 595, pages: int = 1, **values: object) -> Consignment:
    return consignment(number, **{"pdf": pdf(width, pages), **values})


@pytest.fixture
def paper(tmp_path: Path) -> PaperBatch:
    return PaperBatch(make_settings(tmp_path))


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox" / "print"


def printed(paper: PaperBatch, outbox: Path, *letters: Consignment) -> tuple[list[dict[str, str]], PdfReader]:
    """Hand the letters over; gives the manifest's rows and the pages."""
    paper.prepare(NAME, letters)
    paper.hand_over(NAME)
    text = (outbox / NAME / "manifest.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";")), PdfReader(outbox / NAME / "letters.pdf")


def test_the_manifest_says_which_pages_are_whose(paper: PaperBatch, outbox: Path) -> None:
    rows, merged = printed(paper, outbox, letter("A", 501, 1), letter("B", 502, 2), letter("C", 503, 3))
    assert [(row["invoice"], row["first_page"], row["pages"]) for row in rows] == [
        ("A", "1", "1"), ("B", "3", "2"), ("C", "5", "3"),
    ]  # fmt: skip
    for row, width in zip(rows, (501, 502, 503), strict=True):
        first = int(row["first_page"]) - 1
        assert [page.mediabox.width for page in merged.pages[first : first + int(row["pages"])]] == [width] * int(
            row["pages"]
        )


def test_every_letter_begins_on_an_odd_page(paper: PaperBatch, outbox: Path) -> None:
    rows, merged = printed(paper, outbox, letter("A", pages=3), letter("B", pages=1), letter("C", pages=2))
    assert all(int(row["first_page"]) % 2 == 1 for row in rows)
    assert len(merged.pages) == 4 + 2 + 2


def test_each_letter_has_a_bookmark_with_its_number(paper: PaperBatch, outbox: Path) -> None:
    _, merged = printed(paper, outbox, letter("A"), letter("B"))
    assert [
        (item.title, merged.get_destination_page_number(item)) for item in merged.outline if not isinstance(item, list)
    ] == [("A", 0), ("B", 2)]


def test_the_manifest_has_the_agreed_columns_in_utf_8_with_mark_and_semicolons(paper: PaperBatch, outbox: Path) -> None:
    printed(paper, outbox, letter("A", witness_kind="notice", recipient_name="x"))
    content = (outbox / NAME / "manifest.csv").read_bytes()
    header, row, rest = content.split(b"\r\n")
    assert header == b"\xef\xbb\xbf" + ";".join(MANIFEST_COLUMNS).encode()
    assert row.decode() == "A;notice;10017;Kari Nordmann;Fjordgata 3;;4100;JØRPELAND;NO;1;1"
    assert rest == b""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("\t=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("+47 900 00 017", "+47 900 00 017"),
        ("-17", "-17"),
        ("Gata 1\r\n;=2", "Gata 1 ;=2"),
        ("Ærlig & Søn", "Ærlig & Søn"),
    ],
)
def test_no_text_can_be_a_formula_or_a_second_line(text: str, expected: str) -> None:
    assert harmless(text) == expected


def test_an_unreadable_letter_is_refused_and_the_rest_printed(paper: PaperBatch, outbox: Path) -> None:
    whole = pdf(595)
    bad = [
        letter("empty", pdf=b""),
        letter("text", pdf=b"not a PDF at all"),
        letter("cut", pdf=whole[: len(whole) // 3]),
        letter("locked", pdf=locked(whole)),
    ]
    results = paper.prepare(NAME, [*bad, letter("good")])
    assert [results[one.key] for one in bad] == [Result(Outcome.REFUSED, detail="unreadable_pdf")] * 4
    paper.hand_over(NAME)
    assert len(PdfReader(outbox / NAME / "letters.pdf").pages) == 2


def locked(content: bytes) -> bytes:
    writer, stream = PdfWriter(io.BytesIO(content)), io.BytesIO()
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("values", "is_whole"),
    [
        ({}, True),
        ({"country": "norge"}, True),
        ({"line_1": "", "line_2": "Postboks 1"}, True),
        ({"line_1": " ", "line_2": ""}, False),
        ({"postal_code": "410"}, False),
        ({"postal_code": ""}, False),
        ({"city": ""}, False),
        ({"country": "SE", "postal_code": "111 22"}, True),
        ({"country": "SE", "postal_code": "", "city": ""}, False),
    ],
)
def test_an_address_must_be_whole(paper: PaperBatch, values: dict[str, str], is_whole: bool) -> None:
    address = type(ADDRESS)(**{**{name: getattr(ADDRESS, name) for name in ADDRESS.__slots__}, **values})
    assert is_complete(address) is is_whole
    one = letter("A", recipient_address=address)
    expected = Outcome.ACCEPTED if is_whole else Outcome.REFUSED
    assert paper.prepare(NAME, [one])[one.key].outcome is expected


def test_a_batch_appears_whole_or_not_at_all(paper: PaperBatch, outbox: Path) -> None:
    paper.prepare(NAME, [letter("A")])
    assert os.listdir(outbox) == [f".{NAME}.ready"]  # noqa: PTH208 - hidden names count
    paper.hand_over(NAME)
    assert sorted(path.name for path in (outbox / NAME).iterdir()) == ["letters.pdf", "manifest.csv"]
    paper.hand_over(NAME)
    paper.discard(NAME)
    assert (outbox / NAME).is_dir()


def test_a_discarded_batch_leaves_nothing(paper: PaperBatch, outbox: Path) -> None:
    paper.prepare(NAME, [letter("A")])
    (outbox / f".{NAME}.part").mkdir()
    paper.discard(NAME)
    assert list(outbox.iterdir()) == []


def test_a_batch_of_refusals_writes_nothing(paper: PaperBatch, outbox: Path) -> None:
    paper.prepare(NAME, [letter("A", pdf=b"")])
    paper.hand_over(NAME)
    assert not outbox.exists()


def test_only_the_program_itself_may_read_the_batch(paper: PaperBatch, outbox: Path) -> None:
    printed(paper, outbox, letter("A"))
    assert (outbox / NAME).stat().st_mode & 0o777 == 0o700
    assert (outbox / NAME / "manifest.csv").stat().st_mode & 0o777 == 0o600
