"""Logging in and out by the municipality's own provider."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
import structlog
from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from app.core import here
from app.core.audit import AuditEvent, record
from app.core.database import db
from app.core.links import address
from app.core.oidc import IssuerMismatch, LogInRefused, believed
from app.core.sessions import end_sessions, provider_hash
from app.core.throttle import TooOften
from app.staff import access, oidc
from app.staff.access import Staff
from app.staff.limits import check_log_in
from app.staff.oidc_key import LOGGED_OUT
from app.staff.people import remember

log = structlog.get_logger(__name__)
bp = Blueprint("staff_log_in", __name__, url_prefix="/ansatt")

TARGET = "target"


@bp.get("/logg-inn")
def start() -> ResponseReturnValue:
    """Send the reader to the municipality's provider."""
    target = access.own_page(request.args.get("til", "")) or url_for("staff.front")
    if access.who_is_here():
        return redirect(target)
    settings = here.settings()
    # The way back is registered for one host, and the cookie must be there when the reader returns.
    if request.host != urlsplit(settings.base_url).netloc:
        return redirect(address(settings, url_for("staff_log_in.start", til=target)))
    try:
        check_log_in(db.session(), settings, here.network(), here.clock().now())
    except TooOften as error:
        abort(429, retry_after=int(error.wait.total_seconds()) + 1)
    here.visit().keep()
    session[TARGET] = target
    try:
        answer: ResponseReturnValue = oidc.provider().authorize_redirect(
            oidc.callback(settings), ui_locales=str(get_locale())
        )
    except (requests.RequestException, IssuerMismatch) as error:
        log.error("staff_provider_unreachable", error=type(error).__name__)
        abort(503)
    return answer


@bp.get("/logg-inn/tilbake")
def returned() -> ResponseReturnValue:
    """Back from the provider: believe only what is signed, for us, now, and asked for by this very browser."""
    settings = here.settings()
    # Providers that say who answers (RFC 9207) must say it right; Entra ID does not say it.
    if request.args.get("iss", oidc.issuer_of(settings)) != oidc.issuer_of(settings):
        return _refused("issuer")
    try:
        person = believed(oidc.provider(), oidc.claims_options(settings))
        staff = Staff(oidc.subject_of(settings, person), oidc.name_of(person), oidc.role_of(settings, person))
    except LogInRefused as refused:
        return _refused(refused.reason)
    except oidc.NoRole as error:
        return _refused(str(error))
    except requests.RequestException as error:
        log.error("staff_provider_unreachable", error=type(error).__name__)
        abort(503)
    except ValueError as error:
        return _refused(type(error).__name__)
    return _welcome(staff, person.get("sid"))


def _welcome(staff: Staff, sid: object) -> ResponseReturnValue:
    """Begin a session for *staff*, under a new token; nothing else of the log-in stays in it."""
    target = access.own_page(str(session.get(TARGET, "")))
    session.clear()
    here.visit().renew(provider_hash(oidc.issuer_of(here.settings()), sid) if isinstance(sid, str) else None)
    session[access.WAY] = access.STAFF
    session[access.SUBJECT], session[access.PERSON], session[access.ROLE] = staff.subject, staff.name, staff.role.value
    now = here.clock().now()
    remember(db.session(), staff, now)
    record(
        db.session(),
        at=now,
        actor=staff.actor,
        event=AuditEvent.STAFF_LOGGED_IN,
        subject=staff.actor,
        reason=staff.role.value,
    )
    db.session.commit()
    return redirect(target or url_for("staff.front"))


def _refused(reason: str) -> ResponseReturnValue:
    """Nobody is logged in; the log has which rule was broken, the page what to do."""
    log.info("staff_log_in_refused", reason=reason)
    status = {"aborted": 200, "role": 403, "overage": 403}.get(reason, 400)
    return render_template("staff/not_logged_in.html", reason=reason), status


@bp.post("/logg-ut")
def out() -> ResponseReturnValue:
    """End the session here, then let the provider end its own.

    A page leads on rather than a redirect, since browsers hold the redirects of a form to its ``form-action``.
    """
    here.visit().end()
    settings = here.settings()
    try:
        client = oidc.provider()
        away = client.create_logout_url(address(settings, LOGGED_OUT), client_id=client.client_id)["url"]
    except (requests.RequestException, IssuerMismatch, RuntimeError) as error:
        log.error("staff_provider_unreachable", error=type(error).__name__)
        return render_template("staff/logged_out.html", is_whole=False)
    response = make_response(render_template("staff/logging_out.html", away=away))
    response.headers["Refresh"] = f"0; url={away}"
    return response


@bp.get("/logg-ut/ferdig")
def done() -> ResponseReturnValue:
    """Logged out, here and at the provider."""
    return render_template("staff/logged_out.html", is_whole=True)


@bp.get("/logg-ut/foran")
def front_channel() -> ResponseReturnValue:
    """The provider asks in a hidden frame: no cookie comes along, so the session is found by its ``sid``."""
    settings = here.settings()
    issuer, sid = request.args.get("iss", "").rstrip("/"), request.args.get("sid", "")
    if issuer != oidc.issuer_of(settings) or not sid:
        return _framed("", 400)
    ended = end_sessions(db.session(), issuer, sid)
    db.session.commit()
    log.info("staff_sessions_ended", count=ended)
    return _framed("", 200)


def _framed(text: str, status: int) -> Response:
    response = make_response(text, status)
    response.mimetype = "text/plain"
    framer = urlsplit(oidc.issuer_of(here.settings()))
    response.headers["Content-Security-Policy"] = f"frame-ancestors {framer.scheme}://{framer.netloc}"
    return response
