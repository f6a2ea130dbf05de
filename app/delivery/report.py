"""Counts in = counts out: how many invoices there are, where each of them is, and how each of them left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CompoundSelect, Select, Subquery, case, func, select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.delivery.models import Attempt, Delivery, Part, State
from app.invoices.models import Batch, Invoice, Pending
from app.routing.channels import Channel, Kind

# From the least finished to the most: an invoice is as far as the part that is least far. A part that a person must
# look at makes the whole invoice one.
LEAST_FINISHED_FIRST = (
    State.HELD,
    State.WAITING,
    State.SENDING,
    State.IN_TRANSIT,
    State.DELIVERED,
    State.CLOSED,
)
UNPLANNED = "unplanned"
STATES = (UNPLANNED, *(state.value for state in (State.WAITING, State.SENDING, State.IN_TRANSIT, State.DELIVERED,
                                                 State.HELD, State.CLOSED)))  # fmt: skip


@dataclass(slots=True)
class BatchCount:
    """One batch: ``came`` is what its import counted, ``states`` what is known of its invoices now."""

    batch_id: int
    source: str
    came: int
    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))

    @property
    def is_balanced(self) -> bool:
        """Whether every invoice that came is accounted for."""
        return self.came == sum(self.states.values())


@dataclass(slots=True)
class Report:
    """The whole count. ``by_channel`` and ``notices_by_channel`` count what left and was not taken back."""

    invoices: int
    planned: int
    batches: list[BatchCount]
    by_channel: dict[str, int]
    notices_by_channel: dict[str, int]
    not_sent: list[str]

    @property
    def states(self) -> dict[str, int]:
        """How many invoices are in each state."""
        return {state: sum(batch.states[state] for batch in self.batches) for state in STATES}

    @property
    def is_balanced(self) -> bool:
        """Whether counts in = counts out, over all and in each batch."""
        return self.invoices == sum(self.states.values()) and all(batch.is_balanced for batch in self.batches)

    def as_json(self) -> dict[str, Any]:
        """The keys other programs rely on."""
        return {
            "invoices": self.invoices,
            **self.states,
            "planned": self.planned,
            "by_channel": self.by_channel,
            "notices_by_channel": self.notices_by_channel,
            "balanced": self.is_balanced,
            "not_sent": self.not_sent,
            "batches": [
                {"batch": batch.batch_id, "invoices": batch.came, **batch.states, "balanced": batch.is_balanced}
                for batch in self.batches
            ],
        }


def make_report(session: Session) -> Report:
    """Count everything, in a few statements over all invoices."""
    standing = _standing()
    return Report(
        invoices=session.scalar(select(func.count()).select_from(Invoice)) or 0,
        planned=session.scalar(select(func.count(Delivery.invoice_id.distinct())).where(Delivery.plan_id.is_not(None)))
        or 0,
        batches=_batches(session, standing),
        by_channel=_counted(session, _demands()),
        notices_by_channel=_counted(session, _notices()),
        not_sent=_not_sent(session, standing),
    )


def rank() -> Any:
    """How far a part is, as a number: the lower, the less finished."""
    return case({state: place for place, state in enumerate(LEAST_FINISHED_FIRST)}, value=Delivery.state)


def _standing() -> Subquery:
    """Each invoice with a delivery, and how far it is."""
    return (
        select(Delivery.invoice_id, func.min(rank()).label("place")).group_by(Delivery.invoice_id).subquery("standing")
    )


def _batches(session: Session, standing: Subquery) -> list[BatchCount]:
    counts = {
        batch.id: BatchCount(batch.id, batch.source, batch.invoice_count)
        for batch in session.scalars(select(Batch).order_by(Batch.id))
    }
    known = session.execute(
        select(Invoice.batch_id, standing.c.place, func.count())
        .join(standing, standing.c.invoice_id == Invoice.id)
        .group_by(Invoice.batch_id, standing.c.place)
    )
    for batch_id, place, count in known:
        counts[batch_id].states[LEAST_FINISHED_FIRST[place].value] += count
    unplanned = session.execute(
        select(Invoice.batch_id, func.count())
        .join(Pending, Pending.invoice_id == Invoice.id)
        .outerjoin(standing, standing.c.invoice_id == Invoice.id)
        .where(standing.c.invoice_id.is_(None))
        .group_by(Invoice.batch_id)
    )
    for batch_id, count in unplanned:
        counts[batch_id].states[UNPLANNED] += count
    return list(counts.values())


def _taken(part: Part) -> Select[Any, Any]:
    """Channel and invoice of what was taken and not taken back."""
    return (
        select(Attempt.channel, Delivery.invoice_id)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(
            Delivery.part == part,
            Attempt.outcome == Outcome.ACCEPTED,
            Attempt.taken_back_at.is_(None),
            ~Attempt.is_cancellation,
        )
    )


def _demands() -> CompoundSelect[Any, Any]:
    """A claim that was taken counts before the document beside it."""
    claims = _taken(Part.CLAIM)
    claimed = claims.with_only_columns(Delivery.invoice_id)
    return claims.union(_taken(Part.DOCUMENT).where(~Attempt.is_notice, Delivery.invoice_id.not_in(claimed)))


def _notices() -> Select[Any, Any]:
    return _taken(Part.DOCUMENT).where(Attempt.is_notice).distinct()


def _counted(session: Session, query: Select[Any, Any] | CompoundSelect[Any, Any]) -> dict[str, int]:
    """Invoices by channel, every channel named."""
    taken = query.subquery()
    rows = session.execute(select(taken.c[0], func.count()).group_by(taken.c[0]))
    counts = {channel.value: 0 for channel in Channel}
    return counts | {Channel(channel).value: count for channel, count in rows}


def _not_sent(session: Session, standing: Subquery) -> list[str]:
    """The numbers of what no demand has left for, and of credit notes, which are none."""
    sent = [LEAST_FINISHED_FIRST.index(state) for state in (State.IN_TRANSIT, State.DELIVERED)]
    query = (
        select(Invoice.number)
        .outerjoin(standing, standing.c.invoice_id == Invoice.id)
        .where((Invoice.kind == Kind.CREDIT_NOTE) | standing.c.place.is_(None) | standing.c.place.not_in(sent))
        .order_by(Invoice.id)
    )
    return list(session.scalars(query))
