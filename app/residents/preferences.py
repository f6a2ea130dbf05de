"""What residents chose about delivery. A preference closes a channel; it never opens one that the facts close."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.dialect import one_of
from app.residents.models import Preference, StaleResident
from app.residents.queries import chunks
from app.routing.channels import Channel


@dataclass(frozen=True, slots=True)
class Choice:
    """What one resident chose; ``is_all_by_letter`` leaves claims alone, and closes what comes before paper."""

    closed: frozenset[Channel] = frozenset()
    is_all_by_letter: bool = False


def choices(session: Session, resident_ids: Collection[int]) -> Mapping[int, Choice]:
    """The choices of many residents; who chose nothing is absent."""
    found: dict[int, Choice] = {}
    for chunk in chunks(resident_ids):
        rows = select(Preference.resident_id, Preference.channel, Preference.is_all_by_letter)
        for resident_id, channel, is_all_by_letter in session.execute(
            rows.where(one_of(session, Preference.resident_id, chunk))
        ):
            before = found.get(resident_id, Choice())
            closed = before.closed | ({channel} if channel else frozenset())
            found[resident_id] = Choice(closed, before.is_all_by_letter or is_all_by_letter)
    return found


def choose(session: Session, resident_id: int, choice: Choice, now: dt.datetime) -> bool:
    """Make *choice* the resident's, in the caller's transaction; whether it differs from the one before."""
    if choices(session, [resident_id]).get(resident_id, Choice()) == choice:
        return False
    session.execute(delete(Preference).where(Preference.resident_id == resident_id))
    for channel in sorted(choice.closed):
        session.add(Preference(resident_id=resident_id, channel=channel, chosen_at=now))
    if choice.is_all_by_letter:
        session.add(Preference(resident_id=resident_id, channel=None, is_all_by_letter=True, chosen_at=now))
    session.add(StaleResident(resident_id=resident_id))
    session.flush()
    return True
