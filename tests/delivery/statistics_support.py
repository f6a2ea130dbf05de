"""The summary tables read whole, and the same figures counted by hand from the rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.delivery import statistics
from app.delivery.models import Attempt, Delivery, Part, State
from app.delivery.report import LEAST_FINISHED_FIRST, make_report
from app.delivery.statistics_models import InvoiceCount, MandateCount, RefusalCount, ResidentCount
from app.invoices.models import Invoice
from tests.delivery.town import Town

Tables = dict[str, set[tuple[object, ...]]]


def tables(session: Session) -> Tables:
    """Everything in the summary tables."""
    session.rollback()
    models = (InvoiceCount, RefusalCount, ResidentCount, MandateCount)
    return {
        model.__tablename__: {tuple(row) for row in session.execute(select(*model.__table__.columns))}
        for model in models
    }


@dataclass(frozen=True)
class Told:
    """Where one invoice is, read from its rows one by one."""

    month: int
    category: str
    place: str
    channel: str
    notice_channel: str
    hold: str


def told(session: Session, invoice: Invoice) -> Told:
    parts = session.scalars(select(Delivery).where(Delivery.invoice_id == invoice.id)).all()
    place = min((LEAST_FINISHED_FIRST.index(part.state) for part in parts), default=None)
    standing: dict[str, str] = {}
    for part in parts:
        for attempt in session.scalars(select(Attempt).where(Attempt.delivery_id == part.id)):
            if attempt.outcome is Outcome.ACCEPTED and not attempt.taken_back_at and not attempt.is_cancellation:
                kind = "claim" if part.part is Part.CLAIM else "notice" if attempt.is_notice else "demand"
                standing[kind] = attempt.channel.value
    holds = sorted(part.hold.value for part in parts if part.state is State.HELD and part.hold)
    return Told(
        invoice.issued_on.year * 100 + invoice.issued_on.month,
        invoice.category,
        "unplanned" if place is None else LEAST_FINISHED_FIRST[place].value,
        standing.get("claim") or standing.get("demand", ""),
        standing.get("notice", ""),
        holds[0] if holds else "",
    )


def recounted(session: Session) -> set[tuple[object, ...]]:
    """The invoice counts, by hand."""
    each = Counter(astuple(told(session, invoice)) for invoice in session.scalars(select(Invoice)).all())
    return {(*ways, count) for ways, count in each.items()}


def check(town: Town) -> None:
    """What was counted where something moved is what a count of everything gives, and what the rows say."""
    statistics.count(town.session, town.clock)
    kept = tables(town.session)
    assert kept["invoice_count"] == recounted(town.session)
    by_channel = Counter[str]()
    for _month, _category, _place, channel, _notice, _hold, count in kept["invoice_count"]:
        by_channel[str(channel)] += int(str(count))
    report = make_report(town.session)
    assert {name: by_channel[name] for name in report.by_channel} == report.by_channel
    statistics.count(town.session, town.clock, everything=True)
    assert tables(town.session) == kept
