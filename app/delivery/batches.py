"""One batch of planning as a handful of set-based statements over three small temporary tables.

The outbox rows of a batch are taken, joined once with all their facts into one key each, and the key is joined with
the plans. Nothing is decided here, and no invoice passes through Python.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
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

from app.core.database import UtcDateTime
from app.core.dialect import clear, picked_range, taken_rows
from app.core.settings import Settings
from app.delivery.kid_keys import kid_key_sql
from app.delivery.models import Delivery, Part, PlanRow, ResidentFactsRow, State
from app.delivery.planning_tables import CLOSED_KEY, batch, days, delivery, execute, known, pending
from app.delivery.plans import DAY_AT, INVOICE_AT, PART
from app.invoices.models import Invoice, Pending
from app.residents.models import Mandate
from app.routing.channels import Channel, Claim, Reason, SentClaim
from app.routing.channels import Mandate as MandateFact
from app.routing.facts import DayFacts, InvoiceFacts

COMPUTED = InvoiceFacts.mask("mandate", "has_claim_already", "sent_claim")
SENT = (State.SENDING, State.IN_TRANSIT, State.DELIVERED)


def last_of_batch(session: Session, after: int, size: int) -> int | None:
    """The highest invoice id of the next *size* in the outbox above *after*; None when there are no more."""
    ids = select(Pending.invoice_id).where(Pending.invoice_id > after).order_by(Pending.invoice_id).limit(size)
    last: int | None = execute(session, select(func.max(ids.subquery().c.invoice_id))).scalar()
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
    execute(session, insert(batch).from_select(batch.c.keys(), query))
    if remove is not None:
        execute(session, remove)


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


@dataclass(frozen=True, slots=True)
class Group:
    """How many of a batch go the same way. ``state`` is the document's; all unset where facts are not gathered yet."""

    count: int
    state: State | None
    channel: Channel | None
    hold: Reason | None
    is_claim: bool
    is_waiting: bool

    @property
    def is_lacking(self) -> bool:
        """Whether some facts of these are not gathered."""
        return self.state is None and not self.is_claim and not self.is_waiting


def groups(session: Session) -> list[Group]:
    """The batch by where it goes, after everything is decided."""
    how = (known.c.state, known.c.channel, known.c.hold, known.c.is_claim, known.c.is_waiting)
    by_key = select(batch.c.key, func.count().label("count")).group_by(batch.c.key).subquery("by_key")
    joined = by_key.outerjoin(known, known.c.key == by_key.c.key)
    rows = execute(session, select(cast(func.sum(by_key.c.count), BigInteger), *how).select_from(joined).group_by(*how))
    return [
        Group(count, state, channel, hold, bool(claim), bool(waits))
        for count, state, channel, hold, claim, waits in rows
    ]


def keys(session: Session) -> dict[int | None, int]:
    """How many of the batch have each key; None counts those whose facts are not all gathered."""
    return {row[0]: row[1] for row in execute(session, select(batch.c.key, func.count()).group_by(batch.c.key))}


def is_complete(session: Session) -> bool:
    """Whether the batch has the facts of everyone in it."""
    return execute(session, select(batch.c.invoice_id).where(batch.c.key.is_(None)).limit(1)).first() is None


def add_days(session: Session, facts: Mapping[dt.date, DayFacts]) -> None:
    """Make the facts of more due dates known to the batches that follow."""
    if facts:
        rows = [{"due_on": due_on, "facts": fact.as_bits()} for due_on, fact in facts.items()]
        execute(session, insert(days), rows)


def find_plans(session: Session, digest: str) -> list[int]:
    """Make the stored plans of the batch's keys known to it; gives the keys that no stored plan is for."""
    wanted = (
        select(batch.c.key).outerjoin(known, known.c.key == batch.c.key)
        .where(known.c.key.is_(None), batch.c.key.is_not(None)).distinct().subquery("wanted")
    )  # fmt: skip
    key, plan = wanted.c.key, PlanRow.__table__.c
    is_for = and_(
        plan.policy == digest,
        plan.resident_facts == key.bitwise_and(literal(PART, BigInteger)),
        plan.invoice_facts == (key // literal(INVOICE_AT, BigInteger)).bitwise_and(literal(PART, BigInteger)),
        plan.day_facts == key // literal(DAY_AT, BigInteger),
    )
    channel = PlanRow.route[0].as_string()
    state = case((plan.hold.is_not(None), State.HELD.value), (channel.is_not(None), State.WAITING.value))
    found = select(
        key, plan.id, state, channel, plan.hold, plan.is_notice, plan.claim.is_not(None), plan.is_waiting
    ).select_from(wanted.outerjoin(PlanRow.__table__, is_for))
    execute(session, insert(known).from_select(known.c.keys(), found))
    has_none = and_(known.c.plan_id.is_(None), known.c.key != CLOSED_KEY)
    missing = list(execute(session, select(known.c.key).where(has_none)).scalars())
    if missing:
        execute(session, known.delete().where(has_none))
    return missing


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
        query = query.select_from(joined).where(new, where)
        execute(session, insert(delivery).from_select(columns, query, include_defaults=False))

    part(
        Part.DOCUMENT, known.c.state, known.c.channel, known.c.hold, known.c.is_notice,
        where=known.c.state.is_not(None),
    )  # fmt: skip
    part(
        Part.CLAIM, literal(State.WAITING, Delivery.state.type), literal(Channel.AVTALEGIRO, Delivery.channel.type),
        null(), false(), where=known.c.is_claim,
    )  # fmt: skip


def put_back(session: Session) -> None:
    """Return to the outbox what waits for an answer, and whatever has no plan."""
    columns = ["invoice_id", "resident_id", "facts", "due_on", "kid_key", "is_replan"]
    joined = batch.outerjoin(known, known.c.key == batch.c.key)
    query = select(*(batch.c[name] for name in columns)).select_from(joined)
    execute(
        session,
        insert(pending).from_select(
            columns, query.where(known.c.key.is_(None) | known.c.is_waiting), include_defaults=False
        ),
    )


def ungathered(session: Session) -> tuple[set[dt.date], set[int]]:
    """The due dates and the residents whose facts the batch lacks."""
    lacking = select(batch.c.due_on, batch.c.resident_id).where(batch.c.key.is_(None)).distinct()
    rows: Iterable[Any] = execute(session, lacking).all()
    return {row[0] for row in rows}, {row[1] for row in rows}
