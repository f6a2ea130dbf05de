"""Registers and closes the contact points of a resident; bounces, residents and staff come through here."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from app.core.contact import normalise_email, normalise_mobile
from app.residents.models import ClosedReason, ContactKind, ContactPoint, ContactSource, StaleResident

_NORMALISE = {ContactKind.MOBILE: normalise_mobile, ContactKind.EMAIL: normalise_email}


def register_contact(
    session: Session,
    resident_id: int,
    kind: ContactKind,
    value: str,
    source: ContactSource,
    now: dt.datetime,
    *,
    is_confirmed: bool,
) -> ContactPoint:
    """Make *value* the resident's open contact point of *kind*, in the caller's transaction; the one before is closed.

    A confirmation once given to the same open value stays. Raises `MobileInvalid` or `EmailInvalid`.
    """
    value = _NORMALISE[kind](value)
    session.execute(
        update(ContactPoint)
        .where(*_of(resident_id, kind), ContactPoint.value != value, ContactPoint.closed_at.is_(None))
        .values(closed_at=now, closed_reason=ClosedReason.REPLACED)
    )
    same = select(ContactPoint).where(*_of(resident_id, kind), ContactPoint.value == value).with_for_update()
    point = session.scalar(same.execution_options(populate_existing=True))
    if point is None:
        point = ContactPoint(resident_id=resident_id, kind=kind, value=value, registered_at=now)
        session.add(point)
    elif point.closed_at is not None:
        point.registered_at, point.confirmed_at = now, None
    point.source, point.closed_at, point.closed_reason = source, None, None
    if is_confirmed:
        point.confirmed_at = point.confirmed_at or now
    session.add(StaleResident(resident_id=resident_id))
    session.flush()
    return point


def close_contact(
    session: Session, resident_id: int, kind: ContactKind, value: str, reason: ClosedReason, now: dt.datetime
) -> bool:
    """Close *value*, in the caller's transaction; whether anything changed.

    It is un-confirmed, and the register cannot bring it back: that also holds for a value that the register has
    withdrawn before the bounce came. *value* is as stored: E.164, or an address in ASCII. Closing twice is fine.
    """
    closed = session.execute(
        update(ContactPoint)
        .where(
            *_of(resident_id, kind),
            ContactPoint.value == value,
            or_(ContactPoint.closed_at.is_(None), ContactPoint.closed_reason == ClosedReason.WITHDRAWN),
        )
        .values(closed_at=now, closed_reason=reason, confirmed_at=None)
        .returning(ContactPoint.id)
    ).all()
    if closed:
        session.add(StaleResident(resident_id=resident_id))
        session.flush()
    return bool(closed)


def _of(resident_id: int, kind: ContactKind) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ContactPoint.resident_id == resident_id, ContactPoint.kind == kind
