"""One batch of planning as a handful of set-based statements over three small temporary tables.

The outbox rows of a batch are taken, joined once with all their facts into one key each, and the key is joined with
the plans. Nothing is decided here, and no invoice passes through Python.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    MetaData,
    String,
    Table,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.orm import Session

from app.core.database import BigId, UtcDateTime
from app.core.dialect import clear, picked_range, taken_rows
from app.core.settings import Settings
from app.delivery.kid_keys import kid_key_sql
from app.delivery.models import Delivery, Part, PlanRow, ResidentFactsRow, State
from app.delivery.plans import DAY_AT, INVOICE_AT, KnownPlan
from app.invoices.models import Invoice, Pending
from app.residents.models import Mandate
from app.routing.channels import Channel, Claim, SentClaim
from app.routing.channels import Mandate as MandateFact
from app.routing.facts import DayFacts, InvoiceFacts

CLOSED_KEY = -1
"""Stands in the place of a key for an invoice that is owed no more."""

COMPUTED = InvoiceFacts.mask("mandate", "has_claim_already", "sent_claim")
SENT = (State.SENDING, State.IN_TRANSIT, State.DELIVERED)

temporary = MetaData()
batch = Table(
    "planning_batch", temporary,
    Column("invoice_id", BigId), Column("resident_id", BigId), Column("facts", BigId), Column("due_on", Date),
    Column("kid_key", String), Column("is_replan", Boolean), Column("key", BigInteger),
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


def prepare(session: Session) -> None:
    """Make the temporary tables anew on this connection."""
    connection = session.connection()
    temporary.drop_all(connection)
    temporary.create_all(connection, checkfirst=False)
    session.execute(insert(known), [_closed()])


def drop(session: Session) -> None:
    """Leave the connection as it was."""
    temporary.drop_all(session.connection())


def last_of_batch(session: Session, after: int, size: int) -> int | None:
    """The highest invoice id of the next *size* in the outbox above *after*; None when there are no more."""
    ids = select(Pending.invoice_id).where(Pending.invoice_id > after).order_by(Pending.invoice_id).limit(size)
    last: int | None = session.scalar(select(func.max(ids.subquery().c.invoice_id)))
    return last


def take(session: Session, settings: Settings, after: int, last: int) -> None:
    """Take the outbox rows above *after* up to *last* that no other planner has, with the key of all their facts."""
    clear(session, batch)
    mine = picked_range(session, Pending.invoice_id, after, last)
    columns = (
        Pending.invoice_id, Pending.resident_id, Pending.facts, Pending.due_on, Pending.kid_key, Pending.is_replan,
    )  # fmt: skip
    taken, remove = taken_rows(session, Pending, *columns, where=mine)
    row = taken.c
    source = (
        taken.join(Invoice, Invoice.id == row.invoice_id)
        .outerjoin(ResidentFactsRow, ResidentFactsRow.resident_id == row.resident_id)
        .outerjoin(days, days.c.due_on == row.due_on)
    )
    query = select(*(row[name.name] for name in columns), _key(settings, row)).select_from(source)
    session.execute(insert(batch).from_select(batch.c.keys(), query))
    if remove is not None:
        session.execute(remove)


def _key(settings: Settings, row: Any) -> ColumnElement[int]:
    invoice_facts = row.facts.bitwise_and(~COMPUTED) + _mandate(settings) + _sent_claim(row)
    key = (
        ResidentFactsRow.facts
        + cast(invoice_facts, BigInteger) * literal(INVOICE_AT, BigInteger)
        + days.c.facts * literal(DAY_AT, BigInteger)
    )
    return case((Invoice.closed_at.is_not(None), literal(CLOSED_KEY, BigInteger)), else_=key)


def _mandate(settings: Settings) -> ColumnElement[int]:
    """The mandate with this account whose fixed part of the KID equals the invoice's; of several, one that notifies."""
    weight = case(
        (Mandate.wants_notice, InvoiceFacts.weight("mandate", MandateFact.NOTIFY)),
        else_=InvoiceFacts.weight("mandate", MandateFact.SILENT),
    )
    found = (
        select(func.max(weight))
        .where(
            Mandate.kid_key == kid_key_sql(Invoice.kid, settings),
            Mandate.account == Invoice.account,
            Mandate.ended_at.is_(None),
        )
        .correlate(Invoice)
        .scalar_subquery()
    )
    return func.coalesce(found, 0)


