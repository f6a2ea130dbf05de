"""ID-porten ends sessions: by a signed message, or by a hidden frame."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.core.clock import Clock
from app.core.sessions import StoredSession
from app.core.settings import Settings
from tests.portal.conftest import made_key
from tests.portal.people import add_resident, browser, log_in, national_id
from tests.portal.providers import alter, provider_key, with_claims
from tests.support.moments import FromNow, settled

ISSUER = "http://127.0.0.1:8000/sandbox/idporten"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def two(app: Flask, session: Session, settings: Settings, clock: Clock) -> tuple[FlaskClient, FlaskClient]:
    """Two residents, logged in with the provider's sessions ``sid-1`` and ``sid-2``."""
    found = []
    adapter = app.config["LOG_IN_ADAPTER"]
    for number in (1, 2):
        add_resident(session, settings, clock, number)
        app.config["LOG_IN_ADAPTER"] = adapter
        alter(app, with_claims(settings, {"sid": f"sid-{number}"}))
        client = browser(app)
        assert log_in(client, national_id(number)).status_code == 302
        found.append(client)
    return found[0], found[1]


def is_in(client: FlaskClient) -> bool:
    return client.get("/min-side").status_code == 200


def token(settings: Settings, key: RSAKey | None = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A right log-out token for ``sid-1`` but for what is *changed*."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": "fakturaportalen",
        "sub": "06819774798",
        "sid": "sid-1",
        "iat": now,
        "exp": now + 300,
        "jti": f"jti-{time.perf_counter_ns()}",
        "events": {EVENT: {}},
    } | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    signing = key or provider_key(settings)
    head = {"alg": "RS256", "typ": "logout+jwt", "kid": provider_key(settings).kid, **(header or {})}
    return jwt.encode(head, claims, signing, algorithms=["RS256"])


def tell(app: Flask, logout_token: str) -> TestResponse:
    return browser(app).post("/logg-ut/bak", data={"logout_token": logout_token})


def test_the_session_of_the_sid_ends_and_no_other(app: Flask, settings: Settings, two: tuple[FlaskClient, ...]) -> None:
    first, second = two
    assert is_in(first)
    assert is_in(second)
    answer = tell(app, token(settings))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert not is_in(first)
    assert is_in(second)


def test_a_session_ended_on_the_server_is_not_written_back(
    app: Flask, settings: Settings, session: Session, two: tuple[FlaskClient, ...]
) -> None:
    with two[0].session_transaction(base_url="http://127.0.0.1:8000") as opened:
        tell(app, token(settings))
        opened["written"] = "after the end"
    assert not is_in(two[0])
    assert len(session.scalars(select(StoredSession)).all()) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-service"},
        {"aud": ["fakturaportalen", "another-service"]},
        {"iat": FromNow(600)},
        {"iat": None},
        {"exp": FromNow(-60)},
        {"exp": FromNow(90_000)},
        {"exp": None},
        {"jti": None},
        {"sid": None},
        {"events": None},
        {"events": {"http://schemas.openid.net/event/other": {}}},
        {"events": EVENT},
        {"nonce": "n"},
    ],
    ids=lambda changed: ",".join(changed),
)
def test_a_message_that_breaks_a_rule_ends_nothing(
    app: Flask, settings: Settings, two: tuple[FlaskClient, ...], changed: dict[str, Any]
) -> None:
    assert tell(app, token(settings, **settled(changed))).status_code == 400
    assert is_in(two[0])


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"kid": "another"}])
def test_another_kind_of_token_or_key_ends_nothing(
    app: Flask, settings: Settings, two: tuple[FlaskClient, ...], header: dict[str, str]
) -> None:
    assert tell(app, token(settings, header=header)).status_code == 400
    assert is_in(two[0])


def test_a_message_signed_by_somebody_else_ends_nothing(
    app: Flask, settings: Settings, two: tuple[FlaskClient, ...]
) -> None:
    assert tell(app, token(settings, RSAKey.import_key(made_key(2)))).status_code == 400
    assert tell(app, "no.token.atall").status_code == 400
    assert tell(app, "").status_code == 400
    assert is_in(two[0])


def test_a_message_counts_once(app: Flask, settings: Settings, two: tuple[FlaskClient, ...]) -> None:
    once = token(settings)
    assert [tell(app, once).status_code for _ in range(2)] == [200, 400]


def test_x5c_in_the_header_does_no_harm(app: Flask, settings: Settings, two: tuple[FlaskClient, ...]) -> None:
    assert tell(app, token(settings, header={"x5c": ["MIIB"]})).status_code == 200
    assert not is_in(two[0])


def test_the_frame_finds_the_session_by_its_sid_without_a_cookie(app: Flask, two: tuple[FlaskClient, ...]) -> None:
    answer = browser(app).get("/logg-ut/foran", query_string={"iss": ISSUER + "/", "sid": "sid-1"})
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors https://login.idporten.no https://login.test.idporten.no" in policy
    assert "X-Frame-Options" not in answer.headers
    assert not is_in(two[0])
    assert is_in(two[1])


@pytest.mark.parametrize(
    "given", [{"iss": "https://evil.example", "sid": "sid-1"}, {"iss": ISSUER}, {"sid": "sid-1"}, {}]
)
def test_a_frame_that_names_another_provider_or_no_session_ends_nothing(
    app: Flask, two: tuple[FlaskClient, ...], given: dict[str, str]
) -> None:
    assert browser(app).get("/logg-ut/foran", query_string=given).status_code == 400
    assert is_in(two[0])


def test_logging_out_at_the_provider_ends_the_session_here(
    app: Flask, reader: FlaskClient, session: Session, settings: Settings, clock: Clock
) -> None:
    add_resident(session, settings, clock, 1)
    log_in(reader, national_id(1))
    assert reader.get("/sandbox/idporten/logout?client_id=fakturaportalen").status_code == 200
    assert not is_in(reader)
