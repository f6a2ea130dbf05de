"""Finds a resident by the national id that ID-porten vouches for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.crypto import vault
from app.core.national_id import check_national_id
from app.core.settings import Settings
from app.residents.models import Resident
from app.residents.register import national_id_rules


def find_resident_by_national_id(
    session: Session, settings: Settings, clock: Clock, national_id: str
) -> Resident | None:
    """The resident, found by the blind index under every live key; None when the register has no such person.

    Raises `NationalIdInvalid` for a number that this installation does not take.
    """
    number = check_national_id(national_id, national_id_rules(settings, clock))
    indexes = vault(settings).blind_indexes(number)
    return session.scalars(select(Resident).where(Resident.national_id_index.in_(indexes))).first()
