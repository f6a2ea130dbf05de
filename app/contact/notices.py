"""What the contact point that is no longer used is told: owed with the change itself, and brought until it got away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import httpx
import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.contact.codes import Codes
from app.contact.desk import Desk
from app.contact.messages import send_notice
from app.contact.messenger import Outgoing, Providers
from app.contact.models import OwedNotice
from app.core.clock import Clock
from app.core.ids import derived_id
from app.core.settings import Settings
from app.residents.models import ContactKind, Resident

log = structlog.get_logger(__name__)

# The request that made the change brings it at once; the next run brings what that one could not.
FIRST_WAIT = dt.timedelta(minutes=5)
# What could not be brought for so long is given up: the address, which nobody uses any more, is forgotten then.
GIVEN_UP = dt.timedelta(days=7)


def owe(desk: Desk, resident: Resident, kind: ContactKind, old: str) -> None:
    """Owe the *old* value a notice, in the caller's transaction; `bring_of` sends it after that."""
    now = desk.clock.now()
    key = str(derived_id("old contact point", resident.public_id, kind.value, now.isoformat()))
    desk.session.add(
        OwedNotice(
            key=key,
            resident_id=resident.id,
            kind=kind,
            value=old,
            language=desk.language,
            owed_at=now,
            due_at=now + FIRST_WAIT,
        )
    )


def bring_of(desk: Desk, resident: Resident) -> None:
    """Send what *resident*'s former contact points are owed; what does not get away waits for the next run. Commits."""
    for key in desk.session.scalars(select(OwedNotice.key).where(OwedNotice.resident_id == resident.id)).all():
        _bring(desk, key)


def bring_owed(
    session: Session, settings: Settings, clock: Clock, transport: httpx.BaseTransport | None, since: dt.datetime
) -> Mapping[str, int]:
    """Bring every notice that is due, each under the key it had before: a step of the nightly run. Commits."""
    now = clock.now()
    given_up = session.execute(delete(OwedNotice).where(OwedNotice.owed_at < now - GIVEN_UP).returning(OwedNotice.id))
    counts = {"brought": 0, "left": 0, "given_up": len(given_up.all())}
    due = session.execute(
        update(OwedNotice)
        .where(OwedNotice.due_at <= now)
        # Another run at the same moment leaves these alone.
        .values(due_at=now + FIRST_WAIT)
        .returning(OwedNotice.key, OwedNotice.language)
    ).all()
    session.commit()
    if due:
        providers, codes = Providers.by(settings, clock, transport), Codes.by(settings)
        for key, language in due:
            messenger = Outgoing(providers, language)
            is_brought = _bring(Desk(session, settings, clock, codes, messenger, "", language), key)
            counts["brought" if is_brought else "left"] += 1
    if counts["given_up"]:
        log.error("notices_given_up", count=counts["given_up"])
    return counts


def _bring(desk: Desk, key: str) -> bool:
    """Send the notice *key*, and forget it once it got away; whether it did. Commits."""
    notice = desk.session.scalars(select(OwedNotice).where(OwedNotice.key == key)).one_or_none()
    if notice is None:
        return True
    kind, value, resident_id = notice.kind, notice.value, notice.resident_id
    desk.session.commit()
    if not send_notice(desk, kind, value, key):
        log.warning("notice_not_sent", resident_id=resident_id, kind=kind.value)
        return False
    desk.session.execute(delete(OwedNotice).where(OwedNotice.key == key))
    desk.session.commit()
    return True
