"""The pages that belong to no feature: the front page, how data is used, accessibility, and the mark."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from app.web.assets import FOR_A_YEAR, mark_file, mark_version
from app.web.headers import public_page

bp = Blueprint("pages", __name__)

LOG_IN = "/logg-inn"
PRIVACY_CHANGED_ON = dt.date(2026, 11, 24)


@bp.get("/")
def front() -> Response:
    """What this is, and how invoices reach residents, in the municipality's own order."""
    order = [channel for channel in current_app.config["ROUTING_ORDER"] if channel != "avtalegiro"]
    return public_page("web/front.html", order=order)


@bp.get("/personvern")
def privacy() -> Response:
    """How personal data is used."""
    return public_page("web/privacy.html", changed_on=PRIVACY_CHANGED_ON)


@bp.get("/tilgjengelighet")
def accessibility() -> Response:
    """How well the pages can be used by everyone, and whom to tell when they cannot."""
    return public_page("web/accessibility.html")


@bp.get("/merke.svg")
def mark() -> Response:
    """The municipality's mark."""
    response = Response(mark_file().read_bytes(), mimetype="image/svg+xml")
    is_current = request.args.get("v", "") == mark_version()
    response.headers["Cache-Control"] = FOR_A_YEAR if is_current else "no-cache"
    return response


def is_served(path: str) -> bool:
    """Whether a GET of *path* has a page: links to rooms that are not built in stay hidden."""
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return False
    return True


def init_app(app: Flask) -> None:
    """Serve the pages, and let every template know what is there."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(is_served=is_served, LOG_IN=LOG_IN)
