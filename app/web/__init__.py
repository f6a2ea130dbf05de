"""What every page shares: layout, language, headers, error pages, health."""

from __future__ import annotations

from flask import Flask

from app.web import errors, headers, health, language, pages


def init_app(app: Flask) -> None:
    """Put the shared parts of every page into *app*."""
    for part in (language, headers, errors):
        part.init_app(app)
    app.register_blueprint(pages.bp)
    app.register_blueprint(health.bp)
