"""Confirms that a mobile number or e-mail address is the resident's own, before it takes the old one's place."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError

from app.contact.codes import CODE_LIFE, LINK_LIFE, MOST_TRIES
from app.contact.desk import AskedTooSoon, CodeNotSent, CodeTooOld, CodeWrong, Desk, LinkSpent, TriesSpent
from app.contact.messages import send_code
from app.contact.models import Confirmation
from app.contact.notices import bring_of, owe
from app.core.audit import AuditEvent, record
from app.core.contact import normalise_email, normalise_mobile
from app.core.throttle import Limit, hit
from app.residents.contacts import close_contact, register_contact
from app.residents.models import ClosedReason, ContactKind, ContactPoint, ContactSource, Resident
from app.residents.queries import open_contact_points

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
WAIT = dt.timedelta(seconds=60)
PER_RESIDENT = (Limit("codes of a resident, an hour", 5, HOUR), Limit("codes of a resident, a day", 15, DAY))
PER_VALUE = (Limit("codes to an address, an hour", 5, HOUR), Limit("codes to an address, a day", 10, DAY))
PER_NETWORK = (Limit("codes asked for by a network address, an hour", 60, HOUR),)

_NORMALISE = {ContactKind.MOBILE: normalise_mobile, ContactKind.EMAIL: normalise_email}


def ask(desk: Desk, resident: Resident, kind: ContactKind, text: str) -> Confirmation | None:
    """Send a code to what the resident typed; what is in force stays so. None: it is in force and confirmed already.

    Commits. An older code of the same kind is worth nothing from now on. Whether somebody else has the same value makes
    no difference. Raises `MobileInvalid` or `EmailInvalid`, `AskedTooSoon`, `TooOften`, and `CodeNotSent`.
    """
    value = _NORMALISE[kind](text)
    session, now = desk.session, desk.clock.now()
    current = _open_point(desk, resident, kind)
    if current is not None and current.value == value and current.confirmed_at is not None:
        return None
    _hold_to_limits(desk, resident, kind, value)
    code, public_id = desk.codes.make(), str(uuid.uuid4())
    waiting = Confirmation(
        public_id=public_id,
        resident_id=resident.id,
        kind=kind,
        value=value,
        code_hash=desk.codes.hashed(public_id, code),
        asked_at=now,
        expires_at=now + CODE_LIFE,
    )
    _replace(desk, waiting)
    if not send_code(desk, kind, value, public_id, code):
        session.execute(delete(Confirmation).where(Confirmation.public_id == public_id))
        session.commit()
        raise CodeNotSent
    return waiting


def pending(desk: Desk, resident: Resident, kind: ContactKind) -> Confirmation | None:
    """What was last asked to be confirmed, used or not, as the database has it now."""
    query = select(Confirmation).where(*_of(resident, kind)).execution_options(populate_existing=True)
    return desk.session.scalars(query).one_or_none()


def confirm_by_code(desk: Desk, resident: Resident, kind: ContactKind, code: str) -> None:
    """Put the waiting value in force when *code* is right. Commits each try. Raises `CodeRefused`."""
    now, session = desk.clock.now(), desk.session
    tried = session.execute(
        update(Confirmation)
        .where(
            *_of(resident, kind),
            Confirmation.confirmed_at.is_(None),
            Confirmation.expires_at > now,
            Confirmation.tries < MOST_TRIES,
        )
        .values(tries=Confirmation.tries + 1)
        .returning(Confirmation.public_id, Confirmation.code_hash, Confirmation.tries)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    # Counted before it is compared: a process that dies in between has used the try up.
    session.commit()
    if tried is None:
        found = pending(desk, resident, kind)
        is_spent = found is not None and found.confirmed_at is None and found.tries >= MOST_TRIES
        raise TriesSpent if is_spent else CodeTooOld
    if not desk.codes.fits(tried.public_id, code, tried.code_hash):
        left = MOST_TRIES - tried.tries
        raise CodeWrong(left) if left else TriesSpent
    if not _settle(desk, resident, tried.public_id):
        raise CodeTooOld


def linked(desk: Desk, token: str) -> Confirmation:
    """What the link is about; changes nothing. Raises `LinkExpired`, `LinkInvalid` or `LinkSpent`."""
    public_id = desk.codes.read(token)
    query = select(Confirmation).where(Confirmation.public_id == public_id).execution_options(populate_existing=True)
    found = desk.session.scalars(query).one_or_none()
    if found is None or found.kind is not ContactKind.EMAIL:
        raise LinkSpent
    return found


def confirm_by_link(desk: Desk, token: str) -> Confirmation:
    """Put the address of the link in force; a second press changes nothing. Raises as `linked` does."""
    found = linked(desk, token)
    if found.confirmed_at is None:
        resident = desk.session.get_one(Resident, found.resident_id)
        _settle(desk, resident, found.public_id)
    return found


def remove(desk: Desk, resident: Resident, kind: ContactKind) -> bool:
    """Close the open value of *kind*, and what waits to be confirmed; whether there was one. Commits."""
    current, now = _open_point(desk, resident, kind), desk.clock.now()
    desk.session.execute(delete(Confirmation).where(*_of(resident, kind)))
    if current is None or not close_contact(desk.session, resident.id, kind, current.value, ClosedReason.REMOVED, now):
        desk.session.commit()
        return False
    _record(desk, resident, AuditEvent.CONTACT_REMOVED, kind)
    owe(desk, resident, kind, current.value)
    desk.session.commit()
    bring_of(desk, resident)
    return True


def _hold_to_limits(desk: Desk, resident: Resident, kind: ContactKind, value: str) -> None:
    before, now = pending(desk, resident, kind), desk.clock.now()
    if before is not None and before.confirmed_at is None and now - before.asked_at < WAIT:
        raise AskedTooSoon(WAIT - (now - before.asked_at))
    uses = [(limit, resident.public_id) for limit in PER_RESIDENT]
    uses += [(limit, value) for limit in PER_VALUE] + [(limit, desk.network) for limit in PER_NETWORK]
    hit(desk.session, desk.settings, uses, now)


def _settle(desk: Desk, resident: Resident, public_id: str) -> bool:
    """Use the confirmation, once: of two at the same time one does. Commits; then the old address is told."""
    session, now = desk.session, desk.clock.now()
    used = session.execute(
        update(Confirmation)
        .where(Confirmation.public_id == public_id, Confirmation.confirmed_at.is_(None))
        .values(confirmed_at=now)
        .returning(Confirmation.kind, Confirmation.value)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if used is None:
        session.rollback()
        return False
    before = _open_point(desk, resident, used.kind)
    register_contact(session, resident.id, used.kind, used.value, ContactSource.RESIDENT, now, is_confirmed=True)
    _record(desk, resident, AuditEvent.CONTACT_CONFIRMED, used.kind)
    if before is not None and before.value != used.value:
        owe(desk, resident, used.kind, before.value)
    session.commit()
    bring_of(desk, resident)
    return True


def _replace(desk: Desk, waiting: Confirmation) -> None:
    session, now = desk.session, waiting.asked_at
    session.execute(
        delete(Confirmation).where(
            (Confirmation.resident_id == waiting.resident_id) & (Confirmation.kind == waiting.kind)
            | (Confirmation.asked_at < now - LINK_LIFE)
        )
    )
    session.add(waiting)
    resident = session.get_one(Resident, waiting.resident_id)
    _record(desk, resident, AuditEvent.CONTACT_CODE_SENT, waiting.kind)
    try:
        session.commit()
    except IntegrityError:
        # Asked twice at the same moment: the other one's code is on its way.
        session.rollback()
        raise AskedTooSoon(WAIT) from None


def _open_point(desk: Desk, resident: Resident, kind: ContactKind) -> ContactPoint | None:
    return open_contact_points(desk.session, [resident.id]).get(resident.id, {}).get(kind)


def _of(resident: Resident, kind: ContactKind) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Confirmation.resident_id == resident.id, Confirmation.kind == kind


def _record(desk: Desk, resident: Resident, event: AuditEvent, kind: ContactKind) -> None:
    subject = f"resident:{resident.public_id}"
    record(desk.session, at=desk.clock.now(), actor=subject, event=event, subject=subject, reason=kind.value)
