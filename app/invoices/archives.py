"""Reads invoice files out of a zip archive without ever writing one of its names to disk."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from app.invoices.problems import IntakeProblem

MAX_MEMBERS = 100_000
MAX_TOTAL_BYTES = 4_000_000_000
MAX_RATIO = 200
"""Unpacked size over packed size. XML of invoices packs 10 to 30 times; bombs begin near 1,000."""

_RATIO_FREE_BYTES = 1_000_000

_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


class ZipMember(NamedTuple):
    """One XML inside a zip, with the PDF beside it there, or the problem that kept it from being read."""

    source: str
    folder: str | None = None
    xml: bytes = b""
    pdf: bytes | None = None
    pdf_fault: str | None = None
    problem: IntakeProblem | None = None


def zip_files(path: Path, source: str, max_bytes: int) -> Iterator[ZipMember]:
    """Each invoice file in the zip at *path*, one unpacked at a time; *source* is the archive's name for reports."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            problem = _archive_problem(members)
            if problem:
                yield _refused(source, problem)
                return
            yield from _members(archive, members, source, max_bytes)
    # A damaged archive fails in as many ways as zipfile and zlib have parsers.
    except _FAULTS as error:
        yield _refused(source, f"the zip file is damaged ({type(error).__name__})")


def _archive_problem(members: list[zipfile.ZipInfo]) -> str | None:
    if len(members) > MAX_MEMBERS:
        return f"the zip file has more than {MAX_MEMBERS} files"
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL_BYTES:
        return f"the zip file unpacks to more than {MAX_TOTAL_BYTES} bytes"
    return None


def _members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], source: str, max_bytes: int
) -> Iterator[ZipMember]:
    safe = {member.filename: member for member in members if _is_safe(member.filename)}
    pdfs = {name[:-4]: member for name, member in safe.items() if name.lower().endswith(".pdf")}
    for member in members:
        place = f"{source}!{PurePosixPath(member.filename).name}"
        if member.filename not in safe:
            yield _refused(place, "the name leads out of the zip file")
        elif member.filename.lower().endswith(".xml"):
            yield _read(archive, member, pdfs, place, max_bytes)
        elif not member.filename.lower().endswith(".pdf"):
            yield _refused(place, "the file is no XML or PDF file")
    xmls = {name[:-4] for name in safe if name.lower().endswith(".xml")}
    for stem, member in pdfs.items():
        if stem not in xmls:
            place = f"{source}!{PurePosixPath(member.filename).name}"
            yield _refused(place, "there is no XML file of the same name that this PDF belongs to")


def _read(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, pdfs: Mapping[str, zipfile.ZipInfo], place: str, max_bytes: int
) -> ZipMember:
    xml, fault = _unpack(archive, member, max_bytes)
    if fault:
        return _refused(place, fault)
    folders = PurePosixPath(member.filename).parts[:-1]
    folder = folders[0] if folders else None
    beside = pdfs.get(member.filename[:-4])
    if beside is None:
        return ZipMember(place, folder, xml)
    pdf, pdf_fault = _unpack(archive, beside, max_bytes)
    return ZipMember(place, folder, xml, pdf or None, pdf_fault)


def _member_problem(member: zipfile.ZipInfo, max_bytes: int) -> str | None:
    if member.flag_bits & 0x1:
        return "the file inside the zip is encrypted"
    if member.file_size > max_bytes:
        return f"the file has {member.file_size} bytes, more than MAX_FILE_BYTES allows ({max_bytes})"
    if member.file_size > _RATIO_FREE_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        return f"the file unpacks to more than {MAX_RATIO} times its packed size"
    return None


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> tuple[bytes, str | None]:
    """The content of *member*, or why it was not unpacked."""
    problem = _member_problem(member, max_bytes)
    if problem:
        return b"", problem
    try:
        # The size in the directory may lie: never more than it is unpacked, whatever the stream holds.
        with archive.open(member) as file:
            return file.read(member.file_size), None
    except _FAULTS as error:
        return b"", f"the file inside the zip is damaged ({type(error).__name__})"


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and ":" not in name


def _refused(source: str, reason: str) -> ZipMember:
    return ZipMember(source, problem=IntakeProblem(source, None, None, reason))
