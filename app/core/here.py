"""Where a request or a command stands: the settings and the clock in force, the session, the address it comes from."""

from __future__ import annotations

from flask import current_app, request, session

from app.core.clock import Clock
from app.core.sessions import NAME, Visit
from app.core.settings import Settings


def settings() -> Settings:
    """The settings in force."""
    found: Settings = current_app.config["SETTINGS"]
    return found


def clock() -> Clock:
    """The application's clock."""
    found: Clock = current_app.config["CLOCK"]
    return found


def surroundings() -> tuple[Settings, Clock]:
    """The settings and the clock of this application."""
    return settings(), clock()


def visit() -> Visit:
    """The session of this request."""
    found: object = session._get_current_object()  # type: ignore[attr-defined]
    if not isinstance(found, Visit):
        raise TypeError("a session of ours was expected")
    return found


def network() -> str:
    """The address this request comes from; behind TRUSTED_PROXIES the one they saw."""
    return request.remote_addr or "unknown"


def had_kept_session() -> bool:
    """Whether the reader's cookie is of a session that was kept, here still or not."""
    return request.cookies.get(current_app.config.get("SESSION_COOKIE_NAME", NAME), "").startswith("k.")
