"""Which residents each register is asked about: those whose waiting invoices need its answer, and no others."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_ as or_bits
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from app.core.crypto import NationalIdUnreadable, NationalIdVault
from app.core.dialect import one_of
from app.invoices.models import Pending
from app.registries.contract import Target
from app.registries.models import Register
from app.residents.models import (
    AddressProtection,
    ContactKind,
    ContactPoint,
    Preference,
    Resident,
    ResidentKind,
)
from app.routing.channels import Channel, Kind
from app.routing.facts import InvoiceFacts

log = structlog.get_logger(__name__)

PAGE = 1000
KIND_BITS = reduce(or_bits, (InvoiceFacts.weight("kind", kind) for kind in Kind))


def targets(session: Session, register: Register, vault: NationalIdVault, chunk: int) -> Iterator[list[Target]]:
    """Those *register* is asked about, at most *chunk* at a time, by rising id.

    Who they are is read once, eight bytes each, and what is known of them a page at a time; the session is let go
    between, so that no transaction is open while a register thinks.
    """
    ids = array("q", session.scalars(_who(register)))
    session.commit()
    for start in range(0, len(ids), PAGE):
        page = targets_of(session, register, vault, ids[start : start + PAGE])
        for first in range(0, len(page), chunk):
            yield page[first : first + chunk]


def targets_of(
    session: Session, register: Register, vault: NationalIdVault, resident_ids: Sequence[int]
) -> list[Target]:
    """These residents as *register* knows people, by rising id. Commits, as `targets` does."""
    rows = session.execute(_what(one_of(session, Resident.id, resident_ids))).all()
    session.commit()
    return [_target(row, register, vault) for row in rows]


def _who(register: Register) -> Select[int]:
    """The ids of those to ask about. The outbox leads: a register of a whole town may have few invoices waiting."""
    has_national_id = Resident.national_id_encrypted.is_not(None)
    has_mobile = exists().where(
        ContactPoint.resident_id == Resident.id,
        ContactPoint.kind == ContactKind.MOBILE,
        ContactPoint.closed_at.is_(None),
    )
    can_be_asked = {
        Register.EFAKTURA: or_(has_national_id, has_mobile),
        Register.VIPPS: has_mobile,
        Register.MAILBOX: has_national_id,
        Register.RESERVATION: has_national_id,
    }[register]
    return (
        select(Resident.id)
        .join(Pending, Pending.resident_id == Resident.id)
        .where(
            Resident.kind == ResidentKind.PERSON,
            can_be_asked,
            _needs_answer(register),
            ~exists().where(Preference.resident_id == Resident.id, _closes(register)),
        )
        .distinct()
        .order_by(Resident.id)
    )


def _what(who: ColumnElement[bool]) -> Select[int, str, bytes | None, str, str, str, str]:
    """What the registers know the residents by whom *who* chooses."""
    is_open_mobile = and_(
        ContactPoint.resident_id == Resident.id,
        ContactPoint.kind == ContactKind.MOBILE,
        ContactPoint.closed_at.is_(None),
    )
    return (
        select(
            Resident.id,
            Resident.public_id,
            Resident.national_id_encrypted,
            Resident.name,
            Resident.postal_code,
            Resident.address_line_1,
            ContactPoint.value.label("mobile"),
        )
        .outerjoin(ContactPoint, is_open_mobile)
        .where(who)
        .order_by(Resident.id)
    )


def _needs_answer(register: Register) -> ColumnElement[bool]:
    """Whether a waiting invoice may depend on the answer, by its facts."""
    # Whoever is dead or has a protected address is held for a person, unless one has looked already.
    is_open = or_(
        and_(Resident.deceased_on.is_(None), Resident.address_protection == AddressProtection.NONE),
        _has("is_released"),
    )
    if register in {Register.MAILBOX, Register.RESERVATION}:
        return and_(is_open, _has("may_ask_krr"))
    is_demand = Pending.facts.bitwise_and(KIND_BITS) == InvoiceFacts.weight("kind", Kind.DEMAND)
    return and_(is_open, is_demand, ~_has("is_decision"))


def _has(fact: str) -> ColumnElement[bool]:
    return Pending.facts.bitwise_and(InvoiceFacts.weight(fact)) != 0


def _closes(register: Register) -> ColumnElement[bool]:
    """The choice of a resident that makes the answer needless. The mailbox closed alone does not: e-mail needs the
    reservation."""
    closed = {Register.EFAKTURA: Channel.EFAKTURA, Register.VIPPS: Channel.VIPPS}.get(register)
    by_letter: ColumnElement[bool] = Preference.is_all_by_letter.is_(True)
    return by_letter if closed is None else or_(by_letter, Preference.channel == closed)


def _target(row: Any, register: Register, vault: NationalIdVault) -> Target:
    national_id = None
    if register is not Register.VIPPS and row.national_id_encrypted is not None:
        try:
            national_id = vault.decrypt(row.national_id_encrypted, row=row.public_id)
        except NationalIdUnreadable:
            log.error("national_id_unreadable", resident=row.id)
    return Target(row.id, national_id, row.name, row.postal_code, row.address_line_1, row.mobile)
