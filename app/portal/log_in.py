"""Logging in with ID-porten."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
import structlog
from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from app.core import here
from app.core.audit import AuditEvent, record
from app.core.database import db
from app.core.links import address
from app.core.national_id import NationalIdInvalid
from app.core.oidc import IssuerMismatch, LogInRefused, believed
from app.core.sessions import provider_hash
from app.core.throttle import TooOften
from app.portal import access
from app.portal.idporten import LEVELS, claims_options, idporten, issuer_of
from app.portal.idporten_key import CALLBACK
from app.portal.limits import check_log_in
from app.residents.search import find_resident_by_national_id

log = structlog.get_logger(__name__)
bp = Blueprint("log_in", __name__)

TARGET = "target"


@bp.get("/logg-inn")
def start() -> ResponseReturnValue:
    """Send the reader to ID-porten."""
    target = access.own_page(request.args.get("til", "")) or url_for("min_side.overview")
    if access.is_logged_in():
        return redirect(target)
    settings = here.settings()
    # The way back is registered for one host, and the cookie must be there when the reader returns.
    if request.host != urlsplit(settings.base_url).netloc:
        return redirect(address(settings, url_for("log_in.start", til=target)))
    try:
        check_log_in(db.session(), settings, here.network(), here.clock().now())
    except TooOften as error:
        abort(429, retry_after=int(error.wait.total_seconds()) + 1)
    here.visit().keep()
    session[TARGET] = target
    try:
        answer: ResponseReturnValue = idporten().authorize_redirect(
            address(settings, CALLBACK), acr_values=LEVELS[settings.idporten_level][0], ui_locales=str(get_locale())
        )
    except (requests.RequestException, IssuerMismatch) as error:
        log.error("idporten_unreachable", error=type(error).__name__)
        abort(503)
    return answer


@bp.get(CALLBACK)
def returned() -> ResponseReturnValue:
    """Back from ID-porten: believe only what is signed, for us, now, and asked for by this very browser."""
    settings = here.settings()
    if request.args.get("iss") != issuer_of(settings):
        return _refused("issuer")
    try:
        person = believed(idporten(), claims_options(settings))
    except LogInRefused as refused:
        return _refused(refused.reason)
    except requests.RequestException as error:
        log.error("idporten_unreachable", error=type(error).__name__)
        abort(503)
    try:
        return _welcome(str(person["pid"]), str(person["sid"]))
    except NationalIdInvalid:
        return _refused("pid")


@bp.get("/logg-inn/ukjent")
def unknown() -> ResponseReturnValue:
    """Logged in, but not in the municipality's customer register: what to do."""
    if not access.is_logged_in():
        return redirect(url_for("log_in.start"))
    if session.get(access.RESIDENT):
        return redirect(url_for("min_side.overview"))
    return render_template("portal/unknown.html"), 403


def _welcome(national_id: str, sid: str) -> ResponseReturnValue:
    """Begin a session for the resident who has this national id; nothing of the log-in stays in it."""
    settings, clock = here.settings(), here.clock()
    resident = find_resident_by_national_id(db.session(), settings, clock, national_id)
    target = access.own_page(str(session.get(TARGET, "")))
    session.clear()
    here.visit().renew(provider_hash(issuer_of(settings), sid))
    session[access.WAY] = access.IDPORTEN
    if resident is None:
        return redirect(url_for("log_in.unknown"))
    session[access.RESIDENT] = resident.id
    subject = f"resident:{resident.public_id}"
    record(db.session(), at=clock.now(), actor=subject, event=AuditEvent.RESIDENT_LOGGED_IN, subject=subject)
    db.session.commit()
    return redirect(target or url_for("min_side.overview"))


def _refused(reason: str) -> ResponseReturnValue:
    """Nobody is logged in; the log has which rule was broken, the page what to do."""
    log.info("log_in_refused", reason=reason)
    return render_template("portal/not_logged_in.html", reason=reason), 200 if reason == "aborted" else 400
