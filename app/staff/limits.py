"""How often one network address may begin to log in as one of the municipality's people, and one of them search."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.core.throttle import Limit, hit

# The town hall is one address for everybody who works there.
LOG_IN = Limit("staff-log-in", 100, dt.timedelta(minutes=10))

# Far above what helping people takes, far below what reading the whole register would.
SEARCH = Limit("staff-search", 400, dt.timedelta(hours=1))


def check_log_in(session: Session, settings: Settings, network: str, now: dt.datetime) -> None:
    """Count one log-in. Raises `TooOften`."""
    hit(session, settings, [(LOG_IN, network)], now)


def check_search(session: Session, settings: Settings, actor: str, now: dt.datetime) -> None:
    """Count one search of *actor*'s. Raises `TooOften`."""
    hit(session, settings, [(SEARCH, actor)], now)
