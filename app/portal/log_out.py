"""Logging out: from here, and when ID-porten says that the session has ended elsewhere."""

from __future__ import annotations

import datetime as dt

import requests
import structlog
from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from app.core.database import db
from app.core.here import settings as settings_in_force
from app.core.here import visit
from app.core.links import address
from app.core.oidc import IssuerMismatch
from app.core.sessions import end_sessions
from app.portal.idporten import idporten, issuer_of
from app.portal.idporten_key import BACK_CHANNEL, FRONT_CHANNEL, LOGGED_OUT
from app.portal.logout_token import LogoutTokenInvalid, read_logout_token, spend

log = structlog.get_logger(__name__)
bp = Blueprint("log_out", __name__)

# Who may call the front-channel in a frame; source: identity.md §1.5 (D24 nye_idporten).
FRAMERS = "https://login.idporten.no https://login.test.idporten.no"


@bp.get("/logg-ut")
def ask() -> ResponseReturnValue:
    """A button, for whoever comes by the address."""
    return render_template("portal/log_out.html")


@bp.post("/logg-ut")
def here() -> ResponseReturnValue:
    """End the session here, then let ID-porten end its own.

    The id_token is not sent along: it holds the national id. A page leads on rather than a redirect, since browsers
    hold the redirects of a form to its ``form-action``.
    """
    visit().end()
    settings = settings_in_force()
    try:
        client = idporten()
        away = client.create_logout_url(address(settings, LOGGED_OUT), client_id=client.client_id)["url"]
    except (requests.RequestException, IssuerMismatch, RuntimeError) as error:
        log.error("idporten_unreachable", error=type(error).__name__)
        return render_template("portal/logged_out.html", is_whole=False)
    response = make_response(render_template("portal/logging_out.html", away=away))
    response.headers["Refresh"] = f"0; url={away}"
    return response


@bp.get(LOGGED_OUT)
def done() -> ResponseReturnValue:
    """Logged out, here and at ID-porten."""
    return render_template("portal/logged_out.html", is_whole=True)


@bp.get(FRONT_CHANNEL)
def front_channel() -> ResponseReturnValue:
    """ID-porten asks in a hidden frame: no cookie comes along, so the session is found by its ``sid``."""
    issuer, sid = request.args.get("iss", "").rstrip("/"), request.args.get("sid", "")
    if issuer != issuer_of(settings_in_force()) or not sid:
        return _framed("", 400)
    ended = end_sessions(db.session(), issuer, sid)
    db.session.commit()
    log.info("sessions_ended", way="front-channel", count=ended)
    return _framed("", 200)


@bp.post(BACK_CHANNEL)
def back_channel() -> ResponseReturnValue:
    """ID-porten says by a signed token, once, that a session has ended."""
    now = dt.datetime.now(dt.UTC)
    try:
        client = idporten()
        token = read_logout_token(client, request.form.get("logout_token", ""), now)
        if not spend(db.session(), client.issuer, token, now):
            raise LogoutTokenInvalid("jti")
    except LogoutTokenInvalid as error:
        db.session.rollback()
        log.warning("logout_token_refused", rule=str(error))
        return {"error": "invalid_request"}, 400
    except (requests.RequestException, IssuerMismatch) as error:
        log.error("idporten_unreachable", error=type(error).__name__)
        return {"error": "temporarily_unavailable"}, 503
    ended = end_sessions(db.session(), client.issuer, token.sid)
    db.session.commit()
    log.info("sessions_ended", way="back-channel", count=ended)
    return {}, 200


def _framed(text: str, status: int) -> Response:
    response = make_response(text, status)
    response.mimetype = "text/plain"
    response.headers["Content-Security-Policy"] = f"frame-ancestors {FRAMERS}"
    return response
