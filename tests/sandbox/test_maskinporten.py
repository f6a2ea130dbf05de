"""Maskinporten refuses every grant that breaks a rule, with its code."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.sandbox.samples import TOKEN, ask_for_token, lines, register_key

KEY = RSAKey.generate_key(2048, {"kid": "test-1"})


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 400
    body: dict[str, str] = answer.json()
    assert set(body) == {"error", "error_description"}
    return f"{body['error']} {body['error_description']}"


def test_a_right_grant_gives_a_token_once(directory: Path, client: httpx.Client) -> None:
    key = register_key(directory)
    answer = ask_for_token(client, key, jti="one")
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.json()["token_type"] == "Bearer"
    assert "MP-012" in refused(ask_for_token(client, key, jti="one"))
    assert [one["outcome"] for one in lines(directory, service="maskinporten")] == ["accepted", "repeat"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aud": "https://maskinporten.no/token"}, "MP-110"),
        ({"aud": "https://maskinporten.no"}, "MP-110"),
        ({"aud": ["https://maskinporten.no/"]}, "MP-110"),
        ({"iss": None}, "MP-100"),
        ({"iat": None}, "MP-130"),
        ({"sub": "fakturaportalen"}, "Unknown claims: sub"),
        ({"scope": None}, "MP-200"),
        ({"scope": "skatt:alt"}, "MP-200"),
        ({"consumer_org": "946485764"}, "MP-251"),
        ({"resource": "https://kontaktregisteret.no"}, "array"),
    ],
)
def test_a_grant_that_breaks_a_rule_is_refused(
    directory: Path, client: httpx.Client, changed: dict[str, Any], code: str
) -> None:
    assert code in refused(ask_for_token(client, register_key(directory), **changed))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        ({"iat": 3600, "exp": 3700}, "Issue time is after now"),
        ({"iat": -3600}, "MP-130"),
        ({"exp": 500}, "MP-130"),
    ],
)
def test_a_grant_from_another_time_or_for_too_long_is_refused(
    directory: Path, client: httpx.Client, seconds: dict[str, int], code: str
) -> None:
    now = int(time.time())
    changed: dict[str, Any] = {claim: now + shift for claim, shift in seconds.items()}
    assert code in refused(ask_for_token(client, register_key(directory), **changed))


def test_a_key_that_is_not_registered_is_refused(directory: Path, client: httpx.Client) -> None:
    assert "maskinporten-jwks.json" in refused(ask_for_token(client, KEY))
    register_key(directory)
    assert "MP-120" in refused(ask_for_token(client, KEY))


def test_a_grant_without_kid_is_refused(directory: Path, client: httpx.Client) -> None:
    assert "MP-120" in refused(ask_for_token(client, register_key(directory), header={"alg": "RS256"}))


def test_another_grant_type_is_refused(client: httpx.Client) -> None:
    assert "unsupported_grant_type" in refused(client.post(TOKEN, data={"grant_type": "client_credentials"}))


def test_metadata_names_the_environment_that_is_asked(client: httpx.Client) -> None:
    metadata = client.get("https://test.maskinporten.no/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == "https://test.maskinporten.no/"
    assert metadata["token_endpoint"] == "https://test.maskinporten.no/token"
