"""The chain of the audit record: each row is linked to the one before it under a key that the database does not have.

A link is an HMAC over the link before and everything the row says, so a row that is changed, removed, put in or moved
breaks it; the head seals where the chain ends. The events of a transaction wait in its session and are written when it
commits, behind a lock on the head: the lock is taken last of all, so that it lives for the commit alone and can be part
of no deadlock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, bindparam, event, insert, select, update
from sqlalchemy.orm import Session, SessionTransaction

from app.core.audit import WAITING, AuditHead, AuditRecord, Waiting
from app.core.crypto import KeyFile, KeyRing
from app.core.dialect import insert_ignoring
from app.core.settings import Settings

OPTION = "audit_keys"
HEAD = 1
# What stands before the first row.
GENESIS = bytes(34)

_ID_BYTES = 2
_TABLE: Any = AuditRecord.__table__


class KeyMissing(ValueError):
    """A link was made under a key that is not in the key file."""


class Links:
    """Makes and checks links. New ones are made under the newest key; the key's id stands in front of each link."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def link(self, before: bytes, row: Mapping[str, Any], key_id: int | None = None) -> bytes:
        """The link of *row* (the columns of `AuditRecord` by name) after the link *before*. Raises `KeyMissing`."""
        return self._made(b"row\0" + before + canonical(row), key_id)

    def seal(self, last_id: int, count: int, link: bytes, key_id: int | None = None) -> bytes:
        """What the head carries, so that nobody without the key can move the end. Raises `KeyMissing`."""
        return self._made(b"head\0" + f"{last_id}:{count}:".encode() + link, key_id)

    def _made(self, content: bytes, key_id: int | None) -> bytes:
        number = self._ring.newest_id if key_id is None else key_id
        key = self._ring.keys.get(number)
        if key is None:
            raise KeyMissing(str(number))
        return number.to_bytes(_ID_BYTES) + hmac.digest(key, content, hashlib.sha256)


def key_id_of(link: bytes) -> int:
    """Which key *link* was made under."""
    return int.from_bytes(link[:_ID_BYTES])


def canonical(row: Mapping[str, Any]) -> bytes:
    """Everything *row* says, always as the same bytes."""
    at = row["at"].astimezone(dt.UTC).isoformat(timespec="microseconds")
    said = [row["id"], at, *(row[name] for name in ("actor", "event", "subject", "reason", "details"))]
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def prepare_chain(engine: Engine, settings: Settings) -> None:
    """Let every session on *engine* link what it records, under the keys in ``INSTANCE_DIR/keys/audit.keys``."""
    engine.update_execution_options(**{OPTION: audit_links(settings)})


def audit_links(settings: Settings) -> Links:
    """The links under this installation's keys; the first key is made when there is none."""
    settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Links(KeyRing.create(settings.keys_dir / KeyFile.AUDIT))


@dataclass(frozen=True, slots=True)
class _Head:
    last_id: int
    count: int
    link: bytes


def append(session: Session, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write *entries* at the end of the chain, in the transaction of *session*, which must commit at once.

    Raises RuntimeError where `prepare_chain` was not called.
    """
    links = session.connection().get_execution_options().get(OPTION)
    if not isinstance(links, Links):
        raise RuntimeError("this database has no keys for its audit record: call prepare_chain")
    head = _lock(session)
    if head is None:
        session.execute(insert_ignoring(session, AuditHead), _head_values(links, _Head(0, 0, GENESIS)))
        head = _lock(session) or _Head(0, 0, GENESIS)
    if head.count == 0:
        head = _link_old_rows(session, links)
    rows = []
    for entry in entries:
        row = {**entry, "id": head.last_id + 1}
        head = _Head(row["id"], head.count + 1, links.link(head.link, row))
        rows.append({**row, "link": head.link})
    session.execute(insert(_TABLE), rows)
    values = _head_values(links, head)
    session.execute(update(AuditHead.__table__).where(AuditHead.id == values.pop("id")).values(values))  # type: ignore[arg-type]


def _lock(session: Session) -> _Head | None:
    """Where the chain ends, with nobody else able to write on until the transaction ends.

    An UPDATE, since SQLite locks by writing alone, and refuses one who read first and writes after somebody else did.
    """
    table: Any = AuditHead.__table__
    statement = update(table).where(table.c.id == HEAD).values(id=HEAD)
    row = session.execute(statement.returning(table.c.last_id, table.c.count, table.c.link)).one_or_none()
    return None if row is None else _Head(row[0], row[1], row[2])


def _head_values(links: Links, head: _Head) -> dict[str, Any]:
    seal = links.seal(head.last_id, head.count, head.link)
    return {"id": HEAD, "last_id": head.last_id, "count": head.count, "link": head.link, "seal": seal}


def _link_old_rows(session: Session, links: Links) -> _Head:
    """The rows from before there was a chain become its beginning, in the order of their ids."""
    head, changes = _Head(0, 0, GENESIS), []
    for found in session.execute(select(_TABLE).order_by(_TABLE.c.id)).mappings():
        row: dict[str, Any] = dict(found)
        head = _Head(row["id"], head.count + 1, links.link(head.link, row))
        changes.append({"of": head.last_id, "new_link": head.link})
    if changes:
        linked = update(_TABLE).where(_TABLE.c.id == bindparam("of")).values(link=bindparam("new_link"))
        session.connection().execute(linked, changes)
    return head


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    waiting: list[Waiting] = session.info.get(WAITING, [])
    if not waiting or session.in_nested_transaction():
        return
    # Everything else first: the head is the last lock of the transaction.
    session.flush()
    append(session, [one.values for one in waiting])
    waiting.clear()


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, undone: SessionTransaction) -> None:
    """What stood in a savepoint that was undone goes, and what stood in savepoints within it."""
    waiting: list[Waiting] = session.info.get(WAITING, [])
    waiting[:] = [one for one in waiting if undone not in _around(one.savepoint)] if undone.nested else []


def _around(savepoint: SessionTransaction | None) -> Iterator[SessionTransaction]:
    while savepoint is not None:
        yield savepoint
        savepoint = savepoint.parent


@event.listens_for(Session, "after_transaction_end")
def _close(session: Session, ended: SessionTransaction) -> None:
    """A session that is closed without a word forgets what it did not write."""
    if ended.parent is None:
        session.info.pop(WAITING, None)


@event.listens_for(AuditRecord, "before_insert")
@event.listens_for(AuditRecord, "before_update")
@event.listens_for(AuditRecord, "before_delete")
def _only_by_record(*_arguments: object) -> None:
    raise TypeError("the audit record is only added to, and by app.core.audit.record alone")
