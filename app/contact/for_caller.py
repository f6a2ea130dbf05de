"""Registers a mobile number or e-mail address for somebody who calls or calls in; only they themselves confirm it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from app.contact.codes import CODE_LIFE
from app.contact.confirming import DAY, HOUR, PER_VALUE, pending
from app.contact.desk import Desk
from app.contact.messages import send_registered
from app.contact.models import Confirmation
from app.contact.notices import bring_of, owe
from app.core.audit import AuditEvent, record
from app.core.dialect import begin_writing
from app.core.ids import derived_id
from app.core.throttle import Limit, hit
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactPoint, ContactSource, Resident
from app.residents.queries import open_contact_points

PER_RESIDENT = (Limit("registrations for a resident, a day", 6, DAY),)
PER_ACTOR = (Limit("registrations by one of the staff, an hour", 60, HOUR),)


class Checked(StrEnum):
    """How it was made sure who is speaking; kept in the record."""

    QUESTIONS = "questions"
    IDENTIFICATION = "identification"
    REPRESENTATIVE = "representative"


@dataclass(frozen=True, slots=True)
class Registered:
    """``new``: registered now. ``unchanged``: in force already. ``untold``: new, but our message did not get away."""

    new: tuple[ContactKind, ...] = ()
    unchanged: tuple[ContactKind, ...] = ()
    untold: tuple[ContactKind, ...] = ()


class ReplacesConfirmed(Exception):
    """The resident has confirmed another value of these kinds: whoever replaces it must say so."""

    def __init__(self, kinds: tuple[ContactKind, ...]) -> None:
        super().__init__(", ".join(kinds))
        self.kinds = kinds


@dataclass(frozen=True, slots=True)
class _Change:
    """``before``: the value in force until now, None when there is none."""

    kind: ContactKind
    value: str
    before: str | None
    was_confirmed: bool

    @property
    def is_new(self) -> bool:
        return self.before != self.value

    @property
    def replaces_confirmed(self) -> bool:
        return self.is_new and self.was_confirmed


def register_for_caller(
    desk: Desk,
    resident: Resident,
    actor: str,
    checked: Checked,
    values: Mapping[ContactKind, str],
    *,
    may_replace_confirmed: bool,
) -> Registered:
    """Put *values* (normalised: E.164, or an address in ASCII) in force, unconfirmed; tell the new and the old ones.

    The new number gets a text message without link or code, the new address a link that confirms it. What is in force
    already stays as it is and nobody is told, so a second press is harmless. Commits. Raises `ReplacesConfirmed` and
    `TooOften`. *desk* speaks the resident's language.
    """
    changes = _changes(desk, resident, values, may_replace_confirmed)
    if any(change.is_new for change in changes):
        _hold_to_limits(desk, resident, actor, changes)
        try:
            changes = _store(desk, resident, actor, checked, values, may_replace_confirmed)
        except IntegrityError:
            # Pressed twice at the same moment: the other press has done it.
            desk.session.rollback()
            changes = _changes(desk, resident, values, may_replace_confirmed)
    new = [change for change in changes if change.is_new]
    bring_of(desk, resident)
    return Registered(
        new=tuple(change.kind for change in new),
        unchanged=tuple(change.kind for change in changes if not change.is_new),
        untold=tuple(change.kind for change in new if not _tell(desk, resident, change)),
    )


def _changes(
    desk: Desk, resident: Resident, values: Mapping[ContactKind, str], may_replace_confirmed: bool
) -> list[_Change]:
    open_points = open_contact_points(desk.session, [resident.id]).get(resident.id, {})
    changes = [_change(kind, value, open_points.get(kind)) for kind, value in values.items()]
    replaced = tuple(change.kind for change in changes if change.replaces_confirmed)
    if replaced and not may_replace_confirmed:
        desk.session.rollback()
        raise ReplacesConfirmed(replaced)
    return changes


def _store(
    desk: Desk,
    resident: Resident,
    actor: str,
    checked: Checked,
    values: Mapping[ContactKind, str],
    may_replace_confirmed: bool,
) -> list[_Change]:
    """Look again, with nobody else writing, and register. Commits."""
    session, now = desk.session, desk.clock.now()
    begin_writing(session)
    changes = _changes(desk, resident, values, may_replace_confirmed)
    new = [change for change in changes if change.is_new]
    for change in new:
        if change.before is not None:
            owe(desk, resident, change.kind, change.before)
        register_contact(session, resident.id, change.kind, change.value, ContactSource.STAFF, now, is_confirmed=False)
        if change.kind is ContactKind.EMAIL:
            _await_confirmation(desk, resident, change.value)
    if new:
        record(
            session,
            at=now,
            actor=actor,
            event=AuditEvent.CONTACT_REGISTERED,
            subject=f"resident:{resident.public_id}",
            reason=checked.value,
            details={
                "kinds": [change.kind.value for change in new],
                "replaced_confirmed": [change.kind.value for change in new if change.replaces_confirmed],
            },
        )
    session.commit()
    return changes


def _change(kind: ContactKind, value: str, before: ContactPoint | None) -> _Change:
    if before is None:
        return _Change(kind, value, None, was_confirmed=False)
    return _Change(kind, value, before.value, was_confirmed=before.confirmed_at is not None)


def _await_confirmation(desk: Desk, resident: Resident, value: str) -> None:
    """Let the link of the mail confirm *value*; the code behind it is known to nobody."""
    session, now, public_id = desk.session, desk.clock.now(), str(uuid.uuid4())
    of_address = (Confirmation.resident_id == resident.id, Confirmation.kind == ContactKind.EMAIL)
    session.execute(delete(Confirmation).where(*of_address).execution_options(synchronize_session=False))
    session.add(
        Confirmation(
            public_id=public_id,
            resident_id=resident.id,
            kind=ContactKind.EMAIL,
            value=value,
            code_hash=desk.codes.hashed(public_id, desk.codes.make()),
            asked_at=now,
            expires_at=now + CODE_LIFE,
        )
    )
    session.flush()


def _hold_to_limits(desk: Desk, resident: Resident, actor: str, changes: list[_Change]) -> None:
    uses = [(limit, resident.public_id) for limit in PER_RESIDENT] + [(limit, actor) for limit in PER_ACTOR]
    uses += [(limit, change.value) for limit in PER_VALUE for change in changes if change.is_new]
    hit(desk.session, desk.settings, uses, desk.clock.now())


def _tell(desk: Desk, resident: Resident, change: _Change) -> bool:
    """Tell the new value; whether it was told."""
    if change.kind is ContactKind.MOBILE:
        now = desk.clock.now().isoformat()
        key = str(derived_id("registered contact point", resident.public_id, change.kind.value, now))
        return send_registered(desk, change.kind, change.value, key)
    waiting = pending(desk, resident, change.kind)
    return waiting is not None and send_registered(desk, change.kind, change.value, waiting.public_id)
