"""Whatever is wrong with the answer of the municipality's provider lets nobody in; roles come by app role or group."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jws, jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.audit import AuditRecord
from app.core.errors import SettingsInvalid
from app.core.sessions import StoredSession
from app.core.settings import Settings, load_settings
from app.sandbox.entra_people import PEOPLE
from app.sandbox.idporten_store import IdportenStore
from app.staff.access import Role
from app.staff.models import StaffMember
from app.staff.oidc import NoRole, role_of
from app.staff.oidc_key import KEY_FILE, staff_key
from tests.portal.people import browser, query
from tests.portal.providers import alter, by_shared_secret
from tests.staff.conftest import made_key
from tests.staff.people import choose, log_in
from tests.support.moments import FromNow, settled
from tests.web.conftest import texts

ISSUER = "http://127.0.0.1:8000/sandbox/entra/5a7db0c0-0000-4000-8000-0000000000e1/v2.0"
Claims = dict[str, Any]


def with_claims(settings: Settings, changes: Mapping[str, Any], key: Any = None) -> Callable[[Claims], Claims]:
    """Sign the id_token anew with *changes*; None takes a claim away."""
    own = IdportenStore(settings.sandbox_dir, "entra").key()

    def change(answer: Claims) -> Claims:
        claims = json.loads(jws.extract_compact(answer["id_token"].encode()).payload)
        claims = {name: value for name, value in (claims | settled(changes)).items() if value is not None}
        header = {"alg": "RS256", "kid": own.kid}
        return answer | {"id_token": jwt.encode(header, claims, key or own, algorithms=["RS256"])}

    return change


def is_refused(reader: FlaskClient, address: str) -> bool:
    """Whether the way back *address* lets nobody in."""
    return reader.get(address).status_code in (400, 403) and reader.get("/ansatt").status_code in (302, 401)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-service"},
        {"aud": ["fakturaportalen-ansatt", "another-service"]},
        {"iss": "https://login.microsoftonline.com/another-tenant/v2.0"},
        {"iss": ISSUER + "/"},
        {"oid": None},
        {"oid": ""},
        {"oid": "a\nb"},
        {"oid": "x" * 200},
        {"sub": None},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": FromNow(-60)},
        {"nbf": FromNow(600)},
        {"iat": FromNow(600)},
        {"roles": None},
        {"roles": []},
        {"roles": ["Another.Role"]},
        {"roles": "fakturaportalen.operator"},
        {"roles": {"Fakturaportalen.Operator": True}},
        {"roles": None, "groups": ["Fakturaportalen.Operator"]},
    ],
    ids=lambda changes: ",".join(f"{name}={str(value)[:24]}" for name, value in changes.items()),
)
def test_an_id_token_that_says_anything_wrong_lets_nobody_in(
    app: Flask, reader: FlaskClient, settings: Settings, session: Session, changes: dict[str, Any]
) -> None:
    alter(app, with_claims(settings, changes))
    assert is_refused(reader, choose(reader, Role.OPERATOR))
    assert session.scalars(select(AuditRecord)).all() == []


def test_signatures_of_others_and_by_the_public_key_are_refused(
    app: Flask, reader: FlaskClient, settings: Settings
) -> None:
    alter(app, with_claims(settings, {}, RSAKey.import_key(made_key(2))))
    assert is_refused(reader, choose(reader, Role.OPERATOR))
    alter(app, by_shared_secret(IdportenStore(settings.sandbox_dir, "entra").key()))
    assert is_refused(reader, choose(reader, Role.OPERATOR))


def test_an_answer_to_another_browser_or_a_second_use_is_refused(app: Flask, reader: FlaskClient) -> None:
    address = choose(reader, Role.OPERATOR)
    assert is_refused(browser(app), address)
    assert is_refused(reader, address.replace("state=", "state=x"))
    assert reader.get(address).status_code == 302
    other = browser(app)
    assert is_refused(other, address)


def test_an_answer_that_names_another_issuer_is_refused(reader: FlaskClient) -> None:
    assert is_refused(reader, choose(reader, Role.OPERATOR) + "&iss=https://evil.example")


def test_a_provider_whose_metadata_names_another_issuer_is_no_provider(app: Flask, reader: FlaskClient) -> None:
    settings: Settings = app.config["SETTINGS"]
    wrong = "http://127.0.0.1:8000/sandbox/idporten/"
    app.config["SETTINGS"] = settings.model_copy(update={"staff_issuer": wrong + "x", "staff_client_secret": "s"})
    assert reader.get("/ansatt/logg-inn").status_code == 503


def test_the_provider_ends_the_session_by_its_own_id_of_it(
    app: Flask, reader: FlaskClient, settings: Settings, session: Session
) -> None:
    alter(app, with_claims(settings, {"sid": "the-provider-s-own"}))
    log_in(reader, Role.OPERATOR)
    assert reader.get("/ansatt").status_code == 200
    told = browser(app).get("/ansatt/logg-ut/foran", query_string={"iss": ISSUER, "sid": "the-provider-s-own"})
    assert told.status_code == 200
    assert reader.get("/ansatt").status_code == 401
    assert session.scalars(select(StoredSession)).all() == []


def test_of_several_roles_the_highest_counts(
    app: Flask, reader: FlaskClient, settings: Settings, session: Session
) -> None:
    alter(app, with_claims(settings, {"roles": ["Fakturaportalen.Statistics", "x", "Fakturaportalen.Operator"]}))
    log_in(reader, Role.STATISTICS)
    assert session.scalars(select(StaffMember.role)).one() == "operator"


def by_group(app: Flask) -> Settings:
    """From here on the role comes by group."""
    found: Settings = app.config["SETTINGS"]
    groups = {PEOPLE[0].groups[0]: "operator", PEOPLE[1].groups[0]: "caseworker"}
    changed = found.model_copy(update={"staff_claim": "groups", "staff_roles": groups})
    app.config["SETTINGS"] = changed
    return changed


def test_a_role_can_come_by_group(app: Flask, reader: FlaskClient, session: Session) -> None:
    by_group(app)
    log_in(reader, Role.CASEWORKER)
    assert session.scalars(select(StaffMember.role)).one() == "caseworker"
    other = browser(app)
    assert is_refused(other, choose(other, Role.STATISTICS)), "a group that is given no role"


@pytest.mark.parametrize("mark", [{"_claim_names": {"groups": "src1"}}, {"hasgroups": True}])
def test_too_many_groups_for_the_token_are_said_to_be_so(app: Flask, reader: FlaskClient, mark: dict[str, Any]) -> None:
    settings = by_group(app)
    alter(app, with_claims(settings, {"groups": None, **mark}))
    answer = reader.get(choose(reader, Role.OPERATOR))
    assert answer.status_code == 403
    assert "i så mange grupper" in answer.text
    with pytest.raises(NoRole, match="overage"):
        role_of(settings, mark)


def test_another_provider_s_people_are_known_by_sub(
    app: Flask, reader: FlaskClient, settings: Settings, session: Session
) -> None:
    app.config["SETTINGS"] = settings.model_copy(update={"staff_subject_claim": "sub"})
    alter(app, with_claims(settings, {"oid": None, "sub": "ola@keycloak", "name": None}))
    assert log_in(reader, Role.OPERATOR).status_code == 302
    member = session.scalars(select(StaffMember)).one()
    assert (member.actor, member.name) == ("staff:ola@keycloak", "oddvar.drift@example.com")


def put_key(settings: Settings, *, with_certificate: bool = True) -> None:
    """A key, with its certificate in the same file as Entra ID wants it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fakturaportalen")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    settings.keys_dir.mkdir(parents=True, exist_ok=True)
    extra = certificate.public_bytes(serialization.Encoding.PEM) if with_certificate else b""
    (settings.keys_dir / KEY_FILE).write_bytes(pem + extra)


