"""The residents' pages: log in, see how invoices come, choose, and confirm how we reach them."""

from __future__ import annotations

from flask import Flask

from app.portal import access, log_in, log_out, views

MACHINES = (log_out.back_channel,)
"""Views that machines post to with a proof of their own: they need no form token."""


def init_app(app: Flask) -> None:
    """Serve the pages. Must come before forms are guarded: whoever was logged out meanwhile is told that first."""
    access.init_app(app)
    for room in (log_in, log_out, views):
        app.register_blueprint(room.bp)
