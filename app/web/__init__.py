"""What every page shares: layout, language, headers, forms, error pages, health."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from app.web import assets, errors, formatting, forms, headers, health, language, pages


def init_app(app: Flask) -> None:
    """Put the shared parts of every page into *app*."""
    # A name that a template misspells is an error in a test, not a gap on a resident's page.
    app.jinja_env.undefined = StrictUndefined
    for part in (language, formatting, assets, forms, headers, errors, pages):
        part.init_app(app)
    app.register_blueprint(health.bp)
