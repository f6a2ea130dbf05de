"""What providers say later: asked for or sent to us, kept once, handled once, in the order that its meaning gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy import func, select, update

from app.channels.contract import MessageChannel, Outcome, ReceiptStatus, Result
from app.core.dialect import picked
from app.delivery.bounces import note_refused_address
from app.delivery.desk import Desk, Seats, result_of
from app.delivery.listeners import tell
from app.delivery.models import Attempt, Delivery, Receipt, State
from app.delivery.notes import keep_notes
from app.delivery.parcels import UNSETTLED, Parcel, load
from app.delivery.replans import rest
from app.delivery.returned_mail import collect_returned
from app.routing.channels import Channel

log = structlog.get_logger(__name__)

AT_ONCE = 200
A_CALL = 25
ASK_AGAIN = dt.timedelta(days=1)
# A returned letter or a refusal by the mailbox can come weeks after "delivered"; source: channels.md §5.1.
LISTEN = dt.timedelta(days=30)
MOST_EXPIRIES = 2
ARRIVED = (ReceiptStatus.DELIVERED, ReceiptStatus.READ, ReceiptStatus.SETTLED_BY_HAND)
# From the last word to the first: what was read has arrived, whatever else is said about it.
BY_MEANING = (
    ReceiptStatus.READ,
    ReceiptStatus.FAILED,
    ReceiptStatus.EXPIRED,
    ReceiptStatus.SETTLED_BY_HAND,
    ReceiptStatus.DELIVERED,
    ReceiptStatus.IN_TRANSIT,
)


def collect(desk: Desk) -> int:
    """Ask every provider for its newest words, and handle them; gives how many were new. Commits."""
    due_at = desk.clock.now()
    for channel in desk.channels.messages.values():
        seats = Seats(desk.settings.seats, desk.session.commit, desk.settings.lease.total_seconds())
        try:
            while not desk.worker.is_stopping and _ask(desk, channel, seats, due_at):
                pass
        finally:
            seats.close()
    collect_returned(desk)
    tell(desk.session, desk.settings, desk.clock)
    return handle(desk)


def count_unknown(desk: Desk) -> int:
    """How many receipts are kept that belong to nothing of ours, as far as is known."""
    return desk.session.scalar(select(func.count()).select_from(Receipt).where(Receipt.handled_at.is_(None))) or 0


def _ask(desk: Desk, channel: MessageChannel, seats: Seats, due_at: dt.datetime) -> bool:
    """Ask about some that are due; whether there were any."""
    references = _take_due(desk, channel.channel, due_at)
    if not references:
        return False
    # A provider that takes many at a time tells of many at a time too.
    size = A_CALL if channel.batch_size == 1 else AT_ONCE
    calls = [references[start : start + size] for start in range(0, len(references), size)]
    for future in seats.map(channel.receipts, calls):
        notes = result_of(future)
        if not isinstance(notes, Result):
            keep_notes(desk.session, desk.clock.now(), channel.channel, notes)
    desk.session.commit()
    return True


def _take_due(desk: Desk, channel: Channel, due_at: dt.datetime) -> Sequence[str]:
    """The references to ask about now; the next question about each is set, so nobody else asks at the same time."""
    now, waits = desk.clock.now(), desk.settings.retry_waits or (dt.timedelta(0),)
    query = (
        select(Delivery.id)
        .where(Delivery.channel == channel, Delivery.ask_at.is_not(None), Delivery.ask_at < due_at)
        .order_by(Delivery.ask_at, Delivery.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    # In transit it is asked about soon again; `_later` is for those that have arrived.
    ids = desk.session.scalars(
        update(Delivery)
        .where(picked(desk.session, Delivery.id, query))
        .values(ask_at=max(now + waits[0], due_at))
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    arrived = (Delivery.id.in_(ids), Delivery.state == State.DELIVERED)
    for is_old, ask_at in ((True, None), (False, now + ASK_AGAIN)):
        age = Delivery.changed_at < now - LISTEN if is_old else Delivery.changed_at >= now - LISTEN
        desk.session.execute(
            update(Delivery).where(*arrived, age).values(ask_at=ask_at).execution_options(synchronize_session=False)
        )
    references = desk.session.scalars(
        select(Attempt.provider_reference).where(
            Attempt.delivery_id.in_(ids),
            Attempt.channel == channel,
            Attempt.outcome == Outcome.ACCEPTED,
            Attempt.taken_back_at.is_(None),
            Attempt.provider_reference.is_not(None),
        )
    ).all()
    desk.session.commit()
    return [reference for reference in references if reference] if ids else []


def handle(desk: Desk) -> int:
    """Handle every receipt that belongs to an attempt of ours; gives how many. Unknown ones are kept. Commits."""
    handled, after = 0, 0
    while not desk.worker.is_stopping:
        rows = desk.session.execute(
            select(Receipt.id, Attempt.id, Attempt.delivery_id)
            .join(
                Attempt,
                (Attempt.provider_reference == Receipt.provider_reference) & (Attempt.channel == Receipt.channel),
            )
            .where(Receipt.handled_at.is_(None), Receipt.id > after, Attempt.outcome == Outcome.ACCEPTED)
            .order_by(Receipt.id)
            .limit(AT_ONCE)
        ).all()
        if not rows:
            break
        after = rows[-1][0]
        handled += _handle_some(desk, {row[0]: row[1] for row in rows}, {row[2] for row in rows})
    return handled


def _handle_some(desk: Desk, attempt_of: dict[int, int], delivery_ids: set[int]) -> int:
    """Take the receipts for us alone, then do what the attempts' receipts together mean."""
    mine = desk.session.scalars(
        update(Receipt)
        .where(Receipt.id.in_(attempt_of), Receipt.handled_at.is_(None))
        .values(handled_at=desk.clock.now())
        .returning(Receipt.id)
        .execution_options(synchronize_session=False)
    ).all()
    attempts = {attempt_of[receipt_id] for receipt_id in mine}
    parcels = {parcel.delivery.id: parcel for parcel in load(desk.session, delivery_ids)}
    query = select(Attempt).where(Attempt.id.in_(attempts)).order_by(Attempt.id)
    found = desk.session.scalars(query).all()
    said = _said(desk, found)
    for attempt in found:
        if attempt.delivery_id in parcels and not attempt.is_cancellation and attempt.outcome not in UNSETTLED:
            reference = (attempt.channel, attempt.provider_reference or "")
            _apply(desk, parcels[attempt.delivery_id], attempt, said.get(reference, {}))
    desk.session.commit()
    return len(mine)


