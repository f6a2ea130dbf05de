"""Every address, who may open it, and the headers it answers with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from app import create_app
from app.web.assets import FOR_A_YEAR, asset
from app.web.headers import HEADERS, HSTS, policy
from tests.conftest import make_settings

# Every route, and who may open it: a new one is added here on purpose.
ROUTES = {
    "static": "anyone",
    "pages.front": "anyone",
    "pages.privacy": "anyone",
    "pages.accessibility": "anyone",
    "pages.mark": "anyone",
    "health.live": "anyone",
    "health.ready": "anyone",
    "log_in.start": "anyone",
    "log_in.returned": "anyone",
    "log_in.unknown": "logged in",
    "log_out.ask": "anyone",
    "log_out.here": "anyone",
    "log_out.done": "anyone",
    "log_out.front_channel": "ID-porten",
    "log_out.back_channel": "ID-porten",
    "email_link.confirm": "whoever has the link",
    "min_side.overview": "resident",
    "min_side.delivery": "resident",
    "min_side.mobile": "resident",
    "min_side.mobile_code": "resident",
    "min_side.mobile_again": "resident",
    "min_side.mobile_remove": "resident",
    "min_side.email": "resident",
    "min_side.email_code": "resident",
    "min_side.email_again": "resident",
    "min_side.email_remove": "resident",
    "min_side.invoice": "resident",
    "min_side.invoice_pdf": "resident",
    "min_side.held": "resident",
    "min_side.held_file": "resident",
    "min_side.renew": "resident",
    "min_side.efaktura": "resident",
    "min_side.efaktura_check": "resident",
    "staff_log_in.start": "anyone",
    "staff_log_in.returned": "anyone",
    "staff_log_in.out": "anyone",
    "staff_log_in.done": "anyone",
    "staff_log_in.front_channel": "the municipality's log-in",
    "staff.front": "statistics",
    "staff.find": "caseworker",
    "staff.found": "caseworker",
    "staff.invoice": "caseworker",
    "staff.act_on_invoice": "caseworker",
    "staff.invoice_document": "caseworker",
    "staff.resident": "caseworker",
    "staff.hidden_again": "caseworker",
    "staff.show_national_id": "caseworker",
    "staff.show_protected": "caseworker",
    "staff.caller": "caseworker",
    "staff.register_contact": "caseworker",
    "staff.needs_you": "caseworker",
    "staff.release_brakes": "operator",
    "staff.pile": "caseworker",
    "staff.act_on_pile": "caseworker",
    "staff.unpaid_claims": "caseworker",
    "staff.run_history": "caseworker",
    "staff.try_run": "operator",
    "staff.offers": "operator",
    "staff.preview_offer": "operator",
    "staff.start_offer": "operator",
    "staff.offer": "operator",
    "staff.stop_offer": "operator",
    "staff.resume_offer": "operator",
    "staff.pace_offer": "operator",
    "staff.statistics": "statistics",
    "staff.statistics_file": "statistics",
    "offers.show": "whoever has the link",
    "offers.reply": "whoever has the link",
    "offers.check": "whoever has the link",
    "offers.renew": "whoever has the link",
    "offers.renewed": "anyone",
    "offers.lost": "anyone",
    "unsubscribe.ask": "whoever has the link",
    "unsubscribe.unsubscribe": "whoever has the link",
    "events.eformidling": "whoever knows the secret",
    "presentation.show": "whoever has the link",
}
# The log-in providers ask for these in a frame; the staff's is the stand-in on this site.
FRAMED = {
    "/logg-ut/foran": "https://login.idporten.no https://login.test.idporten.no",
    "/ansatt/logg-ut/foran": "http://127.0.0.1:8000",
}
PUBLIC = ("/", "/personvern", "/tilgjengelighet")


def test_every_route_is_known(site: Flask) -> None:
    assert {rule.endpoint for rule in site.url_map.iter_rules()} == set(ROUTES)


def addresses(app: Flask) -> list[tuple[str, str]]:
    """Each method of each route, with something in place of its parts."""
    return [
        (method, re.sub("<[^>]+>", "00000000-0000-0000-0000-000000000000", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD"})
    ]


def test_every_route_answers_with_the_whole_set_of_headers_errors_too(site: Flask, visitor: FlaskClient) -> None:
    asked = [*addresses(site), ("GET", "/finnes-ikke"), ("DELETE", "/"), ("POST", "/")]
    assert len(asked) > len(ROUTES)
    for method, path in asked:
        with visitor.open(path, method=method) as answer:
            found = {name: answer.headers.get(name) for name in HEADERS}
            assert answer.headers.get("Cache-Control"), (method, path)
        expected: dict[str, str | None] = dict(HEADERS)
        if path in PUBLIC and method == "GET":
            expected["X-Robots-Tag"] = "all"
        if path in FRAMED and method == "GET":
            own = f"frame-ancestors {FRAMED[path]}"
            expected |= {"Content-Security-Policy": policy(own), "X-Frame-Options": None}
        assert found == expected, (method, path)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_error_pages_are_hardened_and_never_kept(site: Flask, visitor: FlaskClient, status: int) -> None:
    site.add_url_rule("/feil", view_func=lambda: abort(status))
    answer = visitor.get("/feil")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_page_is_kept_by_nobody_unless_it_says_it_is_the_same_for_all(site: Flask, visitor: FlaskClient) -> None:
    site.add_url_rule("/min", view_func=lambda: {"mine": 1})
    assert visitor.get("/min").headers["Cache-Control"] == "no-store"
    for path in PUBLIC:
        headers = visitor.get(path).headers
        assert headers["Cache-Control"] == "private, no-cache"
        assert {"Accept-Language", "Cookie"} <= set(headers["Vary"].split(", "))


def test_nothing_inline_and_nothing_from_elsewhere_is_allowed() -> None:
    rules = dict(rule.split(" ", 1) for rule in HEADERS["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["form-action"] == "'self'"
    assert rules["connect-src"] == rules["font-src"] == "'self'"
    assert rules["img-src"] == "'self' data:"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_an_answer_may_open_what_it_must_and_nothing_else() -> None:
    opened = dict(rule.split(" ", 1) for rule in policy("form-action 'self' https://bank.example").split("; "))
    closed = dict(rule.split(" ", 1) for rule in policy().split("; "))
    assert opened.pop("form-action") == "'self' https://bank.example"
    assert closed.pop("form-action") == "'self'"
    assert opened == closed


def test_encryption_is_demanded_where_it_is_there(site: Flask, visitor: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in visitor.get("/").headers
    assert visitor.get("/", base_url="https://localhost").headers["Strict-Transport-Security"] == HSTS


def test_a_file_is_kept_for_a_year_under_its_present_version_alone(site: Flask, visitor: FlaskClient) -> None:
    with site.test_request_context():
        address = asset("web/site.css")
    for path, kept in {address: FOR_A_YEAR, "/static/web/site.css": "no-cache", address + "0": "no-cache"}.items():
        with visitor.get(path) as answer:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, kept), path


def test_the_address_of_a_file_changes_with_its_content(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path))
    app.static_folder = str(tmp_path)
    with app.test_request_context():
        (tmp_path / "a.css").write_text("a{}")
        before = asset("a.css")
        (tmp_path / "a.css").write_text("b {}")
        assert asset("a.css") != before
        assert asset("gone.css") == "/static/gone.css"
