"""The agreement from yes to end: requested → active | declined, active → ended; each step with its time and reason.

Every function works in the caller's transaction, which `begin` opened and `lock_resident` made the only one at work on
this resident. Nothing here talks to the provider.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.campaigns.models import Activation, Agreement, AgreementSource, AgreementState
from app.campaigns.states import OPEN, Why, takes_efaktura
from app.core.audit import AuditEvent, record
from app.core.dialect import begin_writing, upsert
from app.core.ids import derived_id
from app.core.settings import Settings
from app.registries.models import Register, RegistryAnswer
from app.residents.models import ContactKind, ContactPoint, Resident, ResidentKind, StaleResident
from app.residents.preferences import Choice, choices, choose
from app.routing.channels import Answer, Channel

# What the resident read when they said yes; another wording gets another number.
WORDING = {Activation.AGREEMENT: "agreement-1", Activation.GUIDE: "guide-1"}


def begin(session: Session) -> None:
    """End what the session was at, and begin a transaction that writes."""
    session.commit()
    begin_writing(session)


def lock_resident(session: Session, resident_id: int) -> Resident:
    """The resident, whom no other transaction of this kind works on until this one ends."""
    query = select(Resident).where(Resident.id == resident_id).with_for_update(key_share=True)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def open_agreement(session: Session, resident_id: int) -> Agreement | None:
    """The one that is requested or active."""
    return session.scalars(_open(resident_id)).one_or_none()


def _open(resident_id: int) -> Select[Agreement]:
    query = select(Agreement).where(Agreement.resident_id == resident_id, Agreement.state.in_(OPEN))
    return query.execution_options(populate_existing=True)


def say_yes(
    session: Session,
    settings: Settings,
    resident: Resident,
    source: AgreementSource,
    actor: str,
    now: dt.datetime,
    *,
    offer_id: int | None = None,
    evidence: Mapping[str, Any],
) -> Agreement:
    """The resident's open agreement: the one that is there, or a new one that nobody has been asked about yet.

    ``key`` derives from the resident and the number of the yes. A resident whom no look-up can find gets the guide.
    """
    before = open_agreement(session, resident.id)
    if before is not None:
        return before
    is_asked = settings.efaktura_activation == "agreement" and can_be_found(session, resident)
    activation = Activation.AGREEMENT if is_asked else Activation.GUIDE
    proof = {**evidence, "wording": WORDING[activation], "actor": actor}
    new = Agreement(
        resident_id=resident.id, offer_id=offer_id, source=source, activation=activation,
        state=AgreementState.REQUESTED, key=_next_key(session, resident), evidence=proof, requested_at=now, ask_at=now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(new)
            session.flush()
    except IntegrityError:
        # Somebody who did not lock was first; the index lets one open agreement be.
        return session.scalars(_open(resident.id)).one()
    _open_channel(session, resident.id, now)
    _record(session, resident, AuditEvent.AGREEMENT_REQUESTED, actor, activation.value, now)
    return new


def _next_key(session: Session, resident: Resident) -> str:
    number = session.scalar(select(func.count()).select_from(Agreement).filter_by(resident_id=resident.id)) or 0
    return str(derived_id("efaktura agreement", resident.public_id, number + 1))


def activate(session: Session, agreement: Agreement, actor: str, now: dt.datetime, identifier: str | None) -> None:
    """eFaktura is on, by the provider's word or the register's; the next planning knows.

    *identifier*: by which eFaktura reaches the resident; without it the register's next answer decides.
    """
    agreement.state, agreement.decided_at, agreement.reason = AgreementState.ACTIVE, now, None
    if identifier:
        put_answer(session, agreement.resident_id, Answer.YES, identifier, now)
    elif not takes_efaktura(session, agreement.resident_id):
        put_answer(session, agreement.resident_id, Answer.UNKNOWN, None, now)
    _record(session, _resident(session, agreement), AuditEvent.AGREEMENT_ACTIVE, actor, agreement.activation.value, now)


def decline(session: Session, agreement: Agreement, why: Why, actor: str, now: dt.datetime) -> None:
    """The request comes to nothing: taken back in time, or refused."""
    agreement.state, agreement.decided_at, agreement.reason = AgreementState.DECLINED, now, why
    agreement.ask_at = None
    _mark(session, agreement.resident_id)
    _record(session, _resident(session, agreement), AuditEvent.AGREEMENT_DECLINED, actor, why.value, now)


def end(session: Session, agreement: Agreement, actor: str, now: dt.datetime) -> None:
    """It was switched off on the other side; the register's answer is forgotten until it is asked again."""
    agreement.state, agreement.ended_at, agreement.reason = AgreementState.ENDED, now, Why.IN_BANK
    agreement.ask_at = None
    put_answer(session, agreement.resident_id, Answer.NO, None, now)
    _record(session, _resident(session, agreement), AuditEvent.AGREEMENT_ENDED, actor, Why.IN_BANK.value, now)


def to_guide(agreement: Agreement, why: Why, now: dt.datetime) -> None:
    """The provider cannot tell whom we mean: the wish stays, and the rest is done in the bank."""
    agreement.activation, agreement.reason, agreement.taken_at = Activation.GUIDE, why, None
    agreement.ask_at = now


def put_answer(session: Session, resident_id: int, answer: Answer, identifier: str | None, now: dt.datetime) -> None:
    """What the eFaktura register says of a resident, as planning reads it."""
    put = upsert(session, RegistryAnswer, ["resident_id", "register"], ["answer", "reference", "asked_at"])
    values = {"resident_id": resident_id, "register": Register.EFAKTURA, "answer": answer}
    session.execute(put.values(**values, reference=identifier, asked_at=now))
    _mark(session, resident_id)


def can_be_found(session: Session, resident: Resident) -> bool:
    """Whether a look-up of the resident can hit: by national id, or by name and address with a mobile number."""
    if resident.kind is not ResidentKind.PERSON or resident.national_id_encrypted is not None:
        return resident.kind is ResidentKind.PERSON
    mobile = exists().where(
        ContactPoint.resident_id == resident.id,
        ContactPoint.kind == ContactKind.MOBILE,
        ContactPoint.closed_at.is_(None),
    )
    return bool(resident.name.strip() and resident.postal_code.strip() and session.scalar(select(mobile)))


def _open_channel(session: Session, resident_id: int, now: dt.datetime) -> None:
    """A yes to eFaktura takes back an earlier choice against it; "all by letter" is more than that, and stays."""
    choice = choices(session, [resident_id]).get(resident_id, Choice())
    if Channel.EFAKTURA in choice.closed:
        choose(session, resident_id, Choice(choice.closed - {Channel.EFAKTURA}, choice.is_all_by_letter), now)


def _mark(session: Session, resident_id: int) -> None:
    session.add(StaleResident(resident_id=resident_id))
    session.flush()


def _resident(session: Session, agreement: Agreement) -> Resident:
    return session.get_one(Resident, agreement.resident_id)


def _record(session: Session, resident: Resident, event: AuditEvent, actor: str, reason: str, now: dt.datetime) -> None:
    record(session, at=now, actor=actor, event=event, subject=f"resident:{resident.public_id}", reason=reason)
