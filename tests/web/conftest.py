"""Pages that no database has to answer for: one application without one, quickly made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from app import create_app
from app.core.database import db
from tests.conftest import make_settings
from tests.support.lint import LintingClient


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flask]:
    """The whole application; its database is empty and not migrated."""
    app = create_app(make_settings(tmp_path / "instance"))
    app.test_client_class = LintingClient
    with app.app_context():
        yield app
        db.engine.dispose()


@pytest.fixture
def visitor(site: Flask) -> FlaskClient:
    """Someone who reads bokmål and has not logged in."""
    client = site.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "nb"
    return client


def texts(page: str, path: str) -> list[str]:
    """The words of every element of *page* at the XPath *path*, white space made plain."""
    found = html.fromstring(page).xpath(path)
    assert isinstance(found, list)
    return [" ".join("".join(element.itertext()).split()) for element in found if isinstance(element, html.HtmlElement)]
