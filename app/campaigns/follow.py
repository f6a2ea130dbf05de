"""Follows every agreement before the invoices are planned: asks the provider and the register, and tells residents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import httpx
import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.campaigns.agreements import begin, end, lock_resident
from app.campaigns.desk import Desk, Outfit
from app.campaigns.look import REGISTER_ACTOR, it_works, look_up
from app.campaigns.models import Activation, Agreement, AgreementState
from app.campaigns.provider import ask_provider, check_standing
from app.campaigns.receipts import send_due_receipts, tell_about_guide
from app.clients.rules import Verdict
from app.core.clock import Clock
from app.core.settings import Settings
from app.registries.models import Register, RegistryAnswer
from app.residents.queries import chunks
from app.routing.channels import Answer

log = structlog.get_logger(__name__)

# So many questions in a row without an answer, and the provider is left in peace until the next run.
GIVE_UP_AFTER = 3
FOLLOWED = (AgreementState.REQUESTED, AgreementState.ACTIVE)
PAGE = 1000


@dataclass(slots=True)
class Followed:
    """What came of following.

    ``asked``: calls about single agreements; ``told``: receipts; ``overdue``: unanswered for too long.
    """

    asked: int = 0
    looked_up: int = 0
    active: int = 0
    declined: int = 0
    ended: int = 0
    told: int = 0
    overdue: int = 0

    def as_json(self) -> dict[str, int]:
        """For reports."""
        return asdict(self)


def before_routing(
    session: Session, settings: Settings, clock: Clock, transport: httpx.BaseTransport | None, since: dt.datetime
) -> Mapping[str, int]:
    """What is done between asking the registers and planning: `follow_agreements`, when there is anything to follow."""
    has_any = session.scalar(select(Agreement.id).where(Agreement.state.in_(FOLLOWED)).limit(1))
    session.commit()
    if has_any is None:
        return Followed().as_json()
    outfit = Outfit.by(settings, clock, transport)
    try:
        return follow_agreements(Desk(session, settings, clock, outfit), since).as_json()
    finally:
        outfit.close()


def follow_agreements(desk: Desk, since: dt.datetime | None = None) -> Followed:
    """Ask about everything that is due, and tell the residents. Commits as it goes; a killed run has asked fewer.

    What the register said after *since* counts as fresh and is not asked again. Never raises for what others do.
    """
    done, begun = Followed(), desk.clock.now()
    since = since or begun
    _hear_register(desk)
    _ask_pending(desk, done)
    _look_for_wishes(desk, done, since)
    _check_active(desk, done, since)
    send_due_receipts(desk)
    _count(desk, done, begun)
    log.info("agreements_followed", **done.as_json())
    return done


def _hear_register(desk: Desk) -> None:
    """Whatever the register has come to know since the yes is active now, however it came."""
    known = (
        select(Agreement.resident_id, RegistryAnswer.reference)
        .join(RegistryAnswer, RegistryAnswer.resident_id == Agreement.resident_id)
        .where(
            Agreement.state == AgreementState.REQUESTED,
            RegistryAnswer.register == Register.EFAKTURA,
            RegistryAnswer.answer == Answer.YES,
            RegistryAnswer.asked_at >= Agreement.requested_at,
        )
        .order_by(Agreement.id)
    )
    for resident_id, identifier in desk.session.execute(known).all():
        it_works(desk, resident_id, identifier)


def _ask_pending(desk: Desk, done: Followed) -> None:
    """Ask for what the provider does not have, and about what it has; several without an answer end it."""
    due = select(Agreement.id).where(
        Agreement.state == AgreementState.REQUESTED,
        Agreement.activation == Activation.AGREEMENT,
        or_(Agreement.ask_at.is_(None), Agreement.ask_at <= desk.clock.now()),
    )
    silence = 0
    for agreement_id in desk.session.scalars(due.order_by(Agreement.id)).all():
        if silence >= GIVE_UP_AFTER:
            break
        verdict = ask_provider(desk, agreement_id)
        done.asked += verdict is not None
        silence = silence + 1 if verdict in {Verdict.UNAVAILABLE, Verdict.UNCERTAIN} else 0
        if verdict is Verdict.REFUSED and _is_wish(desk, agreement_id):
            tell_about_guide(desk, agreement_id)


def _is_wish(desk: Desk, agreement_id: int) -> bool:
    agreement = desk.session.get_one(Agreement, agreement_id, populate_existing=True)
    return agreement.activation is Activation.GUIDE


def _look_for_wishes(desk: Desk, done: Followed, since: dt.datetime) -> None:
    """Look everybody up who said yes and does the rest in the bank, unless the run has just done so."""
    wishes = (
        select(Agreement.resident_id)
        .outerjoin(RegistryAnswer, _is_its_answer())
        .where(
            Agreement.state == AgreementState.REQUESTED,
            Agreement.activation == Activation.GUIDE,
            or_(RegistryAnswer.id.is_(None), RegistryAnswer.asked_at < since),
        )
    )
    for page in chunks(desk.session.scalars(wishes.order_by(Agreement.resident_id)).all(), PAGE):
        said = look_up(desk, page)
        done.looked_up += len(page)
        for resident_id, one in said.items():
            if one.answer is Answer.YES:
                it_works(desk, resident_id, one.reference)
        if not said:
            break


def _check_active(desk: Desk, done: Followed, since: dt.datetime) -> None:
    """End what was switched off: by the register's word, or, of what the provider did, by the provider's."""
    is_off = and_(RegistryAnswer.answer == Answer.NO, RegistryAnswer.asked_at > Agreement.decided_at)
    query = (
        select(Agreement.id, Agreement.resident_id, Agreement.activation, Agreement.taken_at)
        .outerjoin(RegistryAnswer, _is_its_answer())
        .where(
            Agreement.state == AgreementState.ACTIVE,
            or_(and_(is_off, RegistryAnswer.asked_at >= since), Agreement.ask_at <= desk.clock.now()),
        )
        .order_by(Agreement.id)
    )
    for agreement_id, resident_id, activation, taken_at in desk.session.execute(query).all():
        if activation is Activation.AGREEMENT and taken_at is not None:
            check_standing(desk, agreement_id)
            done.asked += 1
        else:
            _end_by_register(desk, agreement_id, resident_id)


def _end_by_register(desk: Desk, agreement_id: int, resident_id: int) -> None:
    session, now = desk.session, desk.clock.now()
    begin(session)
    lock_resident(session, resident_id)
    agreement = session.get_one(Agreement, agreement_id, populate_existing=True)
    answer = session.scalar(
        select(RegistryAnswer.answer).filter_by(resident_id=resident_id, register=Register.EFAKTURA)
    )
    if agreement.state is AgreementState.ACTIVE:
        agreement.ask_at = None
        if answer is Answer.NO:
            end(session, agreement, REGISTER_ACTOR, now)
    session.commit()


def _is_its_answer() -> ColumnElement[bool]:
    return and_(RegistryAnswer.resident_id == Agreement.resident_id, RegistryAnswer.register == Register.EFAKTURA)


def _count(desk: Desk, done: Followed, begun: dt.datetime) -> None:
    """What changed since *begun*, and what has waited longer than residents are told."""
    latest = begun - dt.timedelta(days=desk.settings.agreement_answer_days)
    is_pending = and_(Agreement.state == AgreementState.REQUESTED, Agreement.activation == Activation.AGREEMENT)
    row = desk.session.execute(
        select(
            _number(Agreement.state == AgreementState.ACTIVE, Agreement.decided_at >= begun),
            _number(Agreement.state == AgreementState.DECLINED, Agreement.decided_at >= begun),
            _number(Agreement.ended_at >= begun),
            _number(Agreement.receipt_sent_at >= begun),
            _number(is_pending, Agreement.requested_at < latest),
        )
    ).one()
    desk.session.commit()
    done.active, done.declined, done.ended, done.told, done.overdue = row


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(*conditions)
