"""Mails that came back become receipts; a mail leaves its box only when its receipt is committed."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import or_, select

from app.channels.contract import Outcome, ReceiptNote, ReceiptStatus
from app.clients.bounce_box import BounceBox, BoxUnavailable, Place, Waiting
from app.clients.return_path import ReturnPath
from app.clients.returned import Kind, Returned, read_returned
from app.core.dialect import begin_writing
from app.delivery.desk import Desk
from app.delivery.models import Attempt, Delivery, State
from app.delivery.notes import keep_notes
from app.delivery.parcels import may_have_arrived
from app.delivery.replans import rest
from app.routing.channels import Channel, Reason

log = structlog.get_logger(__name__)


def collect_returned(desk: Desk) -> None:
    """Read every box for returned mails, and keep what they say. Commits; what came of it is in the tally.

    A box that cannot be read is left alone for the rest of this run.
    """
    path = ReturnPath.by(desk.settings)
    for box in desk.boxes:
        if box.name in desk.ledger.tally.closed_boxes:
            continue
        try:
            for mails in box.waiting():
                _handle_some(desk, box, path, mails)
                if desk.worker.is_stopping:
                    break
        except BoxUnavailable as error:
            desk.session.rollback()
            desk.ledger.tally.closed_boxes.add(box.name)
            desk.ledger.tally.alarms += error.needs_alarm
            log.error("returned mails cannot be read", box=box.name, detail=error.detail)


def _handle_some(desk: Desk, box: BounceBox, path: ReturnPath, mails: Sequence[Waiting]) -> None:
    tally = desk.ledger.tally
    read = [(mail.name, read_returned(mail.content, path)) for mail in mails]
    failed = {returned.key: returned for _, returned in read if returned.has_failed and returned.key}
    if failed:
        _keep(desk, path, failed)
    for place in Place:
        names = [name for name, returned in read if _place_of(returned) is place]
        if names:
            box.move(names, place)
    tally.bounces += sum(1 for _, returned in read if returned.has_failed and returned.key)
    unmatched = [returned.detail for _, returned in read if _place_of(returned) is Place.UNMATCHED]
    tally.unmatched_mails += len(unmatched)
    if unmatched:
        log.warning("returned mails for a person to look at", box=box.name, count=len(unmatched))


def _place_of(returned: Returned) -> Place:
    """A delay and a program's reply change nothing; a failure of no mail of ours, or a letter, is for a person."""
    is_understood = bool(returned.key) if returned.has_failed else returned.kind is not Kind.OTHER
    return Place.HANDLED if is_understood else Place.UNMATCHED


def _keep(desk: Desk, path: ReturnPath, failed: dict[str, Returned]) -> None:
    """Keep the receipts; of a mail that nobody is known to have sent too, since it may be known later. Commits."""
    desk.session.commit()
    begin_writing(desk.session)
    _count_as_taken(desk, path, list(failed))
    keep_notes(
        desk.session,
        desk.clock.now(),
        Channel.EMAIL,
        [ReceiptNote(path.message_id(key), ReceiptStatus.FAILED, returned.detail) for key, returned in failed.items()],
    )
    desk.session.commit()


def _count_as_taken(desk: Desk, path: ReturnPath, keys: Sequence[str]) -> None:
    """What came back had been taken: that settles the attempts among *keys* whose answer was lost. Does not commit."""
    query = (
        select(Attempt, Delivery)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(
            Attempt.key.in_(keys),
            Attempt.channel == Channel.EMAIL,
            may_have_arrived(),
            or_(Delivery.state == State.WAITING, Delivery.hold == Reason.SENT_TWICE),
        )
        .with_for_update(of=Delivery)
        .execution_options(populate_existing=True)
    )
    for attempt, delivery in desk.session.execute(query):
        attempt.outcome, attempt.closed_at = Outcome.ACCEPTED, desk.clock.now()
        attempt.provider_reference = path.message_id(attempt.key)
        rest(delivery, State.IN_TRANSIT, desk.clock.now())
        delivery.channel = Channel.EMAIL
