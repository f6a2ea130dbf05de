"""Logging in with ID-porten's stand-in, from the first press to the last log-out."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import create_app
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.database import db
from app.core.sessions import StoredSession
from app.core.settings import Settings
from tests.portal.people import add_resident, browser, choose, local, log_in, national_id, post, query, to_testid
from tests.web.conftest import texts


@pytest.fixture(autouse=True)
def town(session: Session, settings: Settings, clock: Clock) -> None:
    add_resident(session, settings, clock, 1)


def test_a_resident_logs_in_and_is_known_by_the_national_id(reader: FlaskClient, session: Session) -> None:
    answer = log_in(reader, national_id(1))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/min-side")
    assert "Kari Nordmann 1" in reader.get("/min-side").text
    (event,) = session.scalars(select(AuditRecord)).all()
    assert event.event is AuditEvent.RESIDENT_LOGGED_IN


def test_the_request_asks_for_what_id_porten_demands(reader: FlaskClient) -> None:
    asked = query(reader.get("/logg-inn").headers["Location"])
    assert asked["acr_values"] == "idporten-loa-substantial"
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == (
        "code",
        "openid profile",
        "S256",
    )
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 20
    assert len(asked["nonce"]) >= 20
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/logg-inn/tilbake"
    assert asked["ui_locales"] in ("nb", "nn", "en")


def test_the_log_in_leads_to_the_page_that_was_asked_for(reader: FlaskClient) -> None:
    asked = reader.get("/min-side/levering")
    assert asked.headers["Location"] == "/logg-inn?til=/min-side/levering"
    page = to_testid(reader, asked.headers["Location"])
    form = {"asked": page.text.split('name="asked" value="')[1].split('"')[0], "typed": national_id(1)}
    back = reader.post("/sandbox/idporten/testid", data=form)
    assert reader.get(local(back.headers["Location"])).headers["Location"] == "/min-side/levering"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/min-side//evil", "/\\evil", "/ansatt"]
)
def test_the_log_in_never_leads_elsewhere(reader: FlaskClient, elsewhere: str) -> None:
    reader.get("/logg-inn", query_string={"til": elsewhere})
    assert log_in(reader, national_id(1)).headers["Location"] == "/min-side"
    assert reader.get("/logg-inn", query_string={"til": elsewhere}).headers["Location"] == "/min-side"


def test_one_host_is_the_site_s_own(app: Flask) -> None:
    answer = app.test_client().get("/logg-inn", headers={"Host": "www.example.com"})
    assert answer.headers["Location"].startswith("http://127.0.0.1:8000/logg-inn")


def test_nothing_personal_and_no_session_is_readable_in_the_cookie_or_the_table(
    reader: FlaskClient, session: Session
) -> None:
    reader.get("/logg-inn")
    before = reader.get_cookie("fakturaportalen", domain="127.0.0.1")
    log_in(reader, national_id(1))
    after = reader.get_cookie("fakturaportalen", domain="127.0.0.1")
    assert before is not None
    assert after is not None
    assert before.value != after.value, "a new session at log-in"
    assert after.value.startswith("k.")
    assert len(after.value) == 45
    assert (after.http_only, after.same_site, after.path, after.domain) == (True, "Lax", "/", "127.0.0.1")
    rows = session.scalars(select(StoredSession)).all()
    assert len(rows) == 1, "the one of before the log-in is gone"
    kept = f"{rows[0].data} {rows[0].token_hash!r}"
    assert national_id(1) not in kept
    assert after.value not in kept
    assert "code_verifier" not in kept


def test_the_cookie_is_bound_to_the_host_where_the_site_is_encrypted(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"base_url": "https://faktura.example.no"}))
    answer = app.test_client().get("/logg-inn", base_url="https://faktura.example.no")
    with app.app_context():
        db.engine.dispose()
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-fakturaportalen=k.")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert part in cookie
    assert "Domain" not in cookie


def test_a_session_planted_before_the_log_in_is_worth_nothing_after(app: Flask, reader: FlaskClient) -> None:
    reader.get("/logg-inn")
    planted = reader.get_cookie("fakturaportalen", domain="127.0.0.1")
    assert planted is not None
    log_in(reader, national_id(1))
    thief = browser(app)
    thief.set_cookie("fakturaportalen", planted.value, domain="127.0.0.1")
    assert thief.get("/min-side").status_code == 401


def test_someone_the_register_does_not_know_is_told_what_to_do_and_can_log_out(
    reader: FlaskClient, session: Session
) -> None:
    assert log_in(reader, national_id(2)).headers["Location"] == "/logg-inn/ukjent"
    page = reader.get("/logg-inn/ukjent")
    assert page.status_code == 403
    assert texts(page.text, "//h1") == ["Vi finner ikke fakturaer til deg"]
    assert reader.get("/min-side").headers["Location"] == "/logg-inn/ukjent"
    assert post(reader, "/logg-inn/ukjent", "/logg-ut").status_code == 200
    assert session.scalars(select(StoredSession)).all() == []


def test_the_session_ends_after_half_an_hour_without_a_request(reader: FlaskClient, session: Session) -> None:
    log_in(reader, national_id(1))
    _age(session, dt.timedelta(minutes=29), dt.timedelta(minutes=29))
    assert reader.get("/min-side").status_code == 200
    _age(session, dt.timedelta(minutes=31), dt.timedelta(minutes=31))
    answer = reader.get("/min-side")
    assert answer.status_code == 401
    assert texts(answer.text, "//h1") == ["Du er logget ut"]
    assert 'href="/logg-inn?til=/min-side"' in answer.text


def test_the_session_ends_after_two_hours_however_busy(reader: FlaskClient, session: Session) -> None:
    log_in(reader, national_id(1))
    _age(session, dt.timedelta(minutes=119), dt.timedelta(0))
    assert reader.get("/min-side").status_code == 200
    _age(session, dt.timedelta(minutes=121), dt.timedelta(0))
    assert reader.get("/min-side").status_code == 401


def test_a_request_keeps_the_session_awake(reader: FlaskClient, session: Session, clock: Clock) -> None:
    log_in(reader, national_id(1))
    _age(session, dt.timedelta(minutes=20), dt.timedelta(minutes=20))
    reader.get("/min-side")
    session.expire_all()
    assert clock.now() - session.scalars(select(StoredSession.seen_at)).one() < dt.timedelta(minutes=1)


def test_logging_out_ends_the_session_here_and_at_id_porten_without_the_id_token(
    reader: FlaskClient, session: Session
) -> None:
    log_in(reader, national_id(1))
    page = post(reader, "/min-side", "/logg-ut")
    away = page.headers["Refresh"].removeprefix("0; url=")
    assert "id_token_hint" not in away
    assert query(away)["client_id"] == "fakturaportalen"
    assert session.scalars(select(StoredSession)).all() == []
    assert reader.get_cookie("fakturaportalen", domain="127.0.0.1") is None
    done = reader.get(local(away))
    assert local(done.headers["Location"]).startswith("/logg-ut/ferdig")
    assert texts(reader.get(local(done.headers["Location"])).text, "//h1") == ["Du er logget ut"]
    assert "asked" in to_testid(reader).text, "ID-porten asks again who it is"


def test_logging_out_by_a_link_from_elsewhere_does_nothing(reader: FlaskClient) -> None:
    log_in(reader, national_id(1))
    assert reader.get("/logg-ut").status_code == 200
    assert reader.post("/logg-ut").status_code == 400
    assert reader.get("/min-side").status_code == 200


def test_two_log_ins_begun_in_two_tabs_both_lead_in(reader: FlaskClient) -> None:
    first = choose(reader, national_id(1))
    second = reader.get("/logg-inn").headers["Location"]
    assert reader.get(first).headers["Location"] == "/min-side"
    assert second


def test_a_log_in_that_is_broken_off_is_no_error(reader: FlaskClient) -> None:
    answer = reader.get(choose(reader, national_id(1), action="cancel"))
    assert (answer.status_code, texts(answer.text, "//h1")) == (200, ["Du avbrøt innloggingen"])
    assert reader.get("/min-side").status_code in (302, 401)


def test_one_network_address_begins_no_more_than_a_hundred_log_ins_in_ten_minutes(reader: FlaskClient) -> None:
    answers = [reader.get("/logg-inn").status_code for _ in range(101)]
    assert answers[:100] == [302] * 100
    assert answers[100] == 429


def _age(session: Session, started: dt.timedelta, seen: dt.timedelta) -> None:
    now = dt.datetime.now(dt.UTC)
    shift = session.scalars(select(StoredSession.started_at)).one() - now
    base = now + dt.timedelta(days=round(shift / dt.timedelta(days=1)))
    session.execute(update(StoredSession).values(started_at=base - started, seen_at=base - seen))
    session.commit()
