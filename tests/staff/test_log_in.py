"""Logging in by the municipality's own provider, from the first press to the last log-out."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.audit import AuditEvent, AuditRecord
from app.core.sessions import StoredSession
from app.staff.access import Role
from app.staff.models import StaffMember
from tests.portal.people import browser, hidden, local, post, query
from tests.staff.people import OIDS, choose, log_in
from tests.web.conftest import texts


@pytest.mark.parametrize("role", list(Role))
def test_each_role_logs_in_and_is_named(reader: FlaskClient, session: Session, role: Role) -> None:
    answer = log_in(reader, role)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/ansatt")
    page = reader.get("/ansatt")
    assert page.status_code == 200
    member = session.scalars(select(StaffMember)).one()
    assert (member.actor, member.role) == (f"staff:{OIDS[role]}", role.value)
    assert member.name in page.text
    (event,) = session.scalars(select(AuditRecord)).all()
    assert (event.event, event.actor, event.reason) == (AuditEvent.STAFF_LOGGED_IN, member.actor, role.value)


def test_the_request_asks_for_a_signed_answer_to_this_very_browser(reader: FlaskClient) -> None:
    asked = query(reader.get("/ansatt/logg-inn").headers["Location"])
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == (
        "code",
        "openid profile",
        "S256",
    )
    assert len(asked["code_challenge"]) == 43
    assert min(len(asked["state"]), len(asked["nonce"])) >= 20
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/ansatt/logg-inn/tilbake"


def test_somebody_without_a_role_is_told_so_and_gets_no_session(reader: FlaskClient, session: Session) -> None:
    answer = log_in(reader, None)
    assert answer.status_code == 403
    assert texts(answer.text, "//h1") == ["Du har ingen rolle her"]
    assert reader.get("/ansatt").status_code == 302
    assert session.scalars(select(AuditRecord)).all() == []
    token = hidden(answer.text, "csrf_token")
    assert reader.post("/ansatt/logg-ut", data={"csrf_token": token}).status_code == 200, "somebody else may log in"


def test_the_log_in_leads_to_the_page_that_was_asked_for_with_its_filters(reader: FlaskClient) -> None:
    asked = reader.get("/ansatt?fra=2026-01&til=2026-11")
    start = asked.headers["Location"]
    assert start.startswith("/ansatt/logg-inn?til=")
    assert log_in(reader, Role.OPERATOR, start).headers["Location"] == "/ansatt?fra=2026-01&til=2026-11"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/ansatt//evil", "/\\evil", "/min-side", "/ansatt?a=//x"]
)
def test_the_log_in_never_leads_elsewhere(reader: FlaskClient, elsewhere: str) -> None:
    reader.get("/ansatt/logg-inn", query_string={"til": elsewhere})
    assert log_in(reader, Role.STATISTICS).headers["Location"] == "/ansatt"
    assert reader.get("/ansatt/logg-inn", query_string={"til": elsewhere}).headers["Location"] == "/ansatt"


def test_a_log_in_that_is_broken_off_is_no_error(reader: FlaskClient) -> None:
    answer = reader.get(choose(reader, Role.OPERATOR, action="cancel"))
    assert (answer.status_code, texts(answer.text, "//h1")) == (200, ["Du avbrøt innloggingen"])
    assert reader.get("/ansatt").status_code == 302


def test_the_cookie_is_new_at_log_in_and_a_planted_one_is_worth_nothing(app: Flask, reader: FlaskClient) -> None:
    reader.get("/ansatt/logg-inn")
    planted = reader.get_cookie("fakturaportalen", domain="127.0.0.1")
    log_in(reader, Role.OPERATOR)
    after = reader.get_cookie("fakturaportalen", domain="127.0.0.1")
    assert planted is not None
    assert after is not None
    assert planted.value != after.value
    thief = browser(app)
    thief.set_cookie("fakturaportalen", planted.value, domain="127.0.0.1")
    assert thief.get("/ansatt").status_code == 401


def test_logging_out_ends_the_session_here_and_at_the_provider(reader: FlaskClient, session: Session) -> None:
    log_in(reader, Role.OPERATOR)
    page = post(reader, "/ansatt", "/ansatt/logg-ut")
    away = page.headers["Refresh"].removeprefix("0; url=")
    assert "id_token_hint" not in away
    assert session.scalars(select(StoredSession)).all() == []
    done = reader.get(local(away))
    assert local(done.headers["Location"]).startswith("/ansatt/logg-ut/ferdig")
    assert texts(reader.get(local(done.headers["Location"])).text, "//h1") == ["Du er logget ut"]
    chosen = reader.get(local(reader.get("/ansatt/logg-inn").headers["Location"]))
    assert hidden(chosen.text, "asked"), "the provider asks again who it is"


def test_a_hidden_frame_of_a_stranger_ends_nothing(reader: FlaskClient) -> None:
    log_in(reader, Role.OPERATOR)
    issuer = "http://127.0.0.1:8000/sandbox/entra/5a7db0c0-0000-4000-8000-0000000000e1/v2.0"
    assert reader.get("/ansatt/logg-ut/foran", query_string={"iss": "https://evil", "sid": "a"}).status_code == 400
    assert reader.get("/ansatt/logg-ut/foran", query_string={"iss": issuer, "sid": "wrong"}).status_code == 200
    assert reader.get("/ansatt").status_code == 200


def test_a_press_after_the_session_ended_is_told_so_and_nothing_is_done(reader: FlaskClient) -> None:
    answer = reader.post("/ansatt/logg-ut")
    assert answer.status_code == 400
    log_in(reader, Role.OPERATOR)
    reader.set_cookie("fakturaportalen", "k." + "a" * 43, domain="127.0.0.1")
    answer = reader.get("/ansatt")
    assert (answer.status_code, texts(answer.text, "//h1")) == (401, ["Du er logget ut"])
    assert 'href="/ansatt/logg-inn?til=/ansatt"' in answer.text


def test_one_network_address_begins_no_more_than_a_hundred_log_ins_in_ten_minutes(reader: FlaskClient) -> None:
    answers = [reader.get("/ansatt/logg-inn").status_code for _ in range(101)]
    assert answers[:100] == [302] * 100
    assert answers[100] == 429
