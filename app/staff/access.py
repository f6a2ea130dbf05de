"""Who is here: somebody of the municipality, with a role. Every page under ``/ansatt`` says which role it needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import NotFound
from app.core.here import had_kept_session

ROOM = "staff"
# The kind of a session stands in it, so that a resident's opens no page here, and one of ours none of a resident's.
WAY = "way"
STAFF = "staff"
SUBJECT, PERSON, ROLE = "subject", "name", "role"

# Where a log-in may lead: our own pages with their filters, by their own shape, so that nobody can be sent elsewhere.
_OWN_PAGE = re.compile(r"/ansatt(/[a-z0-9_-]+){0,4}(\?[A-Za-z0-9_.,=&%+-]{0,300})?")

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


class Role(StrEnum):
    """What somebody may do, least first: each role may also do what those before it may."""

    STATISTICS = "statistics"
    CASEWORKER = "caseworker"
    OPERATOR = "operator"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Role).index(self)

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what *needed* may."""
        return self.rank >= needed.rank


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is logged in. ``subject`` is the provider's own id of the person; ``name`` is for the eye alone."""

    subject: str
    name: str
    role: Role

    @property
    def actor(self) -> str:
        """As the audit record names them."""
        return f"staff:{self.subject}"

    def may(self, needed: Role) -> bool:
        """Whether they may open what needs *needed*."""
        return self.role.covers(needed)


def needs(role: Role) -> Callable[[View], View]:
    """Say which role a page of the room needs: directly above the function, below ``bp.get`` and ``bp.post``."""

    def mark(view: View) -> View:
        view.needed_role = role  # type: ignore[attr-defined]
        return view

    return mark


def role_needed(view: object) -> Role | None:
    """What `needs` said about *view*."""
    found: Role | None = getattr(view, "needed_role", None)
    return found


def who_is_here() -> Staff | None:
    """Whose session this is, when it is one of the municipality's people."""
    if session.get(WAY) != STAFF or session.get(ROLE) not in list(Role):
        return None
    return Staff(str(session[SUBJECT]), str(session[PERSON]), Role(session[ROLE]))


def current_staff() -> Staff:
    """Who is logged in. Raises `NotFound` outside pages that demand it."""
    found: Staff | None = g.get(STAFF)
    if found is None:
        raise NotFound("nobody is logged in")
    return found


def own_page(address: str) -> str | None:
    """*address* when it is a page of ours that a log-in may lead to."""
    return address if _OWN_PAGE.fullmatch(address) else None


def init_app(app: Flask) -> None:
    """Guard the pages; must be called before forms are guarded, so that who was logged out is told so."""

    @app.before_request
    def meet_staff() -> ResponseReturnValue | None:
        g.staff = None
        if request.blueprint != ROOM:
            return None
        found = who_is_here()
        if found is None:
            return _turn_away()
        needed = role_needed(current_app.view_functions[request.endpoint or ""])
        if needed is None or not found.may(needed):
            g.staff = found
            return make_response(render_template("staff/forbidden.html", needed=needed), 403)
        g.staff = found
        return None


def check_all_say(app: Flask) -> None:
    """Raises RuntimeError for a page of the room that does not say which role it needs."""
    silent = [
        name for name, view in app.view_functions.items() if name.startswith(f"{ROOM}.") and role_needed(view) is None
    ]
    if silent:
        raise RuntimeError(f"these pages do not say which role they need: {', '.join(sorted(silent))}")


def _turn_away() -> Response:
    """To the log-in; or, when a session has ended since the page was opened, to say so first."""
    asked = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = own_page(asked) or "/ansatt"
    is_over = had_kept_session() and not dict(session)
    if request.method == "GET" and not is_over:
        return make_response(redirect(url_for("staff_log_in.start", til=target)))
    return make_response(render_template("staff/session_over.html", target=target), 401)
