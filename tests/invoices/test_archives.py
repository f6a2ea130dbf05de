"""Zip files, honest and not."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from app.invoices import archives
from app.invoices.archives import zip_files
from app.invoices.sources import invoice_files
from tests.invoices.builders import ehf, pdf

LIMIT = 2_000_000


def make_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def reasons(path: Path) -> list[str | None]:
    return [member.problem.reason if member.problem else None for member in zip_files(path, path.name, LIMIT)]


def test_invoices_come_with_the_pdf_beside_them_and_their_folder(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"sosial/1.xml": ehf("1"), "sosial/1.pdf": pdf(), "2.xml": ehf("2")})
    one, two = zip_files(path, "a.zip", LIMIT)
    assert (one.folder, one.xml, one.pdf) == ("sosial", ehf("1"), pdf())
    assert (two.folder, two.xml, two.pdf, two.source) == (None, ehf("2"), None, "a.zip!2.xml")


@pytest.mark.parametrize("name", ["../evil.xml", "/etc/evil.xml", "a/../../evil.xml", "..\\evil.xml", "C:\\evil.xml"])
def test_a_name_that_leads_out_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    path = make_zip(tmp_path / "in" / "a.zip", {name: ehf()})
    assert reasons(path) == ["the name leads out of the zip file"]
    assert [found.name for found in tmp_path.rglob("*") if found.is_file()] == ["a.zip"]


def test_a_bomb_is_refused_by_its_ratio_before_it_is_unpacked(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"bomb.xml": b" " * 1_900_000, "good.xml": ehf()})
    assert reasons(path) == ["the file unpacks to more than 200 times its packed size", None]


def test_a_member_over_the_size_limit_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"large.xml": b"x" * (LIMIT + 1)}, zipfile.ZIP_STORED)
    assert reasons(path) == [f"the file has {LIMIT + 1} bytes, more than MAX_FILE_BYTES allows ({LIMIT})"]


def test_a_member_that_lies_about_its_size_gives_no_more_than_it_said(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"lie.xml": b"a" * 1_500_000})
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, directory + 24, 100)
    path.write_bytes(bytes(data))
    (member,) = zip_files(path, "a.zip", LIMIT)
    assert len(member.xml) <= 100


def test_too_many_files_or_too_much_in_all_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_zip(tmp_path / "a.zip", {f"{number}.xml": ehf() for number in range(4)})
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    assert reasons(path) == ["the zip file has more than 3 files"]
    monkeypatch.setattr(archives, "MAX_MEMBERS", 4)
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 5000)
    assert reasons(path) == ["the zip file unpacks to more than 5000 bytes"]


def test_a_damaged_zip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04 not really")
    assert reasons(path) == ["the zip file is damaged (BadZipFile)"]
    make_zip(path, {"1.xml": ehf()}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"Strandgata", b"Strondgata"))
    assert reasons(path) == ["the file inside the zip is damaged (BadZipFile)"]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"1.xml": ehf()})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    data[6] |= 1
    path.write_bytes(bytes(data))
    assert reasons(path) == ["the file inside the zip is encrypted"]


def test_a_zip_in_a_zip_and_other_files_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"inner.zip": b"PK", "lonely.pdf": pdf()})
    assert reasons(path) == [
        "the file is no XML or PDF file",
        "there is no XML file of the same name that this PDF belongs to",
    ]


def test_an_empty_zip_is_told(tmp_path: Path) -> None:
    (found,) = invoice_files([make_zip(tmp_path / "a.zip", {})], LIMIT)
    assert found.problem
    assert found.problem.reason == "the zip file is empty"


def test_only_the_last_file_of_a_zip_is_marked_so(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {f"{number}.xml": ehf() for number in range(3)})
    assert [found.is_last for found in invoice_files([path], LIMIT)] == [False, False, True]
