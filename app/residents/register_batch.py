"""Applies some register rows at once: few statements, whatever the number of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from sqlalchemy import RowMapping, Table, select
from sqlalchemy.orm import Session

from app.core.crypto import NationalIdVault
from app.core.dialect import one_of
from app.core.reports import ImportReport
from app.residents.models import Resident
from app.residents.national_id_claims import Claim, find_holders, refuse
from app.residents.register_file import Record
from app.residents.register_row import RegisterRow, RowReader, RowRefused
from app.residents.register_write import BatchWriter

_TABLE = cast(Table, Resident.__table__)
_TAKEN = "another resident has this national id"


class Item(NamedTuple):
    """A row with the digest it will be known by, None when it must be read every time."""

    record: Record
    digest: bytes | None

    @property
    def customer_number(self) -> str:
        """Whose row it is, as the file says."""
        return self.record.texts["customer_number"]


@dataclass(frozen=True, slots=True)
class RegisterImport:
    """What all batches of one import share; ``seen`` are the customer numbers the file has brought so far."""

    source: str
    reader: RowReader
    vault: NationalIdVault
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Outcome:
    """What became of a batch. Rows whose national id may yet become free are ``deferred``, and counted nowhere."""

    report: ImportReport = field(default_factory=ImportReport)
    deferred: list[Item] = field(default_factory=list)


class _Reading(NamedTuple):
    item: Item
    row: RegisterRow
    rejected: ImportReport
    indexes: list[bytes]


def apply_batch(
    session: Session, job: RegisterImport, items: list[Item], now: dt.datetime, *, waiting: Collection[str] | None
) -> Outcome:
    """Bring the residents of *items* up to date, without a commit.

    *waiting* are customer numbers deferred so far; None says that no more rows come, so nothing is deferred.
    Raises IntegrityError when someone else changed the same residents meanwhile: roll back and try again.
    """
    outcome = Outcome()
    known = _digests(session, [item.customer_number for item in items])
    changed = [item for item in items if item.digest is None or known.get(item.customer_number) != item.digest]
    outcome.report.unchanged = len(items) - len(changed)
    readings = [reading for item in changed if (reading := _read(job, item, outcome.report))]
    stored = _stored(session, [reading.row.customer_number for reading in readings])
    accepted = _settle_national_ids(session, job, readings, stored, waiting, outcome)
    writer = BatchWriter(session, job.vault, job.reader.default_language, now)
    writer.look_up_contacts(_stored_ids(accepted, stored))
    for reading in accepted:
        current = stored.get(reading.row.customer_number)
        if current is None:
            writer.create(reading.row, reading.indexes, reading.item.digest)
            outcome.report.created += 1
        elif writer.update(current, reading.row, reading.indexes, reading.item.digest):
            outcome.report.updated += 1
        else:
            outcome.report.unchanged += 1
        outcome.report.rejected.extend(reading.rejected.rejected)
    writer.write()
    outcome.report.read = len(items) - len(outcome.deferred)
    return outcome


def _stored_ids(accepted: list[_Reading], stored: Mapping[str, RowMapping]) -> list[int]:
    return [stored[reading.row.customer_number]["id"] for reading in accepted if reading.row.customer_number in stored]


def _read(job: RegisterImport, item: Item, report: ImportReport) -> _Reading | None:
    rejected = ImportReport()
    number = item.record.row

    def reject(name: str | None, reason: str) -> None:
        rejected.reject(job.source, number, name, reason)

    try:
        row = job.reader.read(number, item.record.texts, reject)
    except RowRefused as refused:
        report.reject(job.source, number, refused.name, refused.reason)
        return None
    return _Reading(item, row, rejected, job.vault.blind_indexes(row.national_id) if row.national_id else [])


def _digests(session: Session, numbers: list[str]) -> dict[str, bytes | None]:
    known = select(Resident.customer_number, Resident.register_digest)
    found = session.execute(known.where(one_of(session, Resident.customer_number, numbers)))
    return {row.customer_number: row.register_digest for row in found}


def _stored(session: Session, numbers: list[str]) -> dict[str, RowMapping]:
    if not numbers:
        return {}
    found = session.execute(select(_TABLE).where(one_of(session, _TABLE.c.customer_number, numbers)).with_for_update())
    return {row["customer_number"]: row for row in found.mappings()}


def _settle_national_ids(
    session: Session,
    job: RegisterImport,
    readings: list[_Reading],
    stored: Mapping[str, RowMapping],
    waiting: Collection[str] | None,
    outcome: Outcome,
) -> list[_Reading]:
    """The readings whose national id may stand; others are rejected, or deferred while its holder's row may come."""
    claims = [
        Claim(place, stored[row.customer_number]["id"] if row.customer_number in stored else None, indexes)
        for place, (_, row, _, indexes) in enumerate(readings)
        if row.has_national_id
    ]
    refusals = refuse(claims, find_holders(session, claims))
    accepted = []
    for place, reading in enumerate(readings):
        holder = refusals.taken.get(place)
        if place in refusals.repeated:
            outcome.report.reject(
                job.source, reading.row.row, "national_id", "the national id stands in an earlier row"
            )
        elif holder is None:
            accepted.append(reading)
        elif waiting is not None and (holder.customer_number not in job.seen or holder.customer_number in waiting):
            outcome.deferred.append(reading.item)
        else:
            outcome.report.reject(job.source, reading.row.row, "national_id", _TAKEN)
    return accepted
