"""Errors as pages a person understands: what happened, what to do, and a number to name on the phone."""

from __future__ import annotations

import secrets

import structlog
from flask import Flask, render_template
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from app.core.errors import AppError

log = structlog.get_logger(__name__)


def words(status: int) -> tuple[str, str]:
    """Title and text for *status*, in the reader's language."""
    if status == 404:
        return gettext("Vi finner ikke siden"), gettext("Adressen kan være skrevet feil, eller siden er flyttet.")
    if status == 405:
        return gettext("Slik kan siden ikke brukes"), gettext("Gå tilbake, og prøv igjen derfra.")
    if status in (400, 409, 410, 413, 422):
        return gettext("Det gikk ikke"), gettext("Vi kunne ikke bruke det du sendte. Vi har ikke endret noe.")
    if status in (401, 403):
        return gettext("Du har ikke tilgang"), gettext("Logg inn først, eller spør den som gir tilgang hos oss.")
    if status == 429:
        return gettext("For mange forsøk"), gettext("Vent noen minutter, og prøv igjen.")
    return (
        gettext("Noe gikk galt hos oss"),
        gettext("Feilen er hos oss, ikke hos deg. Vi har ikke endret noe. Prøv igjen om noen minutter."),
    )


def page(status: int, reference: str = "") -> tuple[str, int]:
    """The error page for *status*."""
    title, text = words(status)
    return render_template("web/error.html", title=title, text=text, reference=reference), status


def init_app(app: Flask) -> None:
    """Answer every error with a page and never with a trace."""

    @app.errorhandler(HTTPException)
    def show_http(error: HTTPException) -> tuple[str, int]:
        return page(error.code or 500)

    @app.errorhandler(AppError)
    def show_own(error: AppError) -> tuple[str, int]:
        return page(error.status)

    @app.errorhandler(Exception)
    def show_unforeseen(error: Exception) -> tuple[str, int]:
        reference = secrets.token_hex(4)
        log.error("an unforeseen error", reference=reference, exc_info=error)
        return page(500, reference)