@pytest.mark.parametrize("with_certificate", [True, False])
def test_a_key_proves_who_we_are_instead_of_a_secret(
    app: Flask, reader: FlaskClient, settings: Settings, with_certificate: bool
) -> None:
    put_key(settings, with_certificate=with_certificate)
    app.config["SETTINGS"] = settings.model_copy(update={"staff_key_id": "k1"})
    seen = alter(app)
    assert log_in(reader, Role.OPERATOR).status_code == 302
    (form,) = seen.forms
    assert "client_secret" not in form
    header = jws.extract_compact(form["client_assertion"].encode()).headers()
    assert header["kid"] == "k1"
    assert ("x5t#S256" in header) is with_certificate


def test_a_wrong_secret_lets_nobody_in(app: Flask, reader: FlaskClient, settings: Settings) -> None:
    alter(app)
    address = choose(reader, Role.OPERATOR)
    app.extensions["staff_oidc"].client_secret = "wrong"
    assert is_refused(reader, address)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "is not there"), (b"nonsense", "not an RSA key"), ("public", "holds a public key")],
)
def test_a_key_that_cannot_be_used_is_named(settings: Settings, content: bytes | str | None, sentence: str) -> None:
    if content is not None:
        public = RSAKey.import_key(made_key(0)).as_pem(private=False)
        settings.keys_dir.mkdir(parents=True, exist_ok=True)
        (settings.keys_dir / KEY_FILE).write_bytes(public if isinstance(content, str) else content)
    with pytest.raises(SettingsInvalid, match=sentence):
        staff_key(settings.model_copy(update={"staff_key_id": "k1"}))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"staff_issuer": "https://login.microsoftonline.com/common/v2.0"}, "own tenant"),
        ({"staff_roles": ""}, "STAFF_ROLES"),
        ({"staff_roles": "a=emperor"}, "STAFF_ROLES"),
        ({"staff_client_secret": "a", "staff_key_id": "b"}, "one proof is enough"),
        ({"staff_claim": "wids"}, "STAFF_CLAIM"),
    ],
)
def test_settings_that_cannot_be_stop_the_start(
    values: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsInvalid, match=sentence):
        load_settings(**values)


def test_a_refusal_is_said_in_the_page_s_own_words(reader: FlaskClient) -> None:
    answer = reader.get("/ansatt/logg-inn/tilbake?code=x&state=y")
    assert answer.status_code == 400
    assert texts(answer.text, "//h1") == ["Vi kunne ikke logge deg inn"]
    assert query(choose(reader, Role.OPERATOR))["code"]
