"""The names behind the actors of the audit record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.dialect import upsert
from app.staff.access import Staff
from app.staff.models import StaffMember


def remember(session: Session, staff: Staff, now: dt.datetime) -> None:
    """Write down what *staff* is called now, in the caller's transaction."""
    columns = {"name": staff.name, "role": staff.role.value, "seen_at": now}
    session.execute(upsert(session, StaffMember, ["actor"], columns), {"actor": staff.actor, **columns})


def names_of(session: Session, actors: Collection[str]) -> dict[str, str]:
    """What the people among *actors* are called, by actor; jobs and residents are not among them. One statement."""
    wanted = {actor for actor in actors if actor.startswith("staff:")}
    if not wanted:
        return {}
    query = select(StaffMember.actor, StaffMember.name).where(StaffMember.actor.in_(wanted))
    return {row.actor: row.name for row in session.execute(query)}
