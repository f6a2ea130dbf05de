"""Imports the customer register: a full export that comes every night, taken in batches that stand by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.crypto import vault
from app.core.national_id import NationalIdRules
from app.core.reports import ImportReport
from app.core.settings import Settings
from app.residents.register_batch import Item, Outcome, RegisterImport, apply_batch
from app.residents.register_digest import RowDigester
from app.residents.register_file import RegisterFile, Unreadable, open_register
from app.residents.register_lines import Progress
from app.residents.register_row import RowReader
from app.residents.transactions import commit

BATCH = 1_000
MOST_DEFERRED = 10_000

_log = structlog.get_logger(__name__)


def import_register(
    session: Session, path: Path, settings: Settings, clock: Clock, progress: Progress | None = None
) -> ImportReport:
    """Bring every resident up to date with the register file *path*; commits batch by batch.

    A run that is broken off has taken whole batches, and a second run finds those unchanged. ``row`` in the report is
    the line of the file, the header counted. Raises `FileRejected` before anything is stored.
    """
    report = ImportReport()
    with open_register(path, progress) as register:
        rules = national_id_rules(settings, clock)
        keys = vault(settings)
        reader = RowReader(rules, settings.default_language, clock.today())
        digester = RowDigester(keys, register.columns, f"{rules} {settings.default_language}")
        job = RegisterImport(path.name, reader, keys)
        deferred: list[Item] = []
        for batch in _batches(job, register, digester, report):
            waiting = {item.customer_number for item in deferred} if len(deferred) < MOST_DEFERRED else None
            outcome = _apply(session, job, batch, clock, waiting)
            deferred.extend(outcome.deferred)
            report.add(outcome.report)
        if deferred:
            report.add(_apply(session, job, deferred, clock, None).report)
    report.rejected.sort(key=lambda rejection: rejection.row or 0)
    _log.info("register imported", read=report.read, created=report.created, updated=report.updated,
              unchanged=report.unchanged, rejected=len(report.rejected))  # fmt: skip
    return report


def national_id_rules(settings: Settings, clock: Clock) -> NationalIdRules:
    """The rules for national ids in force today."""
    return NationalIdRules.on(
        clock.today(),
        synthetic="required" if settings.national_id_synthetic else "refused",
        allowed_offsets=frozenset(int(offset) for offset in settings.national_id_offsets),
        accepts_2032_rule_early=bool(settings.national_id_accepts_2032_rule),
    )


def _batches(
    job: RegisterImport, register: RegisterFile, digester: RowDigester, report: ImportReport
) -> Iterator[list[Item]]:
    """The rows in batches; those without a customer number, or with one that came before, are rejected here."""
    batch: list[Item] = []
    for record in register.records():
        number = "" if isinstance(record, Unreadable) else record.texts["customer_number"]
        if isinstance(record, Unreadable):
            report.read += 1
            report.reject(job.source, record.row, None, record.reason)
        elif not number or number in job.seen:
            report.read += 1
            reason = "the customer number stands in an earlier row" if number else "missing"
            report.reject(job.source, record.row, "customer_number", reason)
        else:
            job.seen.add(number)
            batch.append(Item(record, digester.digest(record.texts)))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _apply(session: Session, job: RegisterImport, batch: list[Item], clock: Clock, waiting: set[str] | None) -> Outcome:
    return commit(session, lambda: apply_batch(session, job, batch, clock.now(), waiting=waiting))
