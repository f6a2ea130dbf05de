"""Settles the files that a dead worker left: what it had written whole is handed over, the rest never was."""

from __future__ import annotations

import structlog
from sqlalchemy import exists, select, update

from app.delivery.desk import Desk
from app.delivery.files import file_of
from app.delivery.models import Attempt, Delivery, Handover, State
from app.delivery.parcels import load
from app.delivery.recalls import recall_of
from app.delivery.workers import is_gone, is_here
from app.routing.channels import Channel

log = structlog.get_logger(__name__)


def abandoned_handovers(desk: Desk) -> list[Handover]:
    """The files that a worker began, and will not finish any more. Those already discarded have nothing in them."""
    has_any = exists().where(Attempt.handover_id == Handover.id, Attempt.outcome.is_(None))
    query = select(Handover).where(Handover.handed_over_at.is_(None), has_any).order_by(Handover.id)
    unfinished = desk.session.scalars(query)
    return [handover for handover in unfinished if _is_abandoned(desk, handover)]


def _is_abandoned(desk: Desk, handover: Handover) -> bool:
    if is_here(handover.worker):
        return is_gone(handover.worker)
    oldest = desk.clock.now() - desk.settings.lease
    is_kept = desk.session.scalar(
        select(exists().where(Delivery.worker == handover.worker, Delivery.claimed_at >= oldest))
    )
    return handover.opened_at < oldest and not is_kept


def take_over(desk: Desk, handover: Handover) -> bool:
    """Make an abandoned file, and the parts in it, ours; False when another worker was first. Commits."""
    before = handover.worker
    mine = desk.session.execute(
        update(Handover)
        .where(Handover.id == handover.id, Handover.worker == before, Handover.handed_over_at.is_(None))
        .values(worker=desk.worker.name)
        .returning(Handover.id)
        .execution_options(synchronize_session=False)
    ).scalar()
    inside = select(Attempt.delivery_id).where(Attempt.handover_id == handover.id, Attempt.outcome.is_(None))
    if mine is not None:
        desk.session.execute(
            update(Delivery)
            .where(Delivery.worker == before, Delivery.state == State.SENDING, Delivery.id.in_(inside))
            .values(worker=desk.worker.name, claimed_at=desk.clock.now())
            .execution_options(synchronize_session=False)
        )
    desk.session.commit()
    desk.session.refresh(handover)
    return mine is not None


def recover(desk: Desk) -> int:
    """Settle every abandoned file; gives how many. Commits."""
    settled = 0
    for handover in abandoned_handovers(desk):
        channel = desk.channels.files.get(Channel(handover.channel))
        if channel is None or not take_over(desk, handover):
            continue
        open_attempts = select(Attempt.delivery_id, Attempt.is_cancellation).where(
            Attempt.handover_id == handover.id, Attempt.outcome.is_(None)
        )
        rows = desk.session.execute(open_attempts).all()
        parcels = load(desk.session, [row[0] for row in rows], recalled=any(row[1] for row in rows))
        log.warning("file of an ended worker settled", channel=handover.channel, file=handover.name)
        make = recall_of if any(row[1] for row in rows) else file_of
        file = make(desk, channel, handover, parcels)
        if handover.written_at is None:
            file.discard()
        else:
            file.finish()
        settled += 1
    return settled
