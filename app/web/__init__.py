"""What every page shares: layout, language, headers, forms, error pages, health."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from app.web import assets, errors, events, formatting, forms, headers, health, language, pages, presentation


def init_app(app: Flask) -> None:
    """Put the shared parts of every page into *app*."""
    # A name that a template misspells is an error in a test, not a gap on a resident's page.
    app.jinja_env.undefined = StrictUndefined
    for part in (language, formatting, assets, forms, headers, errors, pages):
        part.init_app(app)
    for blueprint in (health.bp, events.bp, presentation.bp):
        app.register_blueprint(blueprint)
    # Machines bring a secret of their own, and no cookie.
    forms.csrf.exempt(events.bp)
