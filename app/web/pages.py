"""The pages that belong to no feature: the front page, and the choice of language."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, make_response, render_template, request

from app.web.language import A_YEAR, COOKIE, LANGUAGES

bp = Blueprint("pages", __name__)


@bp.get("/")
def front() -> Response:
    """What this is, and how invoices reach residents, in the municipality's own order."""
    order = [channel for channel in current_app.config["ROUTING_ORDER"] if channel != "avtalegiro"]
    response = make_response(render_template("web/front.html", order=order, settings=current_app.config["SETTINGS"]))
    wish = request.args.get("lang")
    if wish in LANGUAGES:
        response.set_cookie(COOKIE, wish, max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure)
    response.vary.update(("Accept-Language", "Cookie"))
    return response