def _said(desk: Desk, attempts: Sequence[Attempt]) -> Mapping[tuple[Channel, str], dict[str, str | None]]:
    """Everything that was ever said about these attempts: status and detail, by channel and reference."""
    references = {attempt.provider_reference for attempt in attempts}
    said: dict[tuple[Channel, str], dict[str, str | None]] = {}
    for receipt in desk.session.scalars(select(Receipt).where(Receipt.provider_reference.in_(references))):
        said.setdefault((receipt.channel, receipt.provider_reference), {})[receipt.status] = receipt.detail
    return said


def _apply(desk: Desk, parcel: Parcel, attempt: Attempt, said: Mapping[str, str | None]) -> None:
    status = next((status for status in BY_MEANING if status.value in said), ReceiptStatus.IN_TRANSIT)
    delivery, now = parcel.delivery, desk.clock.now()
    is_current = parcel.attempt is attempt and delivery.state in (State.IN_TRANSIT, State.DELIVERED)
    if status in (ReceiptStatus.FAILED, ReceiptStatus.EXPIRED) and attempt.taken_back_at is None:
        attempt.taken_back_at, attempt.detail = now, said[status.value] or attempt.detail
        _take_back(desk, parcel, attempt, status, is_current)
    elif status in ARRIVED and is_current and delivery.state is State.IN_TRANSIT:
        rest(delivery, State.DELIVERED, now)
        delivery.settle_at = None
        delivery.ask_at = None if status is ReceiptStatus.READ else now + ASK_AGAIN


def _take_back(desk: Desk, parcel: Parcel, attempt: Attempt, status: ReceiptStatus, is_current: bool) -> None:
    """What was taken, even delivered, was not: the same channel again when it only expired, else the next."""
    log.warning("taken back", invoice=parcel.invoice.public_id, channel=attempt.channel, status=status)
    if status is ReceiptStatus.FAILED and attempt.channel is Channel.EMAIL:
        limit = desk.settings.bounce_soft_limit
        note_refused_address(desk.session, limit, parcel.invoice, attempt, desk.clock.now())
    if not is_current:
        return
    desk.ledger.tally.refused += 1
    if (
        status is ReceiptStatus.EXPIRED
        and parcel.invoice.closed_at is None
        and _expiries(desk, attempt) < MOST_EXPIRIES
    ):
        rest(parcel.delivery, State.WAITING, desk.clock.now())
        parcel.delivery.next_try_at = desk.clock.now()
    else:
        desk.ledger.lead_on(parcel)


def _expiries(desk: Desk, attempt: Attempt) -> int:
    """How often this part has been taken back by this channel."""
    desk.session.flush()
    query = select(Attempt.id).where(
        Attempt.delivery_id == attempt.delivery_id,
        Attempt.channel == attempt.channel,
        Attempt.taken_back_at.is_not(None),
    )
    return len(desk.session.scalars(query).all())
