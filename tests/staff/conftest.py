"""A browser, and the stand-in's key made once for all tests: making it takes longer than a log-in."""

from __future__ import annotations

from functools import cache

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey

from app.core.settings import Settings
from app.sandbox import idporten_store
from app.staff.access import Role
from tests.portal.people import browser
from tests.staff.people import staff_browser


@cache
def made_key(number: int) -> bytes:
    """A private RSA key, another one for each *number*."""
    assert number >= 0
    return RSAKey.generate_key(2048, private=True).as_pem(private=True)


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    """The provider's key lies where it is looked for."""
    path = settings.sandbox_dir / "entra" / idporten_store.KEY_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made_key(0))


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    """A browser that has not logged in."""
    return browser(app)


@pytest.fixture
def operator(app: Flask, keys: None) -> FlaskClient:
    """A browser with the role that may do everything."""
    return staff_browser(app, Role.OPERATOR)


@pytest.fixture
def caseworker(app: Flask, keys: None) -> FlaskClient:
    """A browser with the middle role."""
    return staff_browser(app, Role.CASEWORKER)


@pytest.fixture
def statistician(app: Flask, keys: None) -> FlaskClient:
    """A browser with the least role."""
    return staff_browser(app, Role.STATISTICS)
