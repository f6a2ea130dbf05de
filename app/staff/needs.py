"""What needs a person: the piles, by reason or channel and age, and the invoices of one pile, page by page.

Every statement reads one of the partial indexes of `app.delivery.models`, so that a million invoices that need nobody
cost nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, distinct, func, literal_column, or_, select, text
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.settings import Settings
from app.delivery.brakes import pulled
from app.delivery.follow_up import UnpaidClaim, unpaid_claims
from app.delivery.models import Attempt, Brake, Delivery
from app.invoices.models import Invoice, Pending
from app.residents.models import Resident
from app.routing.channels import Channel, Reason

PAGE = 50
OLD = dt.timedelta(days=7)
# A provider that takes an invoice and never says what became of it: after so long somebody should ask.
QUIET = dt.timedelta(days=7)
MOST_COUNTED = 1_000


class Pile(StrEnum):
    """The kinds of piles, by their part of the address."""

    HELD = "holdt"
    RETRIED = "venter"
    QUIET = "stille"


# Written out, not bound: a partial index is used only when the statement itself says what the index says.
_CONDITIONS = {
    Pile.HELD: "delivery.state = 'held'",
    Pile.RETRIED: "delivery.state = 'waiting' AND delivery.tries > 0",
    Pile.QUIET: "delivery.state = 'in_transit'",
}
_KEYS: dict[Pile, Any] = {Pile.HELD: Delivery.hold, Pile.RETRIED: Delivery.channel, Pile.QUIET: Delivery.channel}


@dataclass(frozen=True, slots=True)
class Count:
    """One pile: ``key`` is a reason or a channel, ``old`` how many lie there longer than a week."""

    key: Any
    count: int
    old: int
    oldest_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OpenAttempts:
    """Attempts whose end nobody knows (uncertain, or never closed), or that a provider did not take just now."""

    channel: Channel
    outcome: Outcome | None
    detail: str | None
    count: int
    oldest_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice of a pile. ``since``: when it came there."""

    public_id: str
    number: str
    customer_number: str | None
    due_on: dt.date
    amount_ore: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a pile, the longest waiting first. ``next_after``: where the next page begins, None on the last."""

    rows: Sequence[Row]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class PulledBrake:
    """A brake with what stands behind it now: how many letters wait, or how many invoices a silent register holds."""

    brake: Brake
    waiting: int


def piles(session: Session, pile: Pile, now: dt.datetime) -> list[Count]:
    """The piles of one kind, the largest first. Invoices are counted, however many of their parts lie there."""
    key = _KEYS[pile]
    invoices = func.count(distinct(Delivery.invoice_id))
    old = func.count(distinct(case((Delivery.changed_at < now - OLD, Delivery.invoice_id))))
    query = select(key, invoices, old, func.min(Delivery.changed_at)).where(*_where(pile, now)).group_by(key)
    found = [Count(*row) for row in session.execute(query) if row[0] is not None]
    return sorted(found, key=lambda count: -count.count)


def listing(session: Session, pile: Pile, key: Reason | Channel, now: dt.datetime, after: str = "") -> Listing:
    """One page of the pile *key*; *after* as the page before gave it, anything else begins at the start."""
    keys = (
        select(Delivery.changed_at.label("since"), Delivery.invoice_id.label("invoice_id"))
        .where(*_where(pile, now), _KEYS[pile] == key, *_behind(session, after))
        .distinct()
        .order_by(Delivery.changed_at, Delivery.invoice_id)
        .limit(PAGE + 1)
        .subquery()
    )
    query = (
        select(Invoice.public_id, Invoice.number, Resident.customer_number, Invoice.due_on, Invoice.amount_ore,
               keys.c.since)
        .join(keys, keys.c.invoice_id == Invoice.id)
        .outerjoin(Resident, Resident.id == Invoice.resident_id)
        .order_by(keys.c.since, keys.c.invoice_id)
    )  # fmt: skip
    rows = [Row(*row) for row in session.execute(query)]
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Listing(rows[:PAGE], f"{_microseconds(last.since)}.{last.public_id}" if last is not None else None)


def open_attempts(session: Session) -> list[OpenAttempts]:
    """What nobody knows the end of, and what was not taken, by channel and the provider's code; the most first."""
    query = (
        select(Attempt.channel, Attempt.outcome, Attempt.detail, func.count(), func.min(Attempt.opened_at))
        .where(text("(attempt.outcome IS NULL OR attempt.outcome IN ('uncertain', 'unavailable'))"))
        .group_by(Attempt.channel, Attempt.outcome, Attempt.detail)
    )
    found = [OpenAttempts(*row) for row in session.execute(query)]
    return sorted(found, key=lambda one: -one.count)


def brakes(session: Session) -> list[PulledBrake]:
    """The brakes that are pulled, each with what waits behind it."""
    found = pulled(session)
    return [PulledBrake(brake, _behind_brake(session, brake)) for brake in found]


def unplanned(session: Session) -> int:
    """How many invoices have no plan yet: they wait for a register, or for the next run. At most `MOST_COUNTED`."""
    return _bounded(session, select(Pending.invoice_id))


def follow_up(session: Session, settings: Settings, today: dt.date, after: str = "") -> list[UnpaidClaim]:
    """A page of the claims that nobody paid, with one more when there is a next; *after*: the last one's public id."""
    last = session.scalars(select(Invoice).where(Invoice.public_id == after)).one_or_none() if after else None
    days = settings.avtalegiro_follow_up_days
    return unpaid_claims(session, today, days, limit=PAGE + 1, after=last)


def _where(pile: Pile, now: dt.datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [literal_column(f"({_CONDITIONS[pile]})")]
    if pile is Pile.QUIET:
        conditions.append(Delivery.changed_at < now - QUIET)
    return conditions


def _behind(session: Session, after: str) -> list[ColumnElement[bool]]:
    moment, _, public_id = after.partition(".")
    if not moment.isdigit() or len(moment) > 17:
        return []
    invoice_id = session.scalar(select(Invoice.id).where(Invoice.public_id == public_id)) or 0
    since = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(moment))
    # The first condition alone is what the index is searched by.
    behind = or_(Delivery.changed_at > since, Delivery.invoice_id > invoice_id)
    return [and_(Delivery.changed_at >= since, behind)]


def _microseconds(moment: dt.datetime) -> int:
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _behind_brake(session: Session, brake: Brake) -> int:
    if brake.channel is None:
        return 0
    held = [*_where(Pile.HELD, brake.pulled_at), Delivery.hold == Reason.REGISTER_SILENT]
    waiting = [literal_column("(delivery.state = 'waiting')"), Delivery.channel == brake.channel]
    return _bounded(session, select(Delivery.id).where(*(held if brake.kind == "silence" else waiting)))


def _bounded(session: Session, query: Select[Any]) -> int:
    rows = query.limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0
