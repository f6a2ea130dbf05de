"""The pages of the eFaktura offer: whoever has the link answers it, or asks for no more."""

from __future__ import annotations

from flask import Flask

from app.offers import unsubscribe_views, views

MACHINES = (unsubscribe_views.unsubscribe,)
"""Views that mail programs post to by themselves, without a form of ours (RFC 8058)."""


def init_app(app: Flask) -> None:
    """Serve the pages."""
    for module in (views, unsubscribe_views):
        app.register_blueprint(module.bp)
