"""What every form shares: nothing is changed by a request that another site made."""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect

from app.core.crypto import KeyFile, KeyRing
from app.core.settings import Environment, Settings

# Addresses that machines post to, with their own proof, are freed from it by ``csrf.exempt(blueprint)``.
csrf = CSRFProtect()

# A page may lie open all day: the token lives as long as the session.
LARGEST_POST_BYTES = 1_000_000


def init_app(app: Flask) -> None:
    """Sign sessions with the installation's own keys, newest first, and check every POST."""
    settings: Settings = app.config["SETTINGS"]
    settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    *older, newest = KeyRing.create(settings.keys_dir / KeyFile.SESSION).secrets
    app.config.from_mapping(
        SECRET_KEY=newest,
        SECRET_KEY_FALLBACKS=older,
        SESSION_COOKIE_NAME="fakturaportalen",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.environment is Environment.PRODUCTION,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=LARGEST_POST_BYTES,
    )
    csrf.init_app(app)
