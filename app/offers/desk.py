"""What the pages hand to the services, and the language a link speaks."""

from __future__ import annotations

from flask import current_app, g, request
from flask_babel import refresh

from app.campaigns.desk import Desk, Outfit
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings

OUTFIT = "offer_outfit"


def desk() -> Desk:
    """What the services work with in this request; connections are kept for the next."""
    settings: Settings = current_app.config["SETTINGS"]
    clock: Clock = current_app.config["CLOCK"]
    outfit: Outfit | None = current_app.extensions.get(OUTFIT)
    if outfit is None:
        outfit = Outfit.by(settings, clock, current_app.config["TRANSPORT"])
        current_app.extensions[OUTFIT] = outfit
    return Desk(db.session(), settings, clock, outfit, request.remote_addr or "")


def speak(language: str) -> None:
    """The language the mail was in, unless its reader chose another one."""
    if language:
        g.profile_language = language
        refresh()
