"""Residents, a browser, and keys that are made once for all tests: making them takes longer than a log-in."""

from __future__ import annotations

from functools import cache

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey

from app.core.settings import Settings
from app.portal.idporten_key import KEY_FILE
from app.sandbox import idporten_store
from tests.portal.people import browser


@cache
def made_key(number: int) -> bytes:
    """A private RSA key, another one for each *number*."""
    assert number >= 0
    return RSAKey.generate_key(2048, private=True).as_pem(private=True)


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    """The client's key and the provider's lie where they are looked for."""
    put_keys(settings)


def put_keys(settings: Settings) -> None:
    """Lay the client's key and the provider's where they are looked for."""
    for path, number in (
        (settings.keys_dir / KEY_FILE, 0),
        (settings.sandbox_dir / "idporten" / idporten_store.KEY_FILE, 1),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made_key(number))


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    """A browser that has not logged in."""
    return browser(app)
