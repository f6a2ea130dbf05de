"""What rooms above this one do between asking the registers and planning, as the application was joined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

import httpx
import structlog
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings

log = structlog.get_logger(__name__)

FAILED = "failed"
Steps = Mapping[str, Mapping[str, int]]


class Step(Protocol):
    """One of them: may talk to outside services over *transport*, commits as it goes, and gives counts by name.

    *since*: when the run began to ask the registers.
    """

    def __call__(
        self,
        session: Session,
        settings: Settings,
        clock: Clock,
        transport: httpx.BaseTransport | None,
        since: dt.datetime,
    ) -> Mapping[str, int]: ...


def take_steps(
    steps: Mapping[str, Step],
    session: Session,
    settings: Settings,
    clock: Clock,
    transport: httpx.BaseTransport | None,
    since: dt.datetime,
) -> Steps:
    """Take each step, and give its counts by name.

    One that fails is ``{"failed": 1}`` and logged: invoices go out whatever else is wrong.
    """
    counts: dict[str, Mapping[str, int]] = {}
    for name, step in steps.items():
        try:
            counts[name] = step(session, settings, clock, transport, since)
        except Exception:
            session.rollback()
            log.exception("step_failed", step=name)
            counts[name] = {FAILED: 1}
    return counts


def has_failed(steps: Steps) -> bool:
    """Whether one of *steps* failed."""
    return any(counts.get(FAILED) for counts in steps.values())
