"""Asks the provider for one agreement, and puts down what it said; never while a transaction is open.

What is under way is committed first (`Why.ASKING`): after a crash it is asked again under the same id, which the
provider knows. A request that may have arrived can no longer be taken back here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import structlog
from sqlalchemy import or_, update

from app.campaigns.agreements import activate, begin, decline, end, lock_resident, to_guide
from app.campaigns.desk import Desk
from app.campaigns.look import look_up
from app.campaigns.models import Activation, Agreement, AgreementState
from app.campaigns.states import Why
from app.clients.efaktura_agreement import (
    NO_CONSUMER,
    SEVERAL_CONSUMERS,
    AgreementStatus,
    Requested,
    Standing,
)
from app.clients.exchange import CallFailed
from app.clients.rules import Judgement, Verdict
from app.core.crypto import vault
from app.registries.efaktura import consumer
from app.registries.models import Register
from app.registries.targets import targets_of

log = structlog.get_logger(__name__)

PROVIDER = "efaktura"
# So long one call may take, all its tries together; after that its process is taken to be gone.
UNDER_WAY = dt.timedelta(minutes=10)
KEYS_WRONG = {NO_CONSUMER: Why.NOT_FOUND, SEVERAL_CONSUMERS: Why.SEVERAL}


def ask_provider(desk: Desk, agreement_id: int) -> Verdict | None:
    """Ask for this agreement, or how it stands, if that is due; what came of it, None when it is not due. Commits.

    Of several at once one asks. Never raises for what the provider does.
    """
    session, now = desk.session, desk.clock.now()
    session.commit()
    claimed = session.execute(
        update(Agreement)
        .where(
            Agreement.id == agreement_id,
            Agreement.state == AgreementState.REQUESTED,
            Agreement.activation == Activation.AGREEMENT,
            or_(Agreement.ask_at.is_(None), Agreement.ask_at <= now),
        )
        .values(ask_at=now + UNDER_WAY, asked=Agreement.asked + 1, reason=Why.ASKING)
        .returning(Agreement.key, Agreement.resident_id, Agreement.taken_at)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.commit()
    if claimed is None:
        return None
    said = _ask(desk, claimed.key, claimed.resident_id, is_taken=claimed.taken_at is not None)
    _put_down(desk, agreement_id, claimed.resident_id, _completed(desk, claimed.resident_id, said))
    return said.judgement.verdict


def check_standing(desk: Desk, agreement_id: int) -> bool:
    """Ask the provider whether an active agreement still stands, and end it if not; whether it ended. Commits."""
    session = desk.session
    agreement = session.get_one(Agreement, agreement_id, populate_existing=True)
    key, resident_id = agreement.key, agreement.resident_id
    session.commit()
    try:
        status = desk.outfit.gateway.agreement_status(key)
    except CallFailed as failure:
        log.warning("agreement_not_checked", agreement=agreement_id, failure=str(failure))
        return False
    begin(session)
    lock_resident(session, resident_id)
    agreement, now = session.get_one(Agreement, agreement_id, populate_existing=True), desk.clock.now()
    # DECLINED is no end: eFaktura came another way, and the register alone knows of that.
    has_ended = status is not None and status.standing is Standing.ENDED
    if agreement.state is AgreementState.ACTIVE:
        agreement.ask_at = now + dt.timedelta(days=desk.settings.agreement_check_days)
        if has_ended:
            end(session, agreement, PROVIDER, now)
    session.commit()
    return has_ended


def _ask(desk: Desk, key: str, resident_id: int, *, is_taken: bool) -> Requested:
    """What the provider says now; what it has lost is asked for again, by the same id."""
    if is_taken:
        try:
            status = desk.outfit.gateway.agreement_status(key)
        except CallFailed as failure:
            return Requested(Judgement(Verdict.UNCERTAIN, failure.detail, failure.needs_alarm))
        if status is not None:
            return Requested(Judgement(Verdict.ACCEPTED, status.standing.value), status, status.code)
    [target] = targets_of(desk.session, Register.EFAKTURA, vault(desk.settings), [resident_id])
    return desk.outfit.gateway.request_agreement(key, consumer(target))


def _completed(desk: Desk, resident_id: int, said: Requested) -> Requested:
    """With the identifier of whoever is reached now, which a look-up gives where the provider's answer does not."""
    status = said.status
    if status is None or status.standing is not Standing.ACTIVE or status.identifier:
        return said
    found = look_up(desk, [resident_id]).get(resident_id)
    return replace(said, status=replace(status, identifier=found.reference if found else None))


def _put_down(desk: Desk, agreement_id: int, resident_id: int, said: Requested) -> None:
    """Store what the provider said, unless something else has settled the agreement meanwhile."""
    session, now = desk.session, desk.clock.now()
    begin(session)
    lock_resident(session, resident_id)
    agreement = session.get_one(Agreement, agreement_id, populate_existing=True)
    if agreement.state is AgreementState.REQUESTED:
        if said.status is not None:
            _follow(desk, agreement, said.status, now)
        elif said.judgement.verdict is Verdict.REFUSED:
            _refused(desk, agreement, said.code, now)
        else:
            is_lost = said.judgement.verdict is not Verdict.UNAVAILABLE
            agreement.reason = Why.UNCERTAIN if is_lost else Why.UNAVAILABLE
            agreement.ask_at = now + wait(desk, agreement.asked)
    session.commit()
    say = log.error if said.judgement.needs_alarm else log.info
    say("agreement_asked", agreement=agreement_id, verdict=said.judgement.verdict.value, detail=said.judgement.detail)


def _follow(desk: Desk, agreement: Agreement, status: AgreementStatus, now: dt.datetime) -> None:
    agreement.taken_at, agreement.reason = agreement.taken_at or now, None
    if status.standing is Standing.PENDING:
        agreement.ask_at = now + wait(desk, agreement.asked)
    elif status.standing is Standing.ACTIVE:
        agreement.ask_at = now + dt.timedelta(days=desk.settings.agreement_check_days)
        activate(desk.session, agreement, PROVIDER, now, status.identifier)
    else:
        decline(desk.session, agreement, Why.REFUSED, PROVIDER, now)


def _refused(desk: Desk, agreement: Agreement, code: str | None, now: dt.datetime) -> None:
    why = KEYS_WRONG.get(code or "")
    if why is None:
        decline(desk.session, agreement, Why.REFUSED, PROVIDER, now)
        return
    to_guide(agreement, why, now)


def wait(desk: Desk, asked: int) -> dt.timedelta:
    """How long until the provider is asked again: growing, as RETRY_WAITS says."""
    waits = desk.settings.retry_waits or (dt.timedelta(0),)
    return waits[min(asked, len(waits)) - 1]
