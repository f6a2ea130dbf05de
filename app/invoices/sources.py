"""Finds the invoice files among what an operator or the inbox names: files, folders and zip archives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from app.invoices.archives import zip_files
from app.invoices.problems import IntakeProblem


class InvoiceFile(NamedTuple):
    """One file as it came: its XML with the PDF beside it, or the problem that kept it from being read.

    ``path``: what lies on disk (the zip for a file inside one), so that it can be moved away afterwards;
    ``is_last`` marks the last one from that path. ``pdf_path``: a PDF on disk that belongs with it, and ``pdf_fault``
    why it could not be read.
    ``category``: the name of the sub-folder.
    """

    path: str
    source: str
    category: str | None
    xml: bytes = b""
    pdf: bytes | None = None
    pdf_path: str | None = None
    pdf_fault: str | None = None
    is_last: bool = True
    problem: IntakeProblem | None = None


def invoice_files(paths: Iterable[Path], max_bytes: int) -> Iterator[InvoiceFile]:
    """Each invoice file under *paths*, read one at a time; no file larger than *max_bytes* is opened."""
    for path in paths:
        if path.is_dir():
            for parent, folders, names in os.walk(path):
                folders.sort()
                yield from _in_folder(Path(parent), Path(parent).relative_to(path).parts, names, max_bytes)
        else:
            beside = path.with_suffix(".pdf")
            names = [path.name, *([beside.name] if beside != path and beside.exists() else [])]
            yield from _in_folder(path.parent, (), names, max_bytes)


def count_files(paths: Iterable[Path]) -> int:
    """How many files lie under *paths*, for a progress bar; a zip counts as one."""
    return sum(sum(len(names) for _, _, names in os.walk(path)) if path.is_dir() else 1 for path in paths)


def _in_folder(folder: Path, inside: tuple[str, ...], names: Iterable[str], max_bytes: int) -> Iterator[InvoiceFile]:
    """The files of one folder; *inside* is its way from the place that was named. Paths stay text: it is faster."""
    category = inside[0] if inside else None
    within, shown = f"{folder}{os.sep}", "".join(f"{part}/" for part in inside)
    # What is hidden or still being written is left for the next run.
    visible = sorted(name for name in names if not name.startswith(".") and not name.endswith(".part"))
    pdfs = {name[:-4]: within + name for name in visible if name.lower().endswith(".pdf")}
    for name in visible:
        stem, _, ending = name.rpartition(".")
        path, source = within + name, shown + name
        match ending.lower():
            case "xml":
                yield _read(path, source, category, pdfs.pop(stem, None), max_bytes)
            case "pdf":
                continue
            case "zip":
                yield from _in_zip(path, source, category, max_bytes)
            case _:
                yield _unusable(path, source, category, "the file is no XML, PDF or zip file")
    for stem, path in pdfs.items():
        source = shown + path.removeprefix(within)
        yield _unusable(path, source, category, f"there is no {stem}.xml that this PDF belongs to")


def _unusable(path: str, source: str, category: str | None, reason: str) -> InvoiceFile:
    return InvoiceFile(path, source, category, problem=IntakeProblem(source, None, None, reason))


def _read(path: str, source: str, category: str | None, pdf_path: str | None, max_bytes: int) -> InvoiceFile:
    xml, fault = _read_bounded(path, max_bytes)
    if fault:
        return _unusable(path, source, category, fault)._replace(pdf_path=pdf_path)
    if pdf_path is None:
        return InvoiceFile(path, source, category, xml)
    pdf, pdf_fault = _read_bounded(pdf_path, max_bytes)
    return InvoiceFile(path, source, category, xml, pdf or None, pdf_path, pdf_fault)


def _read_bounded(path: str, max_bytes: int) -> tuple[bytes, str | None]:
    """The content of *path*, or why it was not read; its size is looked at first."""
    try:
        # Without blocking: a named pipe in the inbox must not stop the import.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return b"", f"the file cannot be read ({error.strerror})"
    try:
        size = os.fstat(descriptor).st_size
        if size > max_bytes:
            return b"", f"the file has {size} bytes, more than MAX_FILE_BYTES allows ({max_bytes})"
        return os.read(descriptor, size), None
    except OSError as error:
        return b"", f"the file cannot be read ({error.strerror})"
    finally:
        os.close(descriptor)


def _in_zip(path: str, source: str, category: str | None, max_bytes: int) -> Iterator[InvoiceFile]:
    waiting: InvoiceFile | None = None
    for member in zip_files(Path(path), source, max_bytes):
        if waiting:
            yield waiting
        waiting = InvoiceFile(
            path,
            member.source,
            category or member.folder,
            member.xml,
            member.pdf,
            pdf_fault=member.pdf_fault,
            is_last=False,
            problem=member.problem,
        )
    yield waiting._replace(is_last=True) if waiting else _unusable(path, source, category, "the zip file is empty")