def _sent_claim(row: Any) -> ColumnElement[int]:
    """This invoice's own claim, when the bank has it: only a re-plan can have one."""
    weight = case(
        (PlanRow.claim == Claim.BANK_NOTIFIES.value, InvoiceFacts.weight("sent_claim", SentClaim.BANK_NOTIFIES)),
        else_=InvoiceFacts.weight("sent_claim", SentClaim.PAYEE_NOTIFIES),
    )
    found = (
        select(weight)
        .select_from(Delivery)
        .outerjoin(PlanRow, PlanRow.id == Delivery.plan_id)
        .where(Delivery.invoice_id == row.invoice_id, Delivery.part == Part.CLAIM, Delivery.state.in_(SENT))
        .scalar_subquery()
    )
    return case((row.is_replan, func.coalesce(found, 0)), else_=0)


def counts(session: Session) -> dict[int | None, int]:
    """How many of the batch have each key; None counts those whose facts are not all gathered."""
    return {row[0]: row[1] for row in session.execute(select(batch.c.key, func.count()).group_by(batch.c.key))}


def add_days(session: Session, facts: Mapping[dt.date, DayFacts]) -> None:
    """Make the facts of more due dates known to the batches that follow."""
    if facts:
        rows = [{"due_on": due_on, "facts": fact.as_bits()} for due_on, fact in facts.items()]
        session.execute(insert(days), rows)


def add_plans(session: Session, plans: Mapping[int, KnownPlan]) -> None:
    """Make more plans known to this batch and those that follow."""
    if plans:
        session.execute(insert(known), [_known(key, plan) for key, plan in plans.items()])


def _known(key: int, stored: KnownPlan) -> dict[str, object]:
    plan = stored.plan
    goes = State.WAITING if plan.route else None
    return {
        "key": key,
        "plan_id": stored.id,
        "state": State.HELD if plan.hold else goes,
        "channel": plan.route[0] if plan.route else None,
        "hold": plan.hold,
        "is_notice": plan.is_notice,
        "is_claim": plan.claim is not None,
        "is_waiting": plan.is_waiting,
    }


def _closed() -> dict[str, object]:
    return {
        "key": CLOSED_KEY, "plan_id": None, "state": State.CLOSED, "channel": None, "hold": None, "is_notice": False,
        "is_claim": False, "is_waiting": False,
    }  # fmt: skip


def insert_parts(session: Session, now: dt.datetime) -> None:
    """Write the parts of every invoice of the batch that had none: its document, and its claim."""
    joined = batch.join(known, known.c.key == batch.c.key)
    new = ~batch.c.is_replan
    moment = literal(now, UtcDateTime())
    columns = ["invoice_id", "part", "plan_id", "state", "channel", "hold", "is_notice", "position", "tries",
               "next_try_at", "changed_at"]  # fmt: skip

    def part(kind: Part, *values: Any, where: ColumnElement[bool]) -> None:
        query = select(
            batch.c.invoice_id, literal(kind, Delivery.part.type), known.c.plan_id, *values, literal(0), literal(0),
            moment, moment,
        )  # fmt: skip
        query = query.select_from(joined).where(new, where).order_by(batch.c.invoice_id)
        session.execute(insert(Delivery).from_select(columns, query, include_defaults=False))

    part(
        Part.DOCUMENT, known.c.state, known.c.channel, known.c.hold, known.c.is_notice,
        where=known.c.state.is_not(None),
    )  # fmt: skip
    part(
        Part.CLAIM, literal(State.WAITING, Delivery.state.type), literal(Channel.AVTALEGIRO, Delivery.channel.type),
        null(), false(), where=known.c.is_claim,
    )  # fmt: skip


def put_back(session: Session) -> None:
    """Return to the outbox what waits for an answer, and what has facts not gathered yet."""
    columns = ["invoice_id", "resident_id", "facts", "due_on", "kid_key", "is_replan"]
    joined = batch.outerjoin(known, known.c.key == batch.c.key)
    query = select(*(batch.c[name] for name in columns)).select_from(joined)
    session.execute(
        insert(Pending).from_select(
            columns, query.where(batch.c.key.is_(None) | known.c.is_waiting), include_defaults=False
        )
    )


def ungathered(session: Session) -> tuple[set[dt.date], set[int]]:
    """The due dates and the residents whose facts the batch lacks."""
    lacking = select(batch.c.due_on, batch.c.resident_id).where(batch.c.key.is_(None)).distinct()
    rows: Iterable[Any] = session.execute(lacking).all()
    return {row[0] for row in rows}, {row[1] for row in rows}
