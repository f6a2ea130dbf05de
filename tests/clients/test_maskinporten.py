"""Grants hold exactly what Maskinporten takes, tokens are kept and fetched once, and refusals come with their code."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from joserfc import jwt
from structlog.testing import capture_logs

from app.clients.http import Answered, CallFailed, NotSent, outside
from app.clients.maskinporten import GRANT, Maskinporten, TokenRefused, client_key
from app.core.errors import SettingsInvalid
from app.core.settings import Settings, load_settings
from app.sandbox.transport import SandboxTransport
from tests.clients.fakes import KEY, TOKEN, answer, maskinporten

SCOPE = "krr:global/digitalpost.read"


class Seconds:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def grants(told: Any) -> list[jwt.Token]:
    forms = [parse_qs(request.content.decode()) for request in told.requests]
    assert all(form["grant_type"] == [GRANT] and set(form) == {"grant_type", "assertion"} for form in forms)
    return [jwt.decode(form["assertion"][0], KEY, algorithms=["RS256"]) for form in forms]


def test_a_grant_has_these_claims_and_no_others() -> None:
    seconds = Seconds()
    digdir, told = maskinporten(now=seconds)
    assert digdir.token(SCOPE) == "token-1"
    [grant] = grants(told)
    assert grant.header["kid"] == "test-1"
    assert grant.header["alg"] == "RS256"
    assert set(grant.claims) == {"aud", "iss", "scope", "iat", "exp", "jti"}
    assert grant.claims["aud"] == "https://maskinporten.test/"
    assert grant.claims["iss"] == "us"
    assert grant.claims["scope"] == SCOPE
    assert grant.claims["iat"] == int(seconds.now)
    assert grant.claims["exp"] - grant.claims["iat"] <= 100


def test_every_try_has_a_grant_of_its_own() -> None:
    digdir, told = maskinporten([httpx.ReadTimeout("x"), answer(500), TOKEN])
    assert digdir.token(SCOPE) == "token-1"
    assert len({grant.claims["jti"] for grant in grants(told)}) == 3


def test_a_token_is_kept_until_twenty_seconds_before_its_end() -> None:
    seconds = Seconds()
    digdir, told = maskinporten(now=seconds)
    digdir.token(SCOPE)
    seconds.now += 599 - 20 - 1
    digdir.token(SCOPE)
    assert len(told.requests) == 1
    seconds.now += 1
    digdir.token(SCOPE)
    assert len(told.requests) == 2


def test_each_scope_has_its_own_token() -> None:
    digdir, told = maskinporten()
    digdir.token(SCOPE)
    digdir.token("krr:global/kontaktinformasjon.read")
    assert [grant.claims["scope"] for grant in grants(told)] == [SCOPE, "krr:global/kontaktinformasjon.read"]


def test_one_thread_fetches_while_the_others_wait() -> None:
    digdir, told = maskinporten()
    start = threading.Barrier(8)
    found: list[str] = []

    def ask() -> None:
        start.wait(10)
        found.append(digdir.token(SCOPE))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["token-1"] * 8
    assert len(told.requests) == 1


def test_after_401_once_more_with_a_new_token() -> None:
    digdir, told = maskinporten([TOKEN, answer(200, {"access_token": "token-2", "expires_in": 100})])
    used = []

    def call(token: str) -> Answered:
        used.append(token)
        return Answered("krr", 401 if token == "token-1" else 200, {}, b"")

    assert digdir.authorized(SCOPE, call).status == 200
    assert used == ["token-1", "token-2"]
    assert len(told.requests) == 2


def test_a_second_401_is_the_answer() -> None:
    digdir, _ = maskinporten()
    used = []

    def call(token: str) -> Answered:
        used.append(token)
        return Answered("krr", 401, {}, b"")

    assert digdir.authorized(SCOPE, call).status == 401
    assert len(used) == 2


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (
            answer(400, {"error": "invalid_grant", "error_description": "Wrong audience (MP-110)"}),
            "400 invalid_grant MP-110",
        ),
        (answer(401, {"error": "invalid_client"}), "401 invalid_client"),
        (answer(403, {"error": "Some free Text 13857410038"}), "403"),
        (httpx.Response(400, text="<html>"), "400"),
    ],
)
def test_a_refused_token_needs_an_alarm_with_the_code_alone(reply: httpx.Response, detail: str) -> None:
    digdir, told = maskinporten(reply)
    with capture_logs() as logs, pytest.raises(TokenRefused) as caught:
        digdir.token(SCOPE)
    assert caught.value.detail == f"no token: {detail}"
    assert caught.value.needs_alarm
    assert [entry["detail"] for entry in logs if entry["log_level"] == "error"] == [f"no token: {detail}"]
    assert len(told.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        answer(500),
        answer(429, headers={"Retry-After": "3600"}),
        httpx.ConnectTimeout("x"),
        httpx.ReadTimeout("x"),
        httpx.Response(200, text="no json"),
        answer(200, {"access_token": "x"}),
        answer(200, {"access_token": "x", "expires_in": "soon"}),
        answer(200, ["x"]),
    ],
)
def test_without_a_token_nothing_was_sent(reply: Any) -> None:
    digdir, _ = maskinporten(reply)
    with pytest.raises(NotSent) as caught:
        digdir.token(SCOPE)
    assert not caught.value.needs_alarm
    assert caught.value.__context__ is None


def test_a_failure_is_not_kept() -> None:
    digdir, _ = maskinporten([answer(400, {"error": "invalid_grant"}), TOKEN])
    with pytest.raises(CallFailed):
        digdir.token(SCOPE)
    assert digdir.token(SCOPE) == "token-1"


@pytest.fixture
def development(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, instance_dir=tmp_path / "instance")


def test_development_makes_its_key_once_and_registers_it_with_the_stand_in(development: Settings) -> None:
    key = client_key(development)
    path = development.keys_dir / "maskinporten.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = client_key(development)
    assert again.as_dict(private=True) == key.as_dict(private=True)
    registered = (development.sandbox_dir / "maskinporten-jwks.json").read_text()
    assert "fakturaportalen-1" in registered
    assert '"d"' not in registered


def test_the_stand_in_gives_a_token_for_our_grant_and_refuses_a_strange_scope(development: Settings) -> None:
    way = outside(development, SandboxTransport(development.sandbox_dir))
    digdir = Maskinporten(
        way,
        issuer=development.maskinporten_issuer,
        client_id=development.maskinporten_client_id,
        key=client_key(development),
    )
    assert digdir.token(SCOPE)
    with pytest.raises(TokenRefused, match="MP-200"):
        digdir.token("krr:global/hentendring.read")


def test_production_says_where_the_key_belongs(development: Settings) -> None:
    real = development.model_copy(update={"sandbox": False})
    with pytest.raises(SettingsInvalid, match=r"maskinporten\.pem"):
        client_key(real)
    real.keys_dir.mkdir(parents=True)
    path = real.keys_dir / "maskinporten.pem"
    path.write_bytes(b"-----BEGIN NOTHING-----")
    with pytest.raises(SettingsInvalid, match="not an RSA key"):
        client_key(real)
    path.write_bytes(KEY.as_pem(private=False))
    with pytest.raises(SettingsInvalid, match="public key"):
        client_key(real)
    path.write_bytes(KEY.as_pem(private=True))
    assert client_key(real).kid == real.maskinporten_key_id
    assert not (real.sandbox_dir / "maskinporten-jwks.json").exists()
