"""The residents' pages: log in, see how invoices come, choose, and confirm how we reach them."""

from __future__ import annotations

from flask import Flask

from app.portal import access, contact_views, efaktura_views, link_views, log_in, log_out, room, time_left, views

PAGES = (views, contact_views, efaktura_views, time_left)
"""Modules whose pages belong to `app.portal.room`."""

MACHINES = (log_out.back_channel,)
"""Views that machines post to with a proof of their own: they need no form token."""


def init_app(app: Flask) -> None:
    """Serve the pages. Must come before forms are guarded: whoever was logged out meanwhile is told that first."""
    access.init_app(app)
    for module in (log_in, log_out, link_views, room):
        app.register_blueprint(module.bp)
