"""How often one network address may begin to log in as one of the municipality's people."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.core.throttle import Limit, hit

# The town hall is one address for everybody who works there.
LOG_IN = Limit("staff-log-in", 100, dt.timedelta(minutes=10))


def check_log_in(session: Session, settings: Settings, network: str, now: dt.datetime) -> None:
    """Count one log-in. Raises `TooOften`."""
    hit(session, settings, [(LOG_IN, network)], now)
