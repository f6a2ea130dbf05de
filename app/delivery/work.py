"""Claims of work: taking what is due by compare-and-swap, keeping it, giving it back, and freeing a dead one's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import structlog
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.channels.contract import Outcome
from app.core.dialect import picked
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery, Part, State
from app.delivery.workers import Worker, is_gone, is_here
from app.routing.channels import Channel

log = structlog.get_logger(__name__)

LEFT = (State.IN_TRANSIT, State.DELIVERED)


def take(
    session: Session, worker: Worker, channel: Channel, limit: int, now: dt.datetime, *, is_settling: bool = False
) -> list[int]:
    """Claim up to *limit* parts of *channel* that are due, the longest waiting first; gives their ids. Commits.

    ``is_settling``: only those of which nobody knows what became.
    """
    query = _due(channel, now)
    if is_settling:
        query = query.where(_is_unsettled())
    query = query.order_by(Delivery.next_try_at, Delivery.id).limit(limit)
    taken = session.scalars(
        update(Delivery)
        .where(picked(session, Delivery.id, query.with_for_update(skip_locked=True)), Delivery.state == State.WAITING)
        .values(state=State.SENDING, worker=worker.name, claimed_at=now, changed_at=now)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.commit()
    return sorted(taken)


def count_due(session: Session, channel: Channel, now: dt.datetime) -> int:
    """How many parts of *channel* are due."""
    return session.scalar(select(func.count()).select_from(_due(channel, now).subquery())) or 0


def _due(channel: Channel, now: dt.datetime) -> Select[int]:
    """A notice that says "trekkes automatisk" may not leave before the claim it speaks of."""
    claim = aliased(Delivery)
    claim_left = exists().where(
        claim.invoice_id == Delivery.invoice_id, claim.part == Part.CLAIM, claim.state.in_(LEFT)
    )
    return select(Delivery.id).where(
        Delivery.state == State.WAITING,
        Delivery.channel == channel,
        Delivery.next_try_at <= now,
        or_(~Delivery.is_notice, Delivery.part == Part.CLAIM, claim_left),
    )


def keep(session: Session, worker: Worker, ids: Collection[int], now: dt.datetime) -> set[int]:
    """Renew the claim on *ids*; gives those that are still ours, locked for this transaction. Does not commit.

    Whoever was thought dead and was not finds here that its work has gone to another.
    """
    if not ids:
        return set()
    return set(
        session.scalars(
            update(Delivery)
            .where(Delivery.id.in_(ids), Delivery.worker == worker.name, Delivery.state == State.SENDING)
            .values(claimed_at=now)
            .returning(Delivery.id)
            .execution_options(synchronize_session=False)
        )
    )


def give_back(session: Session, worker: Worker, ids: Collection[int], now: dt.datetime) -> None:
    """Let *ids* wait again, due at once: nothing was done to them. Commits."""
    if ids:
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids), Delivery.worker == worker.name, Delivery.state == State.SENDING)
            .values(state=State.WAITING, worker=None, claimed_at=None, changed_at=now)
            .execution_options(synchronize_session=False)
        )
    session.commit()


def free_gone(session: Session, settings: Settings, now: dt.datetime) -> int:
    """Let the work of ended workers wait again, whatever they left open; gives how much there was. Commits.

    What lies in a file under way is not freed here: `app.delivery.handover.recover` settles the file first.
    """
    freed = 0
    for name in workers_with_work(session):
        condition = abandoned(name, settings, now)
        if condition is None:
            continue
        rows = session.scalars(
            update(Delivery)
            .where(Delivery.state == State.SENDING, Delivery.worker == name, condition, ~_is_in_file())
            .values(state=State.WAITING, worker=None, claimed_at=None, next_try_at=now, changed_at=now)
            .returning(Delivery.id)
            .execution_options(synchronize_session=False)
        ).all()
        if rows:
            log.warning("work of an ended worker freed", worker=name, parts=len(rows))
        freed += len(rows)
    session.commit()
    return freed


def workers_with_work(session: Session) -> Sequence[str]:
    """The workers that hold claims now."""
    query = select(Delivery.worker).where(Delivery.state == State.SENDING).distinct()
    return [name for name in session.scalars(query) if name is not None]


def abandoned(name: str, settings: Settings, now: dt.datetime) -> ColumnElement[bool] | None:
    """What makes a claim of the worker *name* void: anything when it is gone, its age where it cannot be looked up."""
    if is_gone(name):
        return and_(True)
    if is_here(name):
        return None
    return Delivery.claimed_at < now - settings.lease


def _is_unsettled() -> ColumnElement[bool]:
    unknown = or_(Attempt.outcome.is_(None), Attempt.outcome == Outcome.UNCERTAIN)
    return exists().where(Attempt.delivery_id == Delivery.id, unknown)


def _is_in_file() -> ColumnElement[bool]:
    return exists().where(
        Attempt.delivery_id == Delivery.id, Attempt.outcome.is_(None), Attempt.handover_id.is_not(None)
    )
