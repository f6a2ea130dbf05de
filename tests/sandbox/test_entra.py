"""The stand-in for the municipality's log-in is as strict as the real one."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from app.sandbox.entra_people import PEOPLE, TENANT
from app.sandbox.entra_rules import CLIENT_FILE
from app.sandbox.site import SandboxSite

BACK = "http://127.0.0.1:8000/ansatt/logg-inn/tilbake"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": "app", "redirect_uri": BACK, "response_type": "code", "scope": "openid profile", "state": "s",
    "nonce": "n", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip
PROOF = {"client_id": "app", "client_secret": "secret", "grant_type": "authorization_code", "redirect_uri": BACK,
         "code_verifier": VERIFIER}  # fmt: skip


@pytest.fixture
def browser(tmp_path: Path) -> Client:
    registered = {
        "client_id": "app", "redirect_uris": [BACK], "post_logout_redirect_uris": [BACK], "keys": [],
        "thumbprint": None, "secret_sha256": hashlib.sha256(b"secret").hexdigest(),
    }  # fmt: skip
    (tmp_path / CLIENT_FILE).write_text(json.dumps(registered))
    return Client(SandboxSite(tmp_path, "http://127.0.0.1:8000", lambda _address, _form: 200), Response)


def ask(browser: Client, **changes: str) -> TestResponse:
    return browser.get(f"/entra/{TENANT}/oauth2/v2.0/authorize", query_string=ASKED | changes)


def code(browser: Client) -> str:
    sealed = ask(browser).text.split('name="asked" value="')[1].split('"')[0]
    back = browser.post(f"/entra/{TENANT}/choose", data={"asked": sealed, "oid": PEOPLE[0].oid})
    return dict(parse_qsl(urlsplit(back.headers["Location"]).query))["code"]


def token(browser: Client, **changes: str) -> dict[str, Any]:
    answer: dict[str, Any] = browser.post(f"/entra/{TENANT}/oauth2/v2.0/token", data=PROOF | changes).get_json()
    return answer


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "other"}, {"redirect_uri": "https://evil.example/"}],
)
def test_an_unknown_client_or_address_is_never_led_back_to(browser: Client, changes: dict[str, str]) -> None:
    assert ask(browser, **changes).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"response_type": "token"}, {"scope": "profile"}, {"code_challenge_method": "plain"}, {"code_challenge": "x"},
        {"state": ""}, {"nonce": ""}, {"response_mode": "fragment"},
    ],
)  # fmt: skip
def test_a_loose_request_is_refused(browser: Client, changes: dict[str, str]) -> None:
    assert "error=invalid_request" in ask(browser, **changes).headers["Location"]


def test_a_code_is_good_once(browser: Client) -> None:
    found = code(browser)
    assert "id_token" in token(browser, code=found)
    assert token(browser, code=found)["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "other"}, "invalid_client"),
        ({"client_assertion": "x"}, "invalid_client"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_grant"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_needs_everything_right(browser: Client, changes: dict[str, str], error: str) -> None:
    assert token(browser, **{"code": code(browser), **changes})["error"] == error


def test_nobody_is_led_elsewhere_after_logging_out(browser: Client) -> None:
    path = f"/entra/{TENANT}/oauth2/v2.0/logout"
    assert browser.get(path, query_string={"post_logout_redirect_uri": "https://evil.example/"}).status_code == 400
    assert browser.get(path, query_string={"post_logout_redirect_uri": BACK}).headers["Location"] == BACK
