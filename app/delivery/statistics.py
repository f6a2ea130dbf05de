"""Keeps the summary tables of the statistics: what was touched since the last count is counted anew from the rows."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    delete,
    extract,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    type_coerce,
    union,
)
from sqlalchemy.orm import Session, aliased

from app.channels.contract import Outcome
from app.core.clock import OSLO, Clock
from app.core.database import Base
from app.core.dialect import begin_writing, insert_ignoring
from app.delivery.models import Attempt, Delivery, Part, State
from app.delivery.report import LEAST_FINISHED_FIRST, UNPLANNED, rank
from app.delivery.statistics_models import Counting, InvoiceCount, MandateCount, RefusalCount, ResidentCount
from app.invoices.models import Invoice
from app.registries.models import Register, RegistryAnswer
from app.residents.models import ContactKind, ContactPoint, Mandate, Resident
from app.routing.channels import Answer

THE_ROW = 1
# Machines' clocks differ, and what was written before the last count may have been committed after it: a day back
# costs a recount of months that were at hand anyway.
OVERLAP = dt.timedelta(days=1)
LONGEST_DETAIL = 60

COUNTERS: dict[str, Callable[[Session], None]] = {}
"""What rooms above count at the same time, by name, in the same transaction; they add theirs when the app is made."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one count did: the months whose invoices were counted anew."""

    months: tuple[int, ...]
    counted_at: dt.datetime


def month_of(day: dt.date) -> int:
    """The month of *day* as year × 100 + month."""
    return day.year * 100 + day.month


def count(session: Session, clock: Clock, *, everything: bool = False) -> Counted:
    """Bring the summary tables up to date; *everything*: from the rows alone. Commits, before and after.

    Any number of them may run at once, and one that dies leaves the tables as they were.
    """
    session.commit()
    begin_writing(session)
    now, state = clock.now(), _hold(session)
    # A clock that went back (TODAY was moved) tells nothing about what has changed since.
    is_anew = everything or state.counted_at is None or now < state.counted_at
    since = None if is_anew or state.counted_at is None else state.counted_at - OVERLAP
    months = _touched(session, since)
    _clear(session, None if is_anew else months)
    if months:
        days = _days_of(months)
        _fill(session, InvoiceCount, _invoices(days))
        _fill(session, RefusalCount, _refusals(days))
    month = month_of(now.astimezone(OSLO).date())
    people: tuple[tuple[Any, Any], ...] = ((ResidentCount, _residents(month)), (MandateCount, _mandates(month)))
    for model, query in people:
        session.execute(delete(model).where(model.month == month))
        _fill(session, model, query)
    for counter in COUNTERS.values():
        counter(session)
    state.counted_at = now
    session.commit()
    return Counted(tuple(sorted(months)), now)


def counted_at(session: Session) -> dt.datetime | None:
    """When the tables were last counted."""
    return session.scalar(select(Counting.counted_at).where(Counting.id == THE_ROW))


def _hold(session: Session) -> Counting:
    """The row that says when the last count was; nobody else counts until this transaction ends."""
    session.execute(insert_ignoring(session, Counting), {"id": THE_ROW, "counted_at": None})
    query = select(Counting).where(Counting.id == THE_ROW).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _month() -> ColumnElement[int]:
    return cast(extract("year", Invoice.issued_on) * 100 + extract("month", Invoice.issued_on), Integer)


def _touched(session: Session, since: dt.datetime | None) -> set[int]:
    """The months of the invoices that came, or went further, after *since*; all months without it."""
    if since is None:
        return set(session.scalars(select(_month()).distinct()))
    moved = select(_month()).join(Delivery, Delivery.invoice_id == Invoice.id).where(Delivery.changed_at >= since)
    return set(session.scalars(union(select(_month()).where(Invoice.imported_at >= since), moved)))


