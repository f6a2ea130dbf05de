"""Takes invoices in: from files to rows, in chunks that are stored whole or not at all.

Importing the same files again changes nothing. A run that dies leaves whole chunks behind, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.reports import ImportReport
from app.core.settings import Settings
from app.invoices.documents import document_store
from app.invoices.examine import Candidate, Examined
from app.invoices.models import Batch
from app.invoices.parallel import examine_chunks
from app.invoices.problems import IntakeProblem
from app.invoices.rows import RowMaker
from app.invoices.sources import InvoiceFile, invoice_files
from app.invoices.storing import (
    Known,
    NewInvoice,
    count_in,
    find_buyers,
    is_same,
    key_of,
    known_invoices,
    store_new,
)

CHUNK_FILES = 500
CHUNK_BYTES = 16_000_000

OnFile = Callable[[InvoiceFile, ImportReport], None]
"""Called once for each path on disk, when what it holds is committed or rejected, with the report of that path."""


Watch = Callable[[Iterator[InvoiceFile]], Iterable[InvoiceFile]]
"""Sees every file go by: a progress bar."""


def import_invoices(
    session: Session,
    paths: Iterable[Path],
    settings: Settings,
    clock: Clock,
    *,
    on_file: OnFile | None = None,
    watch: Watch = iter,
) -> ImportReport:
    """Take in every invoice under *paths*; commits chunk by chunk.

    Counts files. One whose invoice must be held, or whose attachment was dropped, is *created* and listed with the
    reason too. Makes one `Batch` when there is anything to read.
    """
    found = list(paths)
    intake = Intake(session, settings, clock, ", ".join(map(str, found))[:300], on_file)
    for files, examined in examine_chunks(chunks(watch(invoice_files(found, settings.max_file_bytes)))):
        intake.take(files, examined)
    return intake.finish()


def chunks(files: Iterable[InvoiceFile]) -> Iterator[list[InvoiceFile]]:
    """The files in lists of at most `CHUNK_FILES` and about `CHUNK_BYTES`, so that memory stays flat."""
    chunk: list[InvoiceFile] = []
    size = 0
    for file in files:
        chunk.append(file)
        size += len(file.xml) + len(file.pdf or b"")
        if len(chunk) == CHUNK_FILES or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


@dataclass(slots=True)
class Intake:
    """One run: takes examined chunks, and keeps count."""

    session: Session
    settings: Settings
    clock: Clock
    label: str
    on_file: OnFile | None
    report: ImportReport = field(default_factory=ImportReport)
    of_path: ImportReport = field(default_factory=ImportReport)
    batch: Batch | None = None

    def take(self, files: Sequence[InvoiceFile], examined: Sequence[Examined]) -> None:
        """Store one chunk, and report on each of its files."""
        batch = self.batch or self._open_batch()
        try:
            reports = self._store(batch.id, files, examined)
        except IntegrityError:
            # Another import stored one of these between our look-up and our insert: now the look-up finds it.
            self.session.rollback()
            reports = self._store(batch.id, files, examined)
        for file, report in zip(files, reports, strict=True):
            self.report.add(report)
            self.of_path.add(report)
            if file.is_last:
                if self.on_file:
                    self.on_file(file, self.of_path)
                self.of_path = ImportReport()

    def finish(self) -> ImportReport:
        """Close the batch; gives the report of the whole run."""
        if self.batch:
            self.batch.finished_at = self.clock.now()
            self.session.commit()
        return self.report

    def _open_batch(self) -> Batch:
        self.batch = Batch(source=self.label, started_at=self.clock.now(), finished_at=None)
        self.session.add(self.batch)
        self.session.commit()
        return self.batch

    def _store(self, batch_id: int, files: Sequence[InvoiceFile], examined: Sequence[Examined]) -> list[ImportReport]:
        candidates = [answer for answer in examined if isinstance(answer, Candidate)]
        known = known_invoices(self.session, candidates)
        buyers = find_buyers(self.session, candidates)
        documents = document_store(self.settings.documents_url)
        reports: list[ImportReport] = []
        fresh: list[NewInvoice] = []
        for file, answer in zip(files, examined, strict=True):
            if not isinstance(answer, Candidate):
                reports.append(_report(answer))
                continue
            invoice = NewInvoice(file, answer, buyers.of(answer))
            taken = known.get(key_of(answer))
            if taken is None:
                known[key_of(answer)] = Known(answer.digest, new=invoice)
                fresh.append(invoice)
                reports.append(_report_new(invoice))
            else:
                reports.append(_report_again(file, is_same=is_same(self.session, documents, taken, invoice)))
        store_new(self.session, documents, RowMaker.of(batch_id, self.settings, self.clock.now()), fresh)
        rejected = sum(1 for report in reports if not report.created and not report.unchanged)
        count_in(self.session, batch_id, len(fresh), rejected)
        self.session.commit()
        return reports


def _report_new(new: NewInvoice) -> ImportReport:
    report = _report(new.candidate.problems)
    report.created = 1
    if new.resident_id is None:
        reason = "the invoice is kept and held: the register has no such customer"
        report.reject(new.file.source, None, "AccountingCustomerParty", reason)
    return report


def _report_again(file: InvoiceFile, *, is_same: bool) -> ImportReport:
    if is_same:
        return ImportReport(read=1, unchanged=1)
    reason = "an invoice with this number was imported before, with different content; nothing was changed"
    return _report((IntakeProblem(file.source, None, "ID", reason),))


def _report(problems: Iterable[IntakeProblem]) -> ImportReport:
    report = ImportReport(read=1)
    for problem in problems:
        report.reject(*problem)
    return report
