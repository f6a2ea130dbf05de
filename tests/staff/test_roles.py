"""Each role opens what it may and nothing else: every page under /ansatt, by every role and by everybody else."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.staff.access import ROOM, Role, check_all_say, needs, role_needed
from tests.portal.people import add_resident, browser, national_id
from tests.portal.people import log_in as log_in_resident
from tests.staff.people import log_in, staff_browser
from tests.web.conftest import texts
from tests.web.test_headers import ROUTES

Address = tuple[str, str, Role]


def addresses(app: Flask) -> list[Address]:
    """Method, address and least role of every page of the room."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{ROOM}."):
            path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
            path = re.sub(r"<[^>]+>", "00000000-0000-0000-0000-000000000000", path)
            needed = role_needed(app.view_functions[rule.endpoint])
            assert needed is not None, rule.endpoint
            found += [(method, path, needed) for method in (rule.methods or set()) & {"GET", "POST"}]
    return sorted(found)


def test_the_least_role_of_each_page_is_what_the_table_of_routes_says(app: Flask) -> None:
    told = {name: role_needed(view) for name, view in app.view_functions.items() if name.startswith(f"{ROOM}.")}
    assert told == {name: Role(ROUTES[name]) for name in told}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_what_it_may_and_nothing_else(app: Flask, role: Role) -> None:
    client = staff_browser(app, role)
    pages = addresses(app)
    assert len(pages) >= 8
    for method, path, needed in pages:
        answer = client.open(path, method=method)
        if role.covers(needed):
            assert answer.status_code not in (401, 403), (method, path)
            assert not answer.headers.get("Location", "").startswith("/ansatt/logg-inn"), (method, path)
        else:
            assert answer.status_code == 403, (method, path)
            assert texts(answer.text, "//h1") == ["Du har ikke tilgang til denne siden"]


def test_a_page_that_is_closed_says_which_role_it_needs(statistician: FlaskClient) -> None:
    page = statistician.get("/ansatt/trenger-deg").text
    assert "krever rollen saksbehandler. Du har rollen statistikk." in page


def test_the_menu_shows_what_the_role_may_open(app: Flask) -> None:
    for role, absent in ((Role.STATISTICS, "/ansatt/trenger-deg"), (Role.OPERATOR, None)):
        client = staff_browser(app, role)
        menu = set(re.findall(r'<li><a href="(/ansatt[^"?]*)"', client.get("/ansatt").text))
        assert "/ansatt/statistikk" in menu
        assert absent not in menu
        for path in menu:
            assert client.get(path).status_code == 200, path


def test_whoever_is_not_logged_in_opens_nothing(app: Flask, reader: FlaskClient) -> None:
    for method, path, _needed in addresses(app):
        answer = reader.open(path, method=method)
        if method == "GET":
            assert answer.headers["Location"].startswith("/ansatt/logg-inn?til="), path
        else:
            assert answer.status_code == 401, path


def test_a_resident_s_session_opens_no_page_here_and_one_of_ours_none_of_a_resident_s(
    app: Flask, session: Session, settings: Settings, clock: Clock
) -> None:
    add_resident(session, settings, clock, 1)
    resident = browser(app)
    assert log_in_resident(resident, national_id(1)).headers["Location"] == "/min-side"
    for method, path, _needed in addresses(app):
        assert resident.open(path, method=method).status_code in (302, 401), path
    staff = staff_browser(app, Role.OPERATOR)
    assert staff.get("/min-side").status_code in (302, 401)
    assert staff.get("/min-side/innsyn/fil").status_code in (302, 401)


def test_logging_in_as_staff_ends_being_the_resident(
    app: Flask, session: Session, settings: Settings, clock: Clock
) -> None:
    add_resident(session, settings, clock, 1)
    client = browser(app)
    log_in_resident(client, national_id(1))
    log_in(client, Role.CASEWORKER)
    assert client.get("/ansatt").status_code == 200
    assert client.get("/min-side").status_code in (302, 401)


def test_a_page_that_says_no_role_stops_the_start() -> None:
    app = Flask(__name__)
    app.add_url_rule("/x", "staff.forgotten", lambda: "")
    with pytest.raises(RuntimeError, match=r"staff\.forgotten"):
        check_all_say(app)
    app.view_functions["staff.forgotten"] = needs(Role.OPERATOR)(lambda: "")
    check_all_say(app)
