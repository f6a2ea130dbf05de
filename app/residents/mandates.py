"""Imports AvtaleGiro mandates: who the bank says pays by AvtaleGiro, and whether the payer wants a notice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import RowMapping, Table, insert, select, update
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.dialect import one_of
from app.core.errors import FileRejected, SettingsInvalid
from app.core.kid import KidPositions, fixed_part
from app.core.reports import ImportReport
from app.core.settings import Settings
from app.residents.mandate_file import MandateFile, MandateRecord, Registration, read_mandates
from app.residents.models import Mandate
from app.residents.queries import chunks
from app.residents.transactions import commit

_TABLE: Table = Mandate.metadata.tables[Mandate.__tablename__]
_log = structlog.get_logger(__name__)


def import_mandates(
    session: Session,
    paths: Iterable[Path],
    settings: Settings,
    clock: Clock,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Import FBO files one after the other, each whole or not at all; a refused file stands in the report.

    *progress* is told the bytes of each file that is done. Mandates that a complete list ends without naming them
    count as updated.
    """
    report = ImportReport()
    for path in paths:
        try:
            report.add(import_mandate_file(session, path, settings, clock))
        except FileRejected as error:
            report.reject(error.source, error.row, error.field, error.reason)
        if progress is not None:
            progress(path.stat().st_size)
    return report


def import_mandate_file(session: Session, path: Path, settings: Settings, clock: Clock) -> ImportReport:
    """Import one FBO file and commit. Raises `FileRejected`, and then nothing of it was stored."""
    positions = kid_positions(settings)
    found = read_mandates(path, settings.max_file_bytes)

    def work() -> ImportReport:
        report = ImportReport()
        report.add(found.rejected)
        _renew_keys(session, positions)
        _Changes(session, positions, clock.now(), report).apply(found)
        return report

    report = commit(session, work)
    _log.info("mandates imported", read=report.read, created=report.created, updated=report.updated,
              unchanged=report.unchanged, rejected=len(report.rejected))  # fmt: skip
    return report


def kid_positions(settings: Settings) -> KidPositions | None:
    """The positions of a KID that a mandate fixes, None for all. Raises `SettingsInvalid`."""
    try:
        return KidPositions.parse(settings.avtalegiro_kid_fixed)
    except ValueError as error:
        raise SettingsInvalid(f"AVTALEGIRO_KID_FIXED: {error}") from None


class _Changes:
    """What one file changes, gathered and then written set by set."""

    def __init__(
        self, session: Session, positions: KidPositions | None, now: dt.datetime, report: ImportReport
    ) -> None:
        self._session, self._positions, self._now, self._report = session, positions, now, report
        self._created: list[dict[str, Any]] = []
        self._updated: list[dict[str, Any]] = []

    def apply(self, found: MandateFile) -> None:
        # The last word on a KID counts; what stands before it in the same file is already past.
        last = {mandate.kid: mandate for mandate in found.mandates}
        self._report.unchanged += len(found.mandates) - len(last)
        for group in chunks(last):
            stored = self._stored(group)
            for kid in group:
                self._take(last[kid], stored.get(kid))
        self._end_unlisted(found.complete_accounts, last)
        if self._created:
            self._session.execute(insert(Mandate), self._created)
        if self._updated:
            self._session.execute(update(Mandate), self._updated)

    def _stored(self, kids: list[str]) -> dict[str, RowMapping]:
        found = self._session.execute(select(_TABLE).where(one_of(self._session, _TABLE.c.kid, kids)).with_for_update())
        return {row["kid"]: row for row in found.mappings()}

    def _take(self, mandate: MandateRecord, stored: RowMapping | None) -> None:
        if mandate.registration is Registration.DELETED:
            is_open = stored is not None and stored["ended_at"] is None
            if stored is not None and is_open:
                self._end(stored["id"])
            else:
                self._report.unchanged += 1
            return
        brought = {
            "account": mandate.account,
            "kid_key": fixed_part(mandate.kid, self._positions),
            "wants_notice": mandate.wants_notice,
        }
        if stored is None:
            moments = {"registered_at": self._now, "updated_at": self._now, "ended_at": None}
            self._created.append(brought | moments | {"kid": mandate.kid})
            self._report.created += 1
        elif stored["ended_at"] is not None or any(stored[name] != value for name, value in brought.items()):
            registered_at = stored["registered_at"] if stored["ended_at"] is None else self._now
            moments = {"registered_at": registered_at, "updated_at": self._now, "ended_at": None}
            self._updated.append(brought | moments | {"id": stored["id"]})
            self._report.updated += 1
        else:
            self._report.unchanged += 1

    def _end(self, mandate_id: int) -> None:
        self._updated.append({"id": mandate_id, "updated_at": self._now, "ended_at": self._now})
        self._report.updated += 1

    def _end_unlisted(self, accounts: Iterable[str], last: Mapping[str, MandateRecord]) -> None:
        """A complete list ends what it does not name, of its own account alone."""
        for account in sorted(accounts):
            still_open = select(Mandate.id, Mandate.kid).where(Mandate.account == account, Mandate.ended_at.is_(None))
            for mandate_id, kid in self._session.execute(still_open).all():
                if kid not in last:
                    self._end(mandate_id)


def _renew_keys(session: Session, positions: KidPositions | None) -> None:
    """Bring every key up to date, in case the setting was changed since it was derived."""
    stored = session.execute(select(Mandate.id, Mandate.kid, Mandate.kid_key)).yield_per(1_000)
    changed = [
        {"id": mandate_id, "kid_key": key}
        for mandate_id, kid, stored_key in stored
        if (key := fixed_part(kid, positions)) != stored_key
    ]
    if changed:
        session.execute(update(Mandate), changed)
