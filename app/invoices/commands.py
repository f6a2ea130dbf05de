"""``flask invoices import`` and ``flask payments import``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from flask.cli import AppGroup

from app.core.console import format_option, progress, say_report
from app.core.database import db
from app.core.errors import FileRejected
from app.core.here import surroundings
from app.core.inbox import archive, inbox_files, reject
from app.core.reports import ImportReport
from app.invoices.intake import Watch, import_invoices
from app.invoices.payments import import_payments
from app.invoices.sources import InvoiceFile, count_files

invoices_cli = AppGroup("invoices", help="Take invoices in, send them, and see what became of them.")
payments_cli = AppGroup("payments", help="Take in what was paid.")

_some_path = click.Path(exists=True, path_type=Path)
_some_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@invoices_cli.command("import")
@click.argument("paths", nargs=-1, type=_some_path, metavar="[PATH]...")
@format_option
def import_command(paths: tuple[Path, ...], output: str) -> None:
    """Import EHF / Peppol BIS 3 invoices and credit notes.

    PATH is an XML file, a folder or a zip file; a PDF may be embedded or lie beside as NAME.pdf. Without PATH the
    inbox is read: done files move to archive/, bad ones to rejected/ with a report beside. Importing the same files
    again changes nothing.
    """
    report = import_paths(paths) if paths else import_inbox()
    raise SystemExit(say_report(report, output))


def import_paths(paths: tuple[Path, ...]) -> ImportReport:
    """Import what an operator named; every file stays where it is."""
    settings, clock = surroundings()
    return import_invoices(db.session(), paths, settings, clock, watch=_bar(paths))


def import_inbox() -> ImportReport:
    """Import the drop folder ``invoices/``, and move each file away once its invoices are committed."""
    settings, clock = surroundings()
    folder = settings.inbox_dir / "invoices"
    if not folder.is_dir():
        return ImportReport()

    def move(file: InvoiceFile, report: ImportReport) -> None:
        now = clock.now()
        if report.created + report.unchanged:
            archive(settings.inbox_dir, Path(file.path), now)
        else:
            reject(settings.inbox_dir, Path(file.path), report, now)
        if file.pdf_path:
            archive(settings.inbox_dir, Path(file.pdf_path), now)

    return import_invoices(db.session(), [folder], settings, clock, on_file=move, watch=_bar((folder,)))


@payments_cli.command("import")
@click.argument("files", nargs=-1, type=_some_file, metavar="[FILE]...")
@format_option
def import_payments_command(files: tuple[Path, ...], output: str) -> None:
    """Import OCR giro files, and mark invoices as paid.

    A file is taken whole or not at all, and the same file again changes nothing. Without FILE the inbox is read.
    """
    raise SystemExit(say_report(import_payment_files(files) if files else import_payment_inbox(), output))


def import_payment_files(files: tuple[Path, ...]) -> ImportReport:
    """Import the files an operator named."""
    total = ImportReport()
    for path in progress(files, "Importing payments", len(files)):
        total.add(_import_payment_file(path)[0])
    return total


def import_payment_inbox() -> ImportReport:
    """Import the drop folder ``payments/``, and move each file away."""
    settings, clock = surroundings()
    files = inbox_files(settings.inbox_dir, "payments")
    total = ImportReport()
    for path in progress(files, "Importing payments", len(files)):
        report, is_taken = _import_payment_file(path)
        if is_taken:
            archive(settings.inbox_dir, path, clock.now())
        else:
            reject(settings.inbox_dir, path, report, clock.now())
        total.add(report)
    return total


def _import_payment_file(path: Path) -> tuple[ImportReport, bool]:
    settings, clock = surroundings()
    try:
        return import_payments(db.session(), path, settings, clock), True
    except FileRejected as error:
        report = ImportReport()
        report.reject(error.source, error.row, error.field, error.reason)
        return report, False


def _bar(paths: tuple[Path, ...]) -> Watch:
    def watch(files: Iterator[InvoiceFile]) -> Iterator[InvoiceFile]:
        return progress(files, "Importing invoices", count_files(paths))

    return watch
