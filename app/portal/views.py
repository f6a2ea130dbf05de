"""Min side."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.portal import access

bp = Blueprint(access.ROOM, __name__, url_prefix="/min-side")


@bp.get("")
def overview() -> ResponseReturnValue:
    """How the next invoice comes, and why."""
    return render_template("portal/overview.html", resident=access.current_resident())
