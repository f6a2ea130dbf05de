"""The address at which a bank fetches an invoice's PDF: signed, for 16 months, without a name or a number in it."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from app.core.database import db
from app.core.here import surroundings
from app.core.links import presentation_signer
from app.core.tokens import LinkExpired, LinkInvalid
from app.delivery.presentation import presentation

bp = Blueprint("presentation", __name__)


@bp.get("/presentasjon/<token>")
def show(token: str) -> Response:
    """The PDF. 404 for a link that is not ours, 410 for one that is too old."""
    settings, clock = surroundings()
    try:
        payload = presentation_signer(settings).read(token)
    except LinkExpired:
        abort(410)
    except LinkInvalid:
        abort(404)
    pdf = presentation(db.session(), settings, clock, str(payload.get("invoice", "")))
    response = Response(pdf, mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="faktura.pdf"'
    return response
