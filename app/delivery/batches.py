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
    ColumnElement,
    Insert,
    and_,
    bindparam,
    case,
    cast,
    delete,
    false,
    func,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.orm import Session

from app.core.database import UtcDateTime
from app.core.dialect import clear, picked_but, picked_range
from app.core.settings import Settings
from app.delivery.kid_keys import is_mandate_of
from app.delivery.models import Delivery, Part, PlanRow, ResidentFactsRow, State
from app.delivery.planning_tables import CLOSED_KEY, batch, days, delivery, execute, known, pending
from app.delivery.plans import DAY_AT, INVOICE_AT, PART
from app.invoices.models import Invoice, Pending
from app.residents.models import Mandate
from app.routing.channels import Channel, Claim, SentClaim
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
    """Take the outbox rows above *after* up to *last* that no other planner has, with the key of all their facts.

    They stay in the outbox, locked, until `remove_planned`.
    """
    clear(session, batch)
    source = (
        select(Pending.invoice_id, Pending.is_replan, _key(settings))
        .join(Invoice, Invoice.id == Pending.invoice_id)
        .outerjoin(ResidentFactsRow, ResidentFactsRow.resident_id == Pending.resident_id)
        .outerjoin(days, days.c.due_on == Pending.due_on)
        .where(picked_range(session, Pending.invoice_id, after, last))
    )
    execute(session, insert(batch).from_select(batch.c.keys(), source))


def _key(settings: Settings) -> ColumnElement[int]:
    invoice_facts = Pending.facts.bitwise_and(~COMPUTED) + mandate_bits(settings) + _sent_claim()
    key = (
        ResidentFactsRow.facts
        + cast(invoice_facts, BigInteger) * literal(INVOICE_AT, BigInteger)
        + days.c.facts * literal(DAY_AT, BigInteger)
    )
    return case((Invoice.closed_at.is_not(None), literal(CLOSED_KEY, BigInteger)), else_=key)


def mandate_bits(settings: Settings) -> ColumnElement[int]:
    """In SQL, for an `Invoice`: the mandate with its account whose fixed part of the KID equals its own.

    Of several, one that notifies.
    """
    weight = case(
        (Mandate.wants_notice, InvoiceFacts.weight("mandate", MandateFact.NOTIFY)),
        else_=InvoiceFacts.weight("mandate", MandateFact.SILENT),
    )
    found = (
        select(func.max(weight))
        .where(is_mandate_of(Invoice.kid, Invoice.account, settings))
        .correlate(Invoice)
        .scalar_subquery()
    )
    return func.coalesce(found, 0)


def _sent_claim() -> ColumnElement[int]:
    """This invoice's own claim, when the bank has it: only a re-plan can have one."""
    weight = case(
        (PlanRow.claim == Claim.BANK_NOTIFIES.value, InvoiceFacts.weight("sent_claim", SentClaim.BANK_NOTIFIES)),
        else_=InvoiceFacts.weight("sent_claim", SentClaim.PAYEE_NOTIFIES),
    )
    found = (
        select(weight)
        .select_from(Delivery)
        .outerjoin(PlanRow, PlanRow.id == Delivery.plan_id)
        .where(Delivery.invoice_id == Pending.invoice_id, Delivery.part == Part.CLAIM, Delivery.state.in_(SENT))
        .correlate(Pending)
        .scalar_subquery()
    )
    return case((Pending.is_replan, func.coalesce(found, 0)), else_=0)


def is_complete(session: Session) -> bool:
    """Whether the batch has the facts of everyone in it."""
    return execute(session, select(batch.c.invoice_id).where(batch.c.key.is_(None)).limit(1)).first() is None


def add_days(session: Session, facts: Mapping[dt.date, DayFacts]) -> None:
    """Make the facts of more due dates known to the batches that follow."""
    if facts:
        rows = [{"due_on": due_on, "facts": fact.as_bits()} for due_on, fact in facts.items()]
        execute(session, insert(days), rows)


