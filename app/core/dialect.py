"""Every difference between SQLite and PostgreSQL, in one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from enum import IntEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Delete,
    Engine,
    Select,
    Table,
    and_,
    any_,
    bindparam,
    delete,
    event,
    func,
    select,
    text,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert

SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    # FULL, not NORMAL: with NORMAL a power cut can forget the last commits, and a forgotten "sent" is sent twice.
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=30000",
    "cache_size=-65536",
    "temp_store=MEMORY",
)


def is_sqlite(session: Session) -> bool:
    """Whether *session* talks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def upsert(session: Session, table: Any, index: Collection[str], columns: Collection[str]) -> Insert:
    """An ``INSERT … ON CONFLICT (index) DO UPDATE`` of *columns* for the dialect in use."""
    make = sqlite.insert if is_sqlite(session) else postgresql.insert
    statement: Any = make(table)
    changes: Mapping[str, Any] = {name: statement.excluded[name] for name in columns}
    done: Insert = statement.on_conflict_do_update(index_elements=list(index), set_=changes)
    return done


def insert_counting(session: Session, table: Any, index: Collection[str], column: str) -> Insert:
    """An ``INSERT … ON CONFLICT (index) DO UPDATE`` that adds the new row's *column* to the one that is there."""
    make = sqlite.insert if is_sqlite(session) else postgresql.insert
    statement: Any = make(table)
    total = getattr(table, column) + statement.excluded[column]
    done: Insert = statement.on_conflict_do_update(index_elements=list(index), set_={column: total})
    return done


def insert_ignoring(session: Session, table: Any) -> Insert:
    """An ``INSERT … ON CONFLICT DO NOTHING`` for the dialect in use."""
    make = sqlite.insert if is_sqlite(session) else postgresql.insert
    statement: Any = make(table)
    done: Insert = statement.on_conflict_do_nothing()
    return done


def put_rows(session: Session, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run the INSERT *statement*, with or without ON CONFLICT, for many *rows* of equal names; no row twice.

    PostgreSQL gets them as one array a column, in one statement: row by row, psycopg takes longer than the server.
    """
    if is_sqlite(session):
        session.execute(statement, rows)
        return
    columns: Any = statement.table.c
    names = list(rows[0])
    arrays = [
        func.unnest(bindparam(None, [row[name] for row in rows], type_=postgresql.ARRAY(columns[name].type)))
        for name in names
    ]
    session.execute(statement.from_select(names, select(*arrays), include_defaults=False))


def picked(session: Session, column: Any, query: Select[int]) -> ColumnElement[bool]:
    """That *column* is among the ids *query* gives, chosen once: for UPDATE and DELETE that take a part of a queue.

    PostgreSQL plans ``IN (SELECT … LIMIT … FOR UPDATE SKIP LOCKED)`` badly, and may run it again for each row.
    """
    query = query.correlate(None)
    if is_sqlite(session):
        among: ColumnElement[bool] = column.in_(query)
        return among
    ids = func.array(query.scalar_subquery(), type_=postgresql.ARRAY(BigInteger))
    same: ColumnElement[bool] = column == any_(ids)
    return same


def one_of(session: Session, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """That *column* is one of *values*, of which SQLite takes at most 32,766.

    PostgreSQL gets them as one array: psycopg takes longer to read a thousand parameters than the server to answer.
    """
    if is_sqlite(session):
        inside: ColumnElement[bool] = column.in_(values)
        return inside
    same: ColumnElement[bool] = column == any_(bindparam(None, list(values), type_=postgresql.ARRAY(column.type)))
    return same


def picked_range(session: Session, column: Any, after: int, last: int) -> ColumnElement[bool]:
    """That the id *column* lies above *after* and up to *last*, and that nobody else has the row under way."""
    within: ColumnElement[bool] = and_(column > after, column <= last)
    if is_sqlite(session):
        return within
    return picked(session, column, select(column).where(within).with_for_update(skip_locked=True))


def picked_but(
    session: Session, column: Any, query: Select[int], after: int, last: int, but: Select[int]
) -> ColumnElement[bool]:
    """That *column* is among the ids *query* gives, which are those above *after* and up to *last* without *but*.

    SQLite, where nobody else has a part of the range, runs through it; PostgreSQL must touch no other row.
    """
    if is_sqlite(session):
        within: ColumnElement[bool] = and_(column > after, column <= last, column.not_in(but))
        return within
    return picked(session, column, query)


class Lock(IntEnum):
    """What only one transaction at a time may do. The numbers are PostgreSQL advisory lock keys."""

    FACTS = 7_946_485_001
    CLAIMS = 7_946_485_002
    OFFERS = 7_946_485_003


def serialize(session: Session, lock: Lock) -> None:
    """Wait until no other transaction holds *lock*, and hold it until this one ends. SQLite has one writer anyway."""
    if not is_sqlite(session):
        session.execute(select(func.pg_advisory_xact_lock(lock.value)))


def begin_writing(session: Session) -> None:
    """Begin a transaction that reads and then writes; must come first in it.

    SQLite refuses a reader that wants to write after somebody else did, however long it would wait.
    """
    if is_sqlite(session):
        session.execute(text("BEGIN IMMEDIATE"))


def taken_rows(
    session: Session, table: Any, *columns: Any, where: ColumnElement[bool] | None = None
) -> tuple[Any, Delete | None]:
    """The rows of *table* (all, or those *where*), taken out of it by the statement that reads them.

    So a row added meanwhile stays. Gives what to read from, and what to run right after in the same transaction:
    SQLite cannot do both at once, but nobody else writes in between when the reading statement is a write too.
    """
    condition = true() if where is None else where
    if is_sqlite(session):
        return select(*columns).where(condition).subquery("taken"), delete(table).where(condition)
    return delete(table).where(condition).returning(*columns).cte("taken"), None


def clear(session: Session, table: Table) -> None:
    """Empty a temporary table, without leaving dead rows behind."""
    session.execute(delete(table) if is_sqlite(session) else text(f"TRUNCATE {table.name}"))


def prepare_engine(engine: Engine) -> None:
    """Give each new SQLite connection the pragmas of the house; PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return

    def set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in SQLITE_PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", set_pragmas)
