"""Errors as pages a person understands: what happened, what to do, and a number to name on the phone."""

from __future__ import annotations

import secrets

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.core.errors import AppError

log = structlog.get_logger(__name__)

NOTHING_CHANGED = _("Vi kunne ikke bruke det du sendte. Vi har ikke endret noe. Gå tilbake, og prøv igjen.")
OURS = _("Feilen er hos oss, ikke hos deg. Vi har ikke endret noe. Prøv igjen om noen minutter.")
LOG_IN_FIRST = _("Logg inn først, eller spør den som gir tilgang hos oss.")

WORDS = {
    400: (_("Det gikk ikke"), NOTHING_CHANGED),
    401: (_("Du må logge inn"), LOG_IN_FIRST),
    403: (_("Du har ikke tilgang"), LOG_IN_FIRST),
    404: (_("Vi finner ikke siden"), _("Adressen kan være skrevet feil, eller siden er flyttet.")),
    405: (_("Slik kan siden ikke brukes"), _("Gå tilbake, og prøv igjen derfra.")),
    409: (_("Det går ikke nå"), _("Noe er endret siden du åpnet siden. Last siden på nytt, og prøv igjen.")),
    410: (_("Siden finnes ikke lenger"), _("Lenken er for gammel, eller det den viste til, er slettet.")),
    413: (_("Det du sendte, er for stort"), _("Vi kan ikke ta imot så mye på en gang. Vi har ikke endret noe.")),
    429: (_("For mange forsøk"), _("Vent noen minutter, og prøv igjen.")),
    500: (_("Noe gikk galt hos oss"), OURS),
    503: (_("Siden er stengt en liten stund"), _("Vi er snart tilbake. Prøv igjen om noen minutter.")),
}
STALE_FORM = (
    _("Siden må lastes på nytt"),
    _("Skjemaet har stått åpent for lenge. Vi har ikke endret noe. Gå tilbake, last siden på nytt, og prøv igjen."),
)


def page(status: int, words: tuple[object, object] | None = None) -> Response:
    """The error page for *status*, with a reference number that the log has too.

    The log line names the route, never the address: addresses of links are secrets.
    """
    reference = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
    write = log.error if status >= 500 else log.info
    write("an error page", status=status, reference=reference, route=request.endpoint, exc_info=status >= 500)
    title, text = words or WORDS.get(status) or WORDS[400 if status < 500 else 500]
    return make_response(
        render_template("web/error.html", title=title, text=text, reference=reference, status=status), status
    )


def init_app(app: Flask) -> None:
    """Answer every error with a page and never with a trace."""

    @app.errorhandler(HTTPException)
    def show_http(error: HTTPException) -> Response | HTTPException:
        if error.response is not None:
            return error
        answer = page(error.code or 500, STALE_FORM if isinstance(error, CSRFError) else None)
        # Which methods are allowed, and when to come again, are said by headers.
        for name, value in error.get_headers(request.environ):
            if name not in ("Content-Type", "Content-Length"):
                answer.headers[name] = value
        return answer

    @app.errorhandler(AppError)
    def show_own(error: AppError) -> Response:
        return page(error.status)

    @app.errorhandler(Exception)
    def show_unforeseen(_error: Exception) -> Response:
        return page(500)
