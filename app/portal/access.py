"""Who is here: the resident of this session. Every page under ``/min-side`` asks before anything else is done."""

from __future__ import annotations

import re

from flask import Flask, Response, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.core.database import db
from app.core.errors import NotFound
from app.core.here import had_kept_session
from app.residents.models import Resident

ROOM = "min_side"
RESIDENT = "resident"
WAY = "way"
IDPORTEN = "idporten"

# Where a log-in may lead: our own pages, by their own shape, so that nobody can be sent elsewhere.
_OWN_PAGE = re.compile(r"/min-side(/[a-z0-9-]+){0,3}")


def is_logged_in() -> bool:
    """Whether somebody is logged in here by ID-porten, known to us or not."""
    return session.get(WAY) == IDPORTEN


def current_resident() -> Resident:
    """Who is logged in. Raises `NotFound` outside pages that demand it."""
    found: Resident | None = g.get(RESIDENT)
    if found is None:
        raise NotFound("nobody is logged in")
    return found


def own_page(path: str) -> str | None:
    """*path* when it is a page of ours that a log-in may lead to."""
    return path if _OWN_PAGE.fullmatch(path) else None


def init_app(app: Flask) -> None:
    """Guard the pages; must be called before forms are guarded, so that who was logged out is told so."""

    @app.before_request
    def meet() -> ResponseReturnValue | None:
        g.resident = None
        if request.blueprint != ROOM:
            return None
        if not is_logged_in():
            return _turn_away()
        found = db.session.get(Resident, session.get(RESIDENT) or 0)
        if found is None:
            return redirect(url_for("log_in.unknown"))
        g.resident = found
        return None


def _turn_away() -> Response:
    """To the log-in; or, when a session has ended since the page was opened, to say so first."""
    target = own_page(request.path) or "/min-side"
    if request.method == "GET" and not had_kept_session():
        return make_response(redirect(url_for("log_in.start", til=target)))
    page = render_template("portal/session_over.html", target=target if request.method == "GET" else "/min-side")
    return make_response(page, 401)
