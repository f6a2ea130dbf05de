"""The pages know when their session ends, can put it off, and never past two hours."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.sessions import StoredSession
from app.core.settings import Settings
from tests.portal.people import add_resident, hidden, log_in, national_id


@pytest.fixture
def kari(reader: FlaskClient, session: Session, settings: Settings, clock: Clock) -> FlaskClient:
    """A browser with a resident logged in."""
    add_resident(session, settings, clock, 1)
    log_in(reader, national_id(1))
    return reader


def seconds(client: FlaskClient, name: str) -> int:
    """What the page says: ``idle``, ``whole`` or ``again``."""
    found = re.search(rf'<dialog[^>]* data-{name}="(\d+)"', client.get("/min-side").text)
    assert found
    return int(found[1])


def told(client: FlaskClient) -> tuple[int, int]:
    """The minutes left without a request and in all, as the page says."""
    return round(seconds(client, "idle") / 60), round(seconds(client, "whole") / 60)


def age(session: Session, *, seen: float, started: float) -> None:
    """Let the session have begun and been used so many minutes ago."""
    row = session.scalars(select(StoredSession).execution_options(populate_existing=True)).one()
    now = max(row.seen_at, row.started_at)
    session.execute(
        update(StoredSession).values(
            seen_at=now - dt.timedelta(minutes=seen), started_at=now - dt.timedelta(minutes=started)
        )
    )
    session.commit()


def seen_at(session: Session) -> dt.datetime:
    return session.scalars(select(StoredSession.seen_at)).one()


def test_a_page_says_how_long_its_session_lives(kari: FlaskClient, session: Session) -> None:
    assert told(kari) == (30, 120)
    age(session, seen=20, started=100)
    assert told(kari) == (30, 20), "asking for the page puts the idle end off, and nothing the whole"


def test_a_page_never_promises_more_than_is_written_down(kari: FlaskClient, session: Session) -> None:
    kari.get("/min-side")
    age(session, seen=0.5, started=10)
    before = seen_at(session)
    assert seconds(kari, "idle") <= 30 * 60 - 29
    assert seen_at(session) == before


def test_putting_the_end_off_is_written_down_at_once(kari: FlaskClient, session: Session) -> None:
    token = hidden(kari.get("/min-side/mobil").text, "csrf_token")
    age(session, seen=0.5, started=10)
    before = seen_at(session)
    answer = kari.post("/min-side/fortsett", headers={"X-CSRFToken": token})
    assert (answer.status_code, answer.data) == (204, b"")
    assert seen_at(session) > before
    assert kari.get("/min-side/fortsett").status_code == 405, "looking puts nothing off"


def test_another_site_cannot_keep_a_session_alive(kari: FlaskClient, session: Session) -> None:
    age(session, seen=0.5, started=10)
    before = seen_at(session)
    assert kari.post("/min-side/fortsett").status_code == 400
    assert seen_at(session) == before


@pytest.mark.parametrize(("seen", "started"), [(31, 40), (1, 121)])
def test_what_has_ended_is_not_put_off(kari: FlaskClient, session: Session, seen: float, started: float) -> None:
    token = hidden(kari.get("/min-side/mobil").text, "csrf_token")
    age(session, seen=seen, started=started)
    assert kari.post("/min-side/fortsett", headers={"X-CSRFToken": token}).status_code == 401