def _find() -> Insert:
    wanted = (
        select(batch.c.key).outerjoin(known, known.c.key == batch.c.key)
        .where(known.c.key.is_(None), batch.c.key.is_not(None)).distinct().subquery("wanted")
    )  # fmt: skip
    key, plan = wanted.c.key, PlanRow.__table__.c
    is_for = and_(
        plan.policy == bindparam("digest"),
        plan.resident_facts == key.bitwise_and(literal(PART, BigInteger)),
        plan.invoice_facts == (key // literal(INVOICE_AT, BigInteger)).bitwise_and(literal(PART, BigInteger)),
        plan.day_facts == key // literal(DAY_AT, BigInteger),
    )
    channel = PlanRow.route[0].as_string()
    state = case((plan.hold.is_not(None), State.HELD.value), (channel.is_not(None), State.WAITING.value))
    found = select(
        key, plan.id, state, channel, plan.hold, plan.is_notice, plan.claim.is_not(None), plan.is_waiting
    ).select_from(wanted.outerjoin(PlanRow.__table__, is_for))
    return insert(known).from_select(known.c.keys(), found)


FIND = _find()
HAS_NO_PLAN = and_(known.c.plan_id.is_(None), known.c.key != CLOSED_KEY)


def find_plans(session: Session, digest: str) -> list[int]:
    """Make the stored plans of the batch's keys known to it; gives the keys that no stored plan is for."""
    execute(session, FIND, {"digest": digest})
    missing = list(execute(session, select(known.c.key).where(HAS_NO_PLAN)).scalars())
    if missing:
        execute(session, known.delete().where(HAS_NO_PLAN))
    return missing


def _part(kind: Part, *values: Any, where: ColumnElement[bool]) -> Insert:
    moment = bindparam("now", type_=UtcDateTime())
    columns = ["invoice_id", "part", "plan_id", "state", "channel", "hold", "is_notice", "position", "tries",
               "next_try_at", "changed_at"]  # fmt: skip
    query = (
        select(batch.c.invoice_id, literal(kind, Delivery.part.type), known.c.plan_id, *values, literal(0), literal(0),
               moment, moment)
        .select_from(batch.join(known, known.c.key == batch.c.key))
        .where(~batch.c.is_replan, where)
    )  # fmt: skip
    return insert(delivery).from_select(columns, query, include_defaults=False)


DOCUMENTS = _part(
    Part.DOCUMENT, known.c.state, known.c.channel, known.c.hold, known.c.is_notice, where=known.c.state.is_not(None)
)
CLAIMS = _part(
    Part.CLAIM, literal(State.WAITING, Delivery.state.type), literal(Channel.AVTALEGIRO, Delivery.channel.type),
    null(), false(), where=known.c.is_claim,
)  # fmt: skip


def insert_parts(session: Session, now: dt.datetime) -> None:
    """Write the parts of every invoice of the batch that had none: its document, and its claim."""
    for statement in (DOCUMENTS, CLAIMS):
        execute(session, statement, {"now": now})


PLANNED = select(batch.c.invoice_id).join(known, known.c.key == batch.c.key).where(~known.c.is_waiting)
STAYS = (
    select(batch.c.invoice_id)
    .outerjoin(known, known.c.key == batch.c.key)
    .where(known.c.key.is_(None) | known.c.is_waiting)
)


def remove_planned(session: Session, after: int, last: int) -> None:
    """Remove from the outbox what has its plan. What waits for an answer, or lacks facts, stays."""
    done = picked_but(session, pending.c.invoice_id, PLANNED, after, last, STAYS)
    execute(session, delete(pending).where(done))


def ungathered(session: Session) -> tuple[set[dt.date], set[int]]:
    """The due dates and the residents whose facts the batch lacks."""
    lacking = (
        select(Pending.due_on, Pending.resident_id)
        .join(batch, batch.c.invoice_id == Pending.invoice_id)
        .where(batch.c.key.is_(None))
        .distinct()
    )
    rows: Iterable[Any] = execute(session, lacking).all()
    return {row[0] for row in rows}, {row[1] for row in rows}
