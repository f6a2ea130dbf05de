"""Being asked no more: one press, by a person or by a mail program on its own (RFC 8058)."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.campaigns import unsubscribing
from app.campaigns.at_request import request_desk

bp = Blueprint("unsubscribe", __name__, url_prefix="/avmeld")


@bp.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    """A button. Nothing is changed by looking."""
    if not unsubscribing.can_unsubscribe(request_desk(), token):
        return _unknown()
    return render_template("offers/unsubscribe.html", token=token)


@bp.post("/<token>")
def unsubscribe(token: str) -> ResponseReturnValue:
    """No more offers, without cookie or form token: the link is the proof."""
    if not unsubscribing.unsubscribe(request_desk(), token):
        return _unknown()
    return render_template("offers/unsubscribed.html")


def _unknown() -> ResponseReturnValue:
    return render_template("offers/unsubscribe_unknown.html"), 404
