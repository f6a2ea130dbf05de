"""``flask residents import`` and ``flask mandates import``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import AppGroup

from app.core.console import fail, format_option, say_report
from app.core.database import db
from app.core.errors import AppError, FileRejected
from app.core.here import surroundings
from app.core.inbox import archive, inbox_files, reject
from app.core.reports import ImportReport
from app.residents.mandates import import_mandate_file
from app.residents.register import import_register
from app.residents.register_lines import Progress

ImportFile = Callable[[Path, Progress], ImportReport]

residents_cli = AppGroup("residents", help="The customer register: who is invoiced.")
mandates_cli = AppGroup("mandates", help="AvtaleGiro mandates, as the bank tells of them.")

_some_file = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@residents_cli.command("import")
@click.argument("file", required=False, type=_some_file)
@format_option
def import_residents_command(file: Path | None, output: str) -> None:
    """Import the customer register, a full export as CSV.

    Bring it again and again: only what changed is touched, and who is absent stays. A bad field keeps its old value,
    and is reported with its row. Without FILE the inbox is read: done files move to archive/, unusable ones to
    rejected/ with a report beside.
    """
    report = import_residents([file]) if file else import_residents_inbox()
    raise SystemExit(say_report(report, output))


@mandates_cli.command("import")
@click.argument("files", nargs=-1, type=_some_file, metavar="[FILE]...")
@format_option
def import_mandates_command(files: tuple[Path, ...], output: str) -> None:
    """Import AvtaleGiro mandates (FBO) from the bank's files of 80 characters a line.

    A file is taken whole or not at all, and the same file again changes nothing. Files are taken in the order given.
    Without FILE the inbox is read: done files move to archive/, unusable ones to rejected/ with a report beside.
    """
    report = import_mandates_files(files) if files else import_mandates_inbox()
    raise SystemExit(say_report(report, output))


def import_residents(paths: Sequence[Path]) -> ImportReport:
    """Import register files that an operator named; they stay where they are."""
    return _import(paths, "Importing residents", _register_importer(), is_inbox=False)


def import_residents_inbox() -> ImportReport:
    """Import the drop folder ``register/``, oldest name first, and move each file away."""
    return _import(_waiting("register"), "Importing residents", _register_importer(), is_inbox=True)


def import_mandates_files(paths: Sequence[Path]) -> ImportReport:
    """Import FBO files that an operator named; they stay where they are."""
    return _import(paths, "Importing mandates", _mandate_importer(), is_inbox=False)


def import_mandates_inbox() -> ImportReport:
    """Import the drop folder ``mandates/``, oldest name first, and move each file away."""
    return _import(_waiting("mandates"), "Importing mandates", _mandate_importer(), is_inbox=True)


def _import(paths: Sequence[Path], label: str, import_file: ImportFile, *, is_inbox: bool) -> ImportReport:
    settings, clock = surroundings()
    total = ImportReport()
    with _bar(label, paths) as progress:
        for path in paths:
            try:
                report = import_file(path, progress)
            except FileRejected as error:
                report = ImportReport()
                report.reject(error.source, error.row, error.field, error.reason)
                if is_inbox:
                    reject(settings.inbox_dir, path, report, clock.now())
            except AppError as error:
                fail(error)
            else:
                if is_inbox:
                    archive(settings.inbox_dir, path, clock.now())
            total.add(report)
    return total


def _register_importer() -> ImportFile:
    settings, clock = surroundings()
    return lambda path, progress: import_register(db.session(), path, settings, clock, progress)


def _mandate_importer() -> ImportFile:
    settings, clock = surroundings()

    def import_file(path: Path, progress: Progress) -> ImportReport:
        report = import_mandate_file(db.session(), path, settings, clock)
        progress(path.stat().st_size)
        return report

    return import_file


def _waiting(folder: str) -> list[Path]:
    settings, _ = surroundings()
    return inbox_files(settings.inbox_dir, folder)


@contextmanager
def _bar(label: str, paths: Sequence[Path]) -> Iterator[Progress]:
    """A progress bar over the bytes of all files, when standard error is a terminal."""
    if not sys.stderr.isatty() or not paths:
        yield lambda _read: None
        return
    total = sum(path.stat().st_size for path in paths)
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield bar.update
