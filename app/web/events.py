"""What providers call: receipts by webhook, kept at once and handled by the next run."""

from __future__ import annotations

import hmac

import structlog
from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from app.core.database import db
from app.core.here import surroundings
from app.delivery.pushed import keep_eformidling_status

log = structlog.get_logger(__name__)
bp = Blueprint("events", __name__, url_prefix="/hendelser")

# A status has some hundred bytes.
LARGEST_EVENT_BYTES = 16_384
# The access point can be told an address and nothing else, so the secret may stand in it.
SECRET_ARGUMENT = "nokkel"  # noqa: S105 - the argument's name, not a secret


@bp.post("/eformidling")
def eformidling() -> ResponseReturnValue:
    """Keep one status of one letter. 204 for everything that was understood, repeats and pings too."""
    settings, clock = surroundings()
    if not settings.eformidling_webhook_secret:
        abort(404)
    if not _knows(settings.eformidling_webhook_secret):
        return {"error": "the secret is missing or wrong"}, 403
    request.max_content_length = LARGEST_EVENT_BYTES
    event = request.get_json(force=True, silent=True)
    if not isinstance(event, dict):
        return {"error": "a JSON object is expected"}, 400
    is_kept = keep_eformidling_status(db.session(), clock.now(), event)
    log.info("eformidling_event", kept=is_kept)
    return Response(status=204, mimetype="application/json")


def _knows(secret: str) -> bool:
    """Whether the call brings *secret*: as ``Authorization: Bearer``, as a password, or in the address."""
    given = request.authorization
    offered = (given.token or given.password if given else None) or request.args.get(SECRET_ARGUMENT, "")
    return hmac.compare_digest(offered.encode(), secret.encode())
