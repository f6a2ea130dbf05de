"""Every trap of ID-porten's protocol and of Authlib 1.9 lets nobody in; source: identity.md §1.6."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jws, jwt
from joserfc.jwk import RSAKey
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.oidc import BoundedSession
from app.core.settings import Settings
from app.portal.idporten import claims_options
from app.portal.idporten_key import client_key
from tests.portal.conftest import made_key
from tests.portal.people import add_resident, choose, log_in, national_id, query
from tests.portal.providers import alter, by_shared_secret, provider_key, with_claims
from tests.support.moments import FromNow, settled
from tests.web.conftest import texts

TOKEN = "http://127.0.0.1:8000/sandbox/idporten/token"
ISSUER = "http://127.0.0.1:8000/sandbox/idporten"


@pytest.fixture(autouse=True)
def town(session: Session, settings: Settings, clock: Clock) -> None:
    add_resident(session, settings, clock, 1)


def is_refused(reader: FlaskClient, address: str) -> bool:
    """Whether the way back *address* lets nobody in."""
    answer = reader.get(address)
    return answer.status_code == 400 and reader.get("/min-side").status_code in (302, 401)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-service"},
        {"aud": "another-service", "azp": "fakturaportalen"},
        {"aud": ["fakturaportalen", "another-service"]},
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"acr": "selfregistered-email"},
        {"acr": "eidas-loa-low"},
        {"acr": None},
        {"pid": None},
        {"pid": ""},
        {"pid": "12345678901"},
        {"pid": "01010112345"},
        {"sub": None},
        {"sid": None},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": FromNow(-60)},
        {"iat": FromNow(600)},
        {"amr": "TestID"},
    ],
    ids=lambda changes: ",".join(changes),
)
def test_an_id_token_that_says_anything_wrong_lets_nobody_in(
    app: Flask, reader: FlaskClient, settings: Settings, changes: dict[str, Any]
) -> None:
    alter(app, with_claims(settings, changes))
    assert is_refused(reader, choose(reader, national_id(1)))


def test_the_same_id_token_unchanged_lets_in(app: Flask, reader: FlaskClient, settings: Settings) -> None:
    alter(app, with_claims(settings, {"amr": ["BankID"]}))
    assert reader.get(choose(reader, national_id(1))).headers["Location"] == "/min-side"


@pytest.mark.parametrize("try_", [1, 2, 3])
def test_a_check_that_held_once_holds_again(app: Flask, reader: FlaskClient, settings: Settings, try_: int) -> None:
    alter(app, with_claims(settings, {"acr": "selfregistered-email"}))
    assert all(is_refused(reader, choose(reader, national_id(1))) for _ in range(try_))
    assert claims_options(settings) is not claims_options(settings), "Authlib empties the one it is given"


def test_a_signature_of_somebody_else_s_is_refused(app: Flask, reader: FlaskClient, settings: Settings) -> None:
    alter(app, with_claims(settings, {}, RSAKey.import_key(made_key(2))))
    assert is_refused(reader, choose(reader, national_id(1)))


def test_the_public_key_as_a_shared_secret_is_refused(app: Flask, reader: FlaskClient, settings: Settings) -> None:
    alter(app, by_shared_secret(provider_key(settings)))
    assert is_refused(reader, choose(reader, national_id(1)))


def test_no_signature_at_all_is_refused(app: Flask, reader: FlaskClient) -> None:
    def unsigned(answer: dict[str, Any]) -> dict[str, Any]:
        head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        return answer | {"id_token": f"{head}.{answer['id_token'].split('.')[1]}."}

    alter(app, unsigned)
    assert is_refused(reader, choose(reader, national_id(1)))


def test_an_answer_without_an_id_token_is_refused(app: Flask, reader: FlaskClient) -> None:
    alter(app, lambda answer: {name: value for name, value in answer.items() if name != "id_token"})
    assert is_refused(reader, choose(reader, national_id(1)))


@pytest.mark.parametrize("issuer", [None, "https://evil.example", ISSUER + "/"])
def test_the_way_back_must_name_our_provider(reader: FlaskClient, issuer: str | None) -> None:
    address = choose(reader, national_id(1))
    given = query(address) | ({"iss": issuer} if issuer else {})
    if issuer is None:
        del given["iss"]
    answer = reader.get("/logg-inn/tilbake", query_string=given)
    assert answer.status_code == 400
    assert reader.get(address).status_code == 302, "the right answer still counts"


def test_a_state_that_this_browser_did_not_ask_with_is_refused(app: Flask, reader: FlaskClient) -> None:
    address = choose(reader, national_id(1))
    stranger = type(reader)(app, app.response_class, use_cookies=True)
    answer = stranger.get(address)
    assert answer.status_code == 400
    assert stranger.get("/min-side").status_code == 302


def test_the_way_back_works_once(reader: FlaskClient) -> None:
    address = choose(reader, national_id(1))
    assert reader.get(address).status_code == 302
    assert reader.get(address).status_code == 400


def test_a_code_is_worth_one_token(app: Flask, reader: FlaskClient) -> None:
    spied = alter(app)
    log_in(reader, national_id(1))
    key = client_key(app.config["SETTINGS"])
    again = ask_again(app, spied.forms[0] | {"client_assertion": assertion(key)})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_an_assertion_is_worth_one_request(app: Flask, reader: FlaskClient) -> None:
    spied = alter(app)
    log_in(reader, national_id(1))
    again = ask_again(app, spied.forms[0])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_client")
    assert "used before" in again.json()["error_description"]


def test_each_assertion_is_made_as_id_porten_wants_it(app: Flask, reader: FlaskClient, settings: Settings) -> None:
    spied = alter(app)
    for _ in range(3):
        log_in(reader, national_id(1))
        reader.post("/logg-ut")
        reader.delete_cookie("fakturaportalen", domain="127.0.0.1")
    assertions = [jws.extract_compact(form["client_assertion"].encode()) for form in spied.forms]
    claims = [json.loads(one.payload) for one in assertions]
    assert len({one["jti"] for one in claims}) == 3, "an id of its own each time"
    for one, signed in zip(claims, assertions, strict=True):
        assert one["aud"] == ISSUER
        assert one["iss"] == one["sub"] == settings.idporten_client_id
        assert one["exp"] - one["iat"] <= 60
        assert signed.headers()["kid"] == settings.idporten_key_id
        assert signed.headers()["alg"] == "RS256"
    for form in spied.forms:
        assert form["client_id"] == settings.idporten_client_id
        assert "client_secret" not in form
        assert len(form["code_verifier"]) >= 43


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"aud": TOKEN}, "aud"),
        ({"aud": [ISSUER]}, "aud"),
        ({"exp": FromNow(3600)}, "120"),
        ({"iat": FromNow(-300), "exp": FromNow(-200)}, "not of now"),
        ({"iss": "another"}, "iss"),
        ({"jti": None}, "jti"),
    ],
    ids=lambda changed: ",".join(changed) if isinstance(changed, dict) else "",
)
def test_the_stand_in_refuses_what_id_porten_refuses(
    app: Flask, reader: FlaskClient, settings: Settings, changed: dict[str, Any], error: str
) -> None:
    form = token_form(app, reader) | {"client_assertion": assertion(client_key(settings), **settled(changed))}
    answer = ask_again(app, form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    assert error in answer.json()["error_description"]


def test_the_stand_in_wants_client_id_pkce_and_the_address_the_code_was_given_for(
    app: Flask, reader: FlaskClient, settings: Settings
) -> None:
    for changed, error in (
        ({"client_id": ""}, "invalid_client"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:8000/"}, "invalid_grant"),
        ({"client_secret": "s"}, "invalid_client"),
    ):
        form = token_form(app, reader) | {"client_assertion": assertion(client_key(settings))}
        assert ask_again(app, form | changed).json()["error"] == error, changed


def test_a_provider_that_names_another_issuer_is_not_believed(
    app: Flask, reader: FlaskClient, settings: Settings
) -> None:
    app.config["SETTINGS"] = settings.model_copy(
        update={"idporten_issuer": "http://127.0.0.1:8000/sandbox/idporten//x"}
    )
    assert reader.get("/logg-inn").status_code in (500, 503)


def test_a_provider_that_does_not_answer_is_said_in_words(app: Flask, reader: FlaskClient) -> None:
    class Silent(requests.adapters.BaseAdapter):
        def send(self, *_arguments: Any, **_options: Any) -> requests.Response:
            raise requests.ConnectTimeout

        def close(self) -> None:
            return None

    app.config["LOG_IN_ADAPTER"] = Silent()
    answer = reader.get("/logg-inn")
    assert (answer.status_code, texts(answer.text, "//h1")) == (503, ["Siden er stengt en liten stund"])


def test_a_foreign_user_without_a_national_id_is_told_what_to_do(reader: FlaskClient) -> None:
    answer = reader.get(choose(reader, "", is_foreign="1"))
    assert answer.status_code == 400
    assert "uten norsk fødselsnummer" in answer.text
    assert "Logg ut av ID-porten" in answer.text


def ask_again(app: Flask, form: dict[str, str]) -> requests.Response:
    """Send *form* to the token endpoint, past Authlib."""
    with app.test_request_context(), BoundedSession() as session:
        answer: requests.Response = session.request("POST", TOKEN, data=form, withhold_token=True)
        return answer


def token_form(app: Flask, reader: FlaskClient) -> dict[str, str]:
    """A right token request that nobody has sent yet, but for its assertion."""
    reader.delete_cookie("testid", domain="127.0.0.1", path="/sandbox/idporten")
    asked = reader.get("/logg-inn").headers["Location"]
    with reader.session_transaction(base_url="http://127.0.0.1:8000") as session:
        states = {name: value for name, value in session.items() if name.endswith(query(asked)["state"])}
    (state,) = states.values()
    page = reader.get(asked.removeprefix("http://127.0.0.1:8000"))
    sealed = page.text.split('name="asked" value="')[1].split('"')[0]
    back = reader.post("/sandbox/idporten/testid", data={"asked": sealed, "typed": national_id(1)})
    return {
        "grant_type": "authorization_code",
        "client_id": "fakturaportalen",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "code": query(back.headers["Location"])["code"],
        "code_verifier": state["data"]["code_verifier"],
        "redirect_uri": "http://127.0.0.1:8000/logg-inn/tilbake",
    }


def assertion(key: RSAKey, **changed: Any) -> str:
    """A right client assertion but for what is *changed*; None takes a claim away."""
    now = int(time.time())
    claims = {
        "iss": "fakturaportalen",
        "sub": "fakturaportalen",
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": hashlib.sha256(f"{time.perf_counter_ns()}".encode()).hexdigest(),
    } | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])
