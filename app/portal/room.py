"""The room of pages that only the resident of the session may open; `app.portal.access` guards it."""

from __future__ import annotations

from flask import Blueprint, g
from flask_babel import refresh

from app.portal.access import ROOM, current_resident

bp = Blueprint(ROOM, __name__, url_prefix="/min-side")


@bp.before_request
def speak() -> None:
    """The resident's own language, unless they chose another one; after the request has begun with none."""
    g.profile_language = current_resident().language
    refresh()
