"""The three temporary tables of a planning run: a batch of the outbox, the facts of due dates, the plans in use."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import BigInteger, Boolean, Column, Date, Executable, MetaData, Table, insert
from sqlalchemy.orm import Session

from app.core.database import BigId
from app.delivery.models import Delivery, State
from app.invoices.models import Pending

CLOSED_KEY = -1
"""Stands in the place of a key for an invoice that is owed no more."""

delivery = cast(Table, Delivery.__table__)
pending = cast(Table, Pending.__table__)
temporary = MetaData()
batch = Table(
    "planning_batch", temporary, Column("invoice_id", BigId), Column("is_replan", Boolean), Column("key", BigInteger),
    prefixes=["TEMPORARY"],
)  # fmt: skip
days = Table(
    "planning_day", temporary, Column("due_on", Date, primary_key=True), Column("facts", BigInteger),
    prefixes=["TEMPORARY"],
)  # fmt: skip
known = Table(
    "planning_plan", temporary,
    Column("key", BigId, primary_key=True, autoincrement=False), Column("plan_id", BigId),
    Column("state", Delivery.state.type), Column("channel", Delivery.channel.type), Column("hold", Delivery.hold.type),
    Column("is_notice", Boolean), Column("is_claim", Boolean), Column("is_waiting", Boolean),
    prefixes=["TEMPORARY"],
)  # fmt: skip


def execute(session: Session, statement: Executable, rows: Any = None) -> Any:
    """Run a statement over tables: none of it is for the session to keep track of."""
    return session.connection().execute(statement, rows)


def prepare(session: Session) -> None:
    """Make the temporary tables anew on this connection."""
    connection = session.connection()
    temporary.drop_all(connection)
    temporary.create_all(connection, checkfirst=False)
    execute(session, insert(known), [_closed()])


def drop(session: Session) -> None:
    """Leave the connection as it was."""
    temporary.drop_all(session.connection())


def _closed() -> dict[str, object]:
    return {
        "key": CLOSED_KEY, "plan_id": None, "state": State.CLOSED, "channel": None, "hold": None, "is_notice": False,
        "is_claim": False, "is_waiting": False,
    }  # fmt: skip
