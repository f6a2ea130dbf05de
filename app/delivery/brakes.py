"""Brakes: a run stops before the letters leave when more goes on paper, or is refused, than usual."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import structlog
from sqlalchemy import Integer, Select, cast, func, select, update
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.audit import AuditEvent, record
from app.core.settings import Settings
from app.delivery.models import Attempt, Brake, BrakeKind, Delivery, Part, PlanRow, State
from app.delivery.replans import replan
from app.invoices.models import Batch, Invoice
from app.registries.models import Register
from app.routing.channels import Channel, Reason

log = structlog.get_logger(__name__)

HISTORY = dt.timedelta(days=90)
HISTORY_BATCHES = 12
RECENT = dt.timedelta(days=1)
RELEASE_LASTS = dt.timedelta(days=1)
# A channel that never refuses anybody would else be stopped by its first refusal.
LOWEST_USUAL_REFUSAL = 0.01
REGISTER_CHANNELS = {
    Register.EFAKTURA: Channel.EFAKTURA,
    Register.VIPPS: Channel.VIPPS,
    Register.MAILBOX: Channel.MAILBOX,
    Register.RESERVATION: Channel.MAILBOX,
}


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """From 0 to 1."""
        return self.part / self.whole if self.whole else 0.0


def pulled(session: Session) -> list[Brake]:
    """The brakes nobody has released."""
    return list(session.scalars(select(Brake).where(Brake.released_at.is_(None)).order_by(Brake.id)))


def stopped_channels(brakes: Collection[Brake]) -> set[Channel]:
    """What may not leave: paper by any of these brakes, since the refused end there; and the channel that refuses."""
    stopped: set[Channel] = set()
    for brake in brakes:
        if brake.kind is not BrakeKind.SILENCE:
            stopped |= {Channel.PAPER} | ({brake.channel} if brake.channel else set())
    return stopped


def check_paper(session: Session, settings: Settings, now: dt.datetime) -> Brake | None:
    """Pull the paper brake when the invoices at hand go on paper more than usual; gives it. Commits."""
    since = _last_release(session, BrakeKind.PAPER, Channel.PAPER)
    at_hand = _paper_share(session, _at_hand(since))
    usual = _usual_paper_share(session, settings, now)
    if at_hand.whole < settings.brake_minimum or at_hand.value <= settings.paper_brake * usual:
        return None
    return _pull(session, BrakeKind.PAPER, Channel.PAPER, at_hand, usual, now)


def _at_hand(since: dt.datetime | None) -> Select[int]:
    """The batches that have letters waiting, without what a person has already let go."""
    batches = (
        select(Invoice.batch_id)
        .join(Delivery, Delivery.invoice_id == Invoice.id)
        .where(Delivery.state == State.WAITING, Delivery.channel == Channel.PAPER)
        .distinct()
    )
    return batches if since is None else batches.where(Invoice.imported_at > since)


def _paper_share(session: Session, batches: Select[int]) -> Share:
    is_paper = cast(Delivery.channel == Channel.PAPER, Integer)
    query = (
        select(func.coalesce(func.sum(is_paper), 0), func.count())
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .where(Invoice.batch_id.in_(batches), Delivery.part == Part.DOCUMENT, Delivery.channel.is_not(None))
        .where(Delivery.state.not_in((State.HELD, State.CLOSED)))
    )
    part, whole = session.execute(query).one()
    return Share(int(part), int(whole))


def _usual_paper_share(session: Session, settings: Settings, now: dt.datetime) -> float:
    """The share in the last batches that have all left; a configured one when they are too few to tell."""
    busy = (
        select(Invoice.batch_id)
        .join(Delivery, Delivery.invoice_id == Invoice.id)
        .where(Delivery.state.in_((State.WAITING, State.SENDING)))
    )
    last = (
        select(Batch.id)
        .where(Batch.finished_at >= now - HISTORY, Batch.id.not_in(busy))
        .order_by(Batch.id.desc())
        .limit(HISTORY_BATCHES)
        .subquery()
    )
    history = _paper_share(session, select(last.c.id))
    return history.value if history.whole >= settings.brake_minimum else settings.paper_brake_share


def check_refusals(session: Session, settings: Settings, now: dt.datetime, channel: Channel) -> Brake | None:
    """Pull the brake of *channel* when it refuses more than usual; gives it. Commits."""
    last = _last_release(session, BrakeKind.REFUSAL, channel)
    since = max(now - RECENT, last) if last else now - RECENT
    recent = _refusal_share(session, channel, since, now)
    if recent.whole < settings.brake_minimum:
        return None
    history = _refusal_share(session, channel, now - HISTORY, now - RECENT)
    usual = history.value if history.whole >= settings.brake_minimum else settings.refusal_brake_share
    usual = max(usual, LOWEST_USUAL_REFUSAL)
    if recent.value <= settings.refusal_brake * usual:
        return None
    return _pull(session, BrakeKind.REFUSAL, channel, recent, usual, now)


def _refusal_share(session: Session, channel: Channel, since: dt.datetime, until: dt.datetime) -> Share:
    is_refused = cast((Attempt.outcome == Outcome.REFUSED) | Attempt.taken_back_at.is_not(None), Integer)
    query = select(func.coalesce(func.sum(is_refused), 0), func.count()).where(
        Attempt.channel == channel,
        Attempt.opened_at > since,
        Attempt.opened_at <= until,
        ~Attempt.is_cancellation,
        Attempt.outcome.in_((Outcome.ACCEPTED, Outcome.REFUSED)),
    )
    part, whole = session.execute(query).one()
    return Share(int(part), int(whole))


def count_silence(session: Session, silent: Collection[Register], now: dt.datetime) -> frozenset[Register]:
    """The silent registers that still hold invoices back: not those a person has let go within a day."""
    released = set(
        session.scalars(
            select(Brake.channel).where(Brake.kind == BrakeKind.SILENCE, Brake.released_at > now - RELEASE_LASTS)
        )
    )
    return frozenset(register for register in silent if REGISTER_CHANNELS[register] not in released)


def check_silence(session: Session, silent: Collection[Register], now: dt.datetime) -> list[Brake]:
    """Pull a brake for each silent register when invoices are held because of it; gives the brakes. Commits."""
    held = (
        session.scalar(select(func.count()).select_from(Delivery).where(Delivery.hold == Reason.REGISTER_SILENT)) or 0
    )
    total = session.scalar(select(func.count()).select_from(Delivery)) or 0
    if not held:
        return []
    channels = sorted({REGISTER_CHANNELS[register] for register in silent})
    return [_pull(session, BrakeKind.SILENCE, channel, Share(held, total), 0.0, now) for channel in channels]


def _pull(session: Session, kind: BrakeKind, channel: Channel, share: Share, usual: float, now: dt.datetime) -> Brake:
    """The brake of this kind and channel, pulled now unless it is already."""
    brake = session.scalars(
        select(Brake).where(Brake.kind == kind, Brake.channel == channel, Brake.released_at.is_(None))
    ).first()
    if brake is None:
        brake = Brake(kind=kind, channel=channel, pulled_at=now, share=share.value, usual_share=usual)
        session.add(brake)
        log.error("brake pulled", kind=kind, channel=channel, share=share.value, usual=usual, count=share.whole)
    session.commit()
    return brake


def _last_release(session: Session, kind: BrakeKind, channel: Channel) -> dt.datetime | None:
    return session.scalar(select(func.max(Brake.released_at)).where(Brake.kind == kind, Brake.channel == channel))


def release_all(
    session: Session, actor: str, reason: str, now: dt.datetime, only: Collection[int] | None = None
) -> list[Brake]:
    """Let go every brake that is pulled (*only*: of these ids, which somebody has seen); gives them. Commits.

    What a silent register held is planned anew.
    """
    brakes = [brake for brake in pulled(session) if only is None or brake.id in only]
    session.execute(
        update(Brake)
        .where(Brake.released_at.is_(None), Brake.id.in_([brake.id for brake in brakes]))
        .values(released_at=now, released_by=actor, release_reason=reason[:500])
    )
    for brake in brakes:
        record(
            session,
            at=now,
            actor=actor,
            event=AuditEvent.BRAKE_RELEASED,
            subject=f"brake:{brake.id}",
            reason=reason,
        )
    if any(brake.kind is BrakeKind.SILENCE for brake in brakes):
        _plan_silenced(session, now)
    session.commit()
    return brakes


def _plan_silenced(session: Session, now: dt.datetime) -> None:
    rows = session.execute(
        select(Invoice, PlanRow)
        .join(Delivery, Delivery.invoice_id == Invoice.id)
        .join(PlanRow, PlanRow.id == Delivery.plan_id)
        .where(Delivery.state == State.HELD, Delivery.hold == Reason.REGISTER_SILENT)
    )
    for invoice, plan in rows.all():
        replan(session, invoice, plan, now)
