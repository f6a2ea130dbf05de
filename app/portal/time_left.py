"""How long the session of this page still lives: the pages warn two minutes before its end, and can put it off."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flask import Response

from app.core import here
from app.core.sessions import ABSOLUTE, IDLE, SEEN_EVERY
from app.portal.room import bp


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """Whole seconds until the session ends: ``idle`` when nothing more is asked for, ``whole`` whatever is done.

    ``again``: what ``idle`` becomes when the session is put off.
    """

    idle: int
    whole: int
    again: int = int(IDLE.total_seconds())


def time_left() -> TimeLeft:
    """Of this request's session, as it will be kept when the request is over; rounded up."""
    visit, now = here.visit(), here.clock().now()
    started, seen = visit.started_at or now, visit.seen_at
    # As `app.core.sessions`: a request soon after the last one is not written down, and puts nothing off.
    if seen is None or visit.modified or now - seen >= SEEN_EVERY:
        seen = now
    return TimeLeft(
        idle=math.ceil((seen + IDLE - now).total_seconds()), whole=math.ceil((started + ABSOLUTE - now).total_seconds())
    )


@bp.post("/fortsett")
def renew() -> Response:
    """Put the idle end off; nothing else changes. Whoever has no session any more is told so by 401."""
    here.visit().modified = True
    return Response(status=204, mimetype="text/plain")


@bp.context_processor
def words() -> dict[str, object]:
    """What the warning of the pages needs."""
    return {"time_left": time_left}
