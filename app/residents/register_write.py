"""Gathers what a batch of register rows changes, and writes it set by set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import RowMapping, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from app.core import audit
from app.core.crypto import NationalIdVault
from app.core.dialect import one_of
from app.residents.models import (
    AddressProtection,
    ClosedReason,
    ContactKind,
    ContactPoint,
    ContactSource,
    Resident,
    ResidentKind,
    StaleResident,
)
from app.residents.name_index import index_names
from app.residents.queries import find_resident_ids
from app.residents.register_contacts import Change, Point, decide
from app.residents.register_file import ADDRESS
from app.residents.register_row import RegisterRow

_Rows = list[dict[str, Any]]
_POINTS = cast(Table, ContactPoint.__table__)
_NO_ADDRESS = dict.fromkeys(ADDRESS, "")
_FRESH: dict[str, Any] = {
    "kind": ResidentKind.PERSON,
    "national_id_encrypted": None,
    "national_id_index": None,
    "organisation_number": None,
    "address_protection": AddressProtection.NONE,
    "deceased_on": None,
    **_NO_ADDRESS,
}
_WRITTEN = ("name", "language", *_FRESH)
# Nulls are written out, or rows with different ones would need a statement each.
_INSERT = insert(Resident).execution_options(render_nulls=True)
# A resident may confirm or remove a point while the batch is at work: then the batch fails and is decided anew.
_CLOSE = (
    update(_POINTS)
    .where(
        _POINTS.c.id == bindparam("point"),
        _POINTS.c.closed_at.is_(None),
        _POINTS.c.confirmed_at.is_(None),
        _POINTS.c.source != ContactSource.RESIDENT,
    )
    .values(closed_at=bindparam("at"), closed_reason=bindparam("reason"))
)
_SET_ASIDE = (
    update(_POINTS)
    .where(_POINTS.c.id == bindparam("point"), _POINTS.c.closed_reason == ClosedReason.WITHDRAWN)
    .values(closed_reason=bindparam("reason"))
)
_REOPEN = (
    update(_POINTS)
    .where(_POINTS.c.id == bindparam("point"), _POINTS.c.closed_reason == ClosedReason.WITHDRAWN)
    .values(
        source=ContactSource.REGISTER,
        registered_at=bindparam("at"),
        confirmed_at=None,
        closed_at=None,
        closed_reason=None,
    )
)


class BatchWriter:
    """The changes of one batch, written by `write` in an order that no UNIQUE is hurt by on the way."""

    def __init__(self, session: Session, vault: NationalIdVault, default_language: str, now: dt.datetime) -> None:
        self._session, self._vault, self._now = session, vault, now
        self._fresh = _FRESH | {"language": default_language, "created_at": now, "updated_at": now}
        self._points: dict[tuple[int, ContactKind], list[Point]] = defaultdict(list)
        self._created: list[dict[str, Any]] = []
        self._contacts_of_created: dict[str, dict[ContactKind, str]] = {}
        self._updated: list[dict[str, Any]] = []
        self._digests: list[dict[str, Any]] = []
        self._losing_id: list[int] = []
        self._renamed: dict[int, str] = {}
        self._changes: list[tuple[int, ContactKind, Change]] = []
        self._stale: set[int] = set()

    def look_up_contacts(self, resident_ids: list[int]) -> None:
        """Fetch the contact points, open and closed, of everyone that `update` will be told of."""
        if not resident_ids:
            return
        wanted = (
            *(ContactPoint.resident_id, ContactPoint.kind, ContactPoint.id, ContactPoint.value, ContactPoint.source),
            *(ContactPoint.confirmed_at.is_not(None), ContactPoint.closed_at, ContactPoint.closed_reason),
        )
        found = self._session.execute(
            select(*wanted).where(one_of(self._session, ContactPoint.resident_id, resident_ids))
        )
        for resident_id, kind, point_id, value, source, is_confirmed, closed_at, reason in found:
            closed = None if closed_at is None else reason or ClosedReason.REMOVED
            self._points[resident_id, kind].append(Point(point_id, value, source, is_confirmed, closed))

    def create(self, row: RegisterRow, indexes: list[bytes], digest: bytes | None) -> None:
        """Add a resident."""
        public_id = str(uuid.uuid4())
        values = self._fresh | row.columns | self._encrypted(row, indexes, public_id)
        values |= {"public_id": public_id, "customer_number": row.customer_number}
        values["register_digest"] = _lasting(row, values, digest)
        self._created.append(values)
        self._contacts_of_created[row.customer_number] = {kind: value for kind, value in row.contacts.items() if value}

    def update(self, current: RowMapping, row: RegisterRow, indexes: list[bytes], digest: bytes | None) -> bool:
        """Bring a resident up to date; whether anything but the digest changes."""
        resident_id: int = current["id"]
        brought = dict(row.columns)
        if row.has_national_id and not _is_same_id(current["national_id_index"], indexes):
            brought |= self._encrypted(row, indexes, current["public_id"])
            if current["national_id_index"] is not None:
                self._losing_id.append(resident_id)
        if brought.get("address_protection", current["address_protection"]) is not AddressProtection.NONE:
            brought |= _NO_ADDRESS
            self._note_removed_address(current)
        changes = {name: value for name, value in brought.items() if current[name] != value}
        if "name" in changes:
            self._renamed[resident_id] = changes["name"]
        lasting = _lasting(row, {**current, **brought}, digest)
        contact_changes = [
            (resident_id, kind, change)
            for kind, value in row.contacts.items()
            if (change := decide(self._points[resident_id, kind], value))
        ]
        self._changes.extend(contact_changes)
        if changes:
            kept = {name: current[name] for name in _WRITTEN}
            marks = {"id": resident_id, "register_digest": lasting, "updated_at": self._now}
            self._updated.append(kept | changes | marks)
        elif lasting != current["register_digest"]:
            self._digests.append({"id": resident_id, "register_digest": lasting})
        if changes or contact_changes:
            self._stale.add(resident_id)
        return bool(changes or contact_changes)

    def write(self) -> None:
        """Write everything gathered; the commit is the caller's."""
        session = self._session
        if self._losing_id:
            # Two residents may swap their numbers: both let go before either takes.
            session.execute(
                update(Resident)
                .where(Resident.id.in_(self._losing_id))
                .values(national_id_encrypted=None, national_id_index=None)
                .execution_options(synchronize_session=False)
            )
        for rows in (self._updated, self._digests):
            if rows:
                session.execute(update(Resident), rows)
        if self._created:
            session.execute(_INSERT, self._created)
            names, new = {row["customer_number"]: row["name"] for row in self._created}, dict[int, str]()
            for number, resident_id in find_resident_ids(session, self._contacts_of_created).items():
                self._stale.add(resident_id)
                new[resident_id] = names[number]
                for kind, value in self._contacts_of_created[number].items():
                    self._changes.append((resident_id, kind, Change(add=value)))
            index_names(session, new, are_new=True)
        index_names(session, self._renamed)
        self._write_contacts()
        if self._stale:
            session.execute(insert(StaleResident), [{"resident_id": stale} for stale in sorted(self._stale)])

    def _write_contacts(self) -> None:
        closing, aside, reopening, adding = _Rows(), _Rows(), _Rows(), _Rows()
        for resident_id, kind, change in self._changes:
            for point, reason in change.close.items():
                if reason is ClosedReason.WITHDRAWN:
                    closing.append({"point": point, "reason": reason, "at": self._now})
                else:
                    aside.append({"point": point, "reason": reason})
            if change.reopen:
                reopening.append({"point": change.reopen, "at": self._now})
            if change.add:
                adding.append(self._new_point(resident_id, kind, change))
        connection = self._session.connection()
        for statement, rows in ((_CLOSE, closing), (_SET_ASIDE, aside), (_REOPEN, reopening)):
            if rows:
                connection.execute(statement, rows)
        if adding:
            self._session.execute(insert(ContactPoint).execution_options(render_nulls=True), adding)

    def _new_point(self, resident_id: int, kind: ContactKind, change: Change) -> dict[str, Any]:
        return {
            "resident_id": resident_id,
            "kind": kind,
            "value": change.add,
            "source": ContactSource.REGISTER,
            "registered_at": self._now,
            "confirmed_at": None,
            "closed_at": self._now if change.add_closed else None,
            "closed_reason": change.add_closed,
        }

    def _encrypted(self, row: RegisterRow, indexes: list[bytes], public_id: str) -> dict[str, bytes | None]:
        if row.national_id is None:
            return {"national_id_encrypted": None, "national_id_index": None}
        encrypted = self._vault.encrypt(row.national_id, row=public_id)
        return {"national_id_encrypted": encrypted, "national_id_index": indexes[-1]}

    def _note_removed_address(self, current: RowMapping) -> None:
        if any(current[name] for name in ADDRESS):
            audit.record(
                self._session,
                at=self._now,
                actor="register import",
                event=audit.AuditEvent.ADDRESS_REMOVED,
                subject=f"resident:{current['public_id']}",
            )


def _lasting(row: RegisterRow, values: Mapping[str, Any], digest: bytes | None) -> bytes | None:
    """The digest to keep: none for a row with a bad field, which is to be told of again, nor under protection."""
    is_protected = values["address_protection"] is not AddressProtection.NONE
    return digest if row.is_clean and not is_protected else None


def _is_same_id(stored: bytes | None, indexes: list[bytes]) -> bool:
    return stored in indexes if indexes else stored is None
