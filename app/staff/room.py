"""The room of the staff pages; `app.staff.access` guards it, and each page says which role it needs."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from app.staff.access import ROOM, STAFF, Role, needs
from app.staff.navigation import ROLES, entries_for

bp = Blueprint(ROOM, __name__, url_prefix="/ansatt")


@bp.app_context_processor
def who() -> dict[str, object]:
    """For the templates: who is logged in (None: nobody), what the roles are called, and the menu."""
    staff = g.get(STAFF)
    return {"staff": staff, "staff_roles": ROLES, "staff_entries": entries_for(staff) if staff else []}


@bp.get("")
@needs(Role.STATISTICS)
def front() -> ResponseReturnValue:
    """What there is to do here, by role."""
    return render_template("staff/front.html")
