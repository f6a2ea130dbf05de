"""Calls claims back from the bank, by file, when the invoice is paid, credited or cancelled before it is due."""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import exists, or_, select
from sqlalchemy.exc import IntegrityError

from app.channels.contract import FileChannel, Outcome, Result
from app.core.calendar import AVTALEGIRO_CUT_OFF
from app.core.clock import OSLO
from app.delivery.consignments import Letter
from app.delivery.credits import claims_to_recall
from app.delivery.desk import Desk
from app.delivery.handover import File, TooManyFiles, begin
from app.delivery.models import Attempt, Delivery, Handover, Part, State
from app.delivery.parcels import Parcel, load
from app.delivery.replans import close_notice, rest
from app.invoices.models import Invoice
from app.routing.channels import Channel

log = structlog.get_logger(__name__)


def earliest_recallable_due(now: dt.datetime) -> dt.date:
    """The earliest due date a claim may have to be called back at *now*.

    Source: the operator's developer pages: by 14:00 Oslo time the day before the due date.
    """
    local = now.astimezone(OSLO)
    return local.date() + dt.timedelta(days=1 if local.time() < AVTALEGIRO_CUT_OFF else 2)


def recall_claims(desk: Desk) -> int:
    """Hand over one file that calls back every claim nobody owes any more; gives how many are in it. Commits."""
    channel = desk.channels.files.get(Channel.AVTALEGIRO)
    if channel is None:
        return 0
    ids = _to_recall(desk)[: channel.batch_size]
    if not ids:
        return 0
    now = desk.clock.now()
    parcels = load(desk.session, ids, recalled=True)
    recipients = desk.consignments.recipients(Channel.AVTALEGIRO, parcels)
    try:
        handover = begin(desk.session, Channel.AVTALEGIRO, desk.worker.name, desk.clock.today(), now)
        for parcel in parcels:
            _open(desk, parcel, handover)
        desk.session.commit()
    except IntegrityError:
        # Another worker calls the same claims back just now: the keys are the same, whoever makes them.
        desk.session.rollback()
        return 0
    except TooManyFiles as error:
        log.error("no file number left today", channel=Channel.AVTALEGIRO, detail=str(error))
        desk.session.rollback()
        return 0
    letters: dict[int, Letter] = {}
    return len(parcels) if recall_of(desk, channel, handover, parcels).send(recipients, letters) else 0


def _to_recall(desk: Desk) -> list[int]:
    already = exists().where(
        Attempt.delivery_id == Delivery.id,
        Attempt.is_cancellation,
        (Attempt.outcome.is_(None)) | (Attempt.outcome == Outcome.REFUSED),
    )
    query = (
        select(Delivery.id)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .where(
            Delivery.part == Part.CLAIM,
            Delivery.state.in_((State.IN_TRANSIT, State.DELIVERED)),
            or_(Invoice.closed_at.is_not(None), Delivery.id.in_(claims_to_recall())),
            Invoice.due_on >= earliest_recallable_due(desk.clock.now()),
            ~already,
        )
        .order_by(Delivery.id)
    )
    return list(desk.session.scalars(query))


def _open(desk: Desk, parcel: Parcel, handover: Handover) -> None:
    attempt = Attempt(
        delivery_id=parcel.delivery.id,
        channel=Channel.AVTALEGIRO,
        key=parcel.next_key(Channel.AVTALEGIRO),
        number=parcel.tried + 1,
        is_notice=False,
        is_cancellation=True,
        resent=False,
        handover_id=handover.id,
        opened_at=desk.clock.now(),
    )
    desk.session.add(attempt)
    parcel.attempt = attempt


def recall_of(desk: Desk, channel: FileChannel, handover: Handover, parcels: list[Parcel]) -> File:
    """A file that calls claims back: its outcomes touch the claim that stood, not the journey."""

    def left_out(_parcel: Parcel, attempt: Attempt, result: Result) -> None:
        attempt.outcome, attempt.closed_at, attempt.detail = result.outcome, desk.clock.now(), result.detail
        log.error("a claim could not be called back", attempt=attempt.key, detail=result.detail)

    def recalled(parcel: Parcel, attempt: Attempt, result: Result) -> None:
        now = desk.clock.now()
        attempt.outcome, attempt.closed_at = Outcome.ACCEPTED, now
        attempt.provider_reference = result.provider_reference
        claims = select(Attempt).where(
            Attempt.delivery_id == parcel.delivery.id,
            ~Attempt.is_cancellation,
            Attempt.outcome == Outcome.ACCEPTED,
            Attempt.taken_back_at.is_(None),
        )
        for claim in desk.session.scalars(claims):
            claim.taken_back_at = now
        rest(parcel.delivery, State.CLOSED, now)
        if parcel.invoice.closed_at is not None:
            close_notice(desk.session, parcel.invoice.id, now)

    return File(desk, channel, handover, parcels, left_out, recalled)