def _days_of(months: Collection[int]) -> ColumnElement[bool]:
    """That an invoice date lies in one of *months*."""
    spans = [(dt.date(month // 100, month % 100, 1), monthrange(month // 100, month % 100)[1]) for month in months]
    return or_(*(Invoice.issued_on.between(first, first.replace(day=last)) for first, last in spans))


def _clear(session: Session, months: Collection[int] | None) -> None:
    for model in (InvoiceCount, RefusalCount):
        session.execute(delete(model).where(true() if months is None else model.month.in_(months)))


def _fill(session: Session, model: type[Base], query: Any) -> None:
    """Insert what *query* gives: the columns of *model* in their order."""
    names = [column.name for column in model.__table__.columns]
    session.execute(insert(model).from_select(names, query))


def _stands() -> ColumnElement[bool]:
    """That an attempt was taken, and is not taken back."""
    return and_(Attempt.outcome == Outcome.ACCEPTED, Attempt.taken_back_at.is_(None), ~Attempt.is_cancellation)


def _key(column: Any) -> ColumnElement[str]:
    """The key that an enumeration is stored as."""
    return type_coerce(column, String)


def _invoices(days: ColumnElement[bool]) -> Select[Any]:
    """Each invoice once, by where it is and how it left: what `app.delivery.report` says of each, in one pass."""
    is_document = Delivery.part == Part.DOCUMENT
    channel = _key(Attempt.channel)
    claim = func.min(case((Delivery.part == Part.CLAIM, channel)))
    demand = func.min(case((and_(is_document, ~Attempt.is_notice), channel)))
    notice = func.min(case((and_(is_document, Attempt.is_notice), channel)))
    hold = func.min(case((Delivery.state == State.HELD, _key(Delivery.hold))))
    each = (
        select(
            _month().label("month"),
            Invoice.category,
            func.min(rank()).label("rank"),
            func.coalesce(claim, demand, "").label("channel"),
            func.coalesce(notice, "").label("notice_channel"),
            func.coalesce(hold, "").label("hold"),
        )
        .select_from(Invoice)
        .outerjoin(Delivery, Delivery.invoice_id == Invoice.id)
        .outerjoin(Attempt, and_(Attempt.delivery_id == Delivery.id, _stands()))
        .where(days)
        .group_by(Invoice.id, Invoice.category, Invoice.issued_on)
        .subquery("each")
    )
    states = {place: state.value for place, state in enumerate(LEAST_FINISHED_FIRST)}
    place = case(states, value=each.c.rank, else_=UNPLANNED)
    ways = (each.c.month, each.c.category, place, each.c.channel, each.c.notice_channel, each.c.hold)
    return select(*ways, func.count()).group_by(*ways)


def _refusals(days: ColumnElement[bool]) -> Select[Any]:
    """Every refusal of every attempt; what was called back at our own wish is none."""
    recall = aliased(Attempt)
    is_recalled = (
        select(recall.id)
        .where(recall.delivery_id == Attempt.delivery_id, recall.is_cancellation, recall.outcome == Outcome.ACCEPTED)
        .exists()
    )
    is_late = and_(Attempt.outcome == Outcome.ACCEPTED, Attempt.taken_back_at.is_not(None), ~is_recalled)
    each = (
        select(
            _month().label("month"),
            Invoice.category,
            _key(Attempt.channel).label("channel"),
            func.substr(func.coalesce(Attempt.detail, ""), 1, LONGEST_DETAIL).label("detail"),
            (Attempt.outcome == Outcome.ACCEPTED).label("is_late"),
        )
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .where(days, ~Attempt.is_cancellation, or_(Attempt.outcome == Outcome.REFUSED, is_late))
        .subquery("each")
    )
    ways = (each.c.month, each.c.category, each.c.channel, each.c.detail, each.c.is_late)
    return select(*ways, func.count()).group_by(*ways)


def _residents(month: int) -> Select[Any]:
    """Each resident once, by the open contact points and what the eFaktura register said last."""
    mobile, email, answer = aliased(ContactPoint), aliased(ContactPoint), aliased(RegistryAnswer)

    def open_point(point: Any, kind: ContactKind) -> ColumnElement[bool]:
        return and_(point.resident_id == Resident.id, point.kind == kind, point.closed_at.is_(None))

    def known(point: Any) -> ColumnElement[str]:
        return case((point.id.is_(None), "none"), (point.confirmed_at.is_(None), "registered"), else_="confirmed")

    each = (
        select(
            literal(month).label("month"),
            known(mobile).label("mobile"),
            known(email).label("email"),
            func.coalesce(_key(answer.answer), Answer.UNKNOWN.value).label("efaktura"),
        )
        .select_from(Resident)
        .outerjoin(mobile, open_point(mobile, ContactKind.MOBILE))
        .outerjoin(email, open_point(email, ContactKind.EMAIL))
        .outerjoin(answer, and_(answer.resident_id == Resident.id, answer.register == Register.EFAKTURA))
        .subquery("each")
    )
    ways = (each.c.month, each.c.mobile, each.c.email, each.c.efaktura)
    return select(*ways, func.count()).group_by(*ways)


def _mandates(month: int) -> Select[int, bool, int]:
    return (
        select(literal(month), Mandate.wants_notice, func.count())
        .where(Mandate.ended_at.is_(None))
        .group_by(Mandate.wants_notice)
    )
