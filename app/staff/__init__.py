"""The pages of the municipality's people: statistics, search, what needs a person, runs and offers."""

from __future__ import annotations

from flask import Flask

from app.delivery import statistics
from app.staff import (
    access,
    caller_views,
    find_views,
    invoice_views,
    log_in,
    needs_views,
    offers_views,
    resident_views,
    room,
    runs_views,
    statistics_views,
)  # fmt: skip
from app.staff.statistics_commands import stats
from app.staff.statistics_counting import count_offers

PAGES = (
    statistics_views, needs_views, runs_views, offers_views, find_views, invoice_views, resident_views, caller_views,
)  # fmt: skip
"""Modules whose pages belong to `app.staff.room`: add yours here, so that they are there when the room is served."""


def init_app(app: Flask) -> None:
    """Serve the pages. Must come before forms are guarded: whoever was logged out meanwhile is told that first."""
    access.init_app(app)
    for module in (log_in, room):
        app.register_blueprint(module.bp)
    access.check_all_say(app)
    statistics.COUNTERS["offers"] = count_offers
    app.cli.add_command(stats)
