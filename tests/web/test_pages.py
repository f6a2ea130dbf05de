"""The front page, how data is used, accessibility, the mark, and the health answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.core.database import db
from app.web import assets
from tests.conftest import make_settings
from tests.support.lint import LintingClient
from tests.web.conftest import texts

TITLES = {
    "/": {"nb": "Slik får du fakturaen", "nn": "Slik får du fakturaen", "en": "How you get your invoice"},
    "/personvern": {
        "nb": "Slik bruker vi opplysningene dine",
        "nn": "Slik bruker vi opplysningane dine",
        "en": "How we use your data",
    },
    "/tilgjengelighet": {"nb": "Tilgjengelighet", "nn": "Tilgjenge", "en": "Accessibility"},
}


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
@pytest.mark.parametrize("path", TITLES)
def test_every_public_page_speaks_every_language(visitor: FlaskClient, path: str, language: str) -> None:
    page = visitor.get(f"{path}?lang={language}").text
    assert texts(page, "//h1") == [TITLES[path][language]]
    assert f'<html lang="{language}"' in page


def test_the_ways_stand_in_the_municipality_s_order(tmp_path: Path) -> None:
    order = "avtalegiro,mailbox,efaktura,vipps,email,paper"
    client = create_app(make_settings(tmp_path, routing_order=order)).test_client()
    ways = texts(client.get("/?lang=nb").text, "//ol[@class='channels']/li//h3")
    assert ways == ["Digital postkasse", "eFaktura i nettbanken", "Vipps", "E-post", "Brev i posten"]


def test_the_telephone_number_can_be_pressed(tmp_path: Path) -> None:
    client = create_app(make_settings(tmp_path, contact_phone="+47 12 34 56 78")).test_client()
    assert 'href="tel:+4712345678"' in client.get("/").text


def test_logging_in_is_offered_only_when_there_is_a_page_for_it(site: Flask) -> None:
    site.add_url_rule("/logg-inn", view_func=lambda: "")
    with_it = site.test_client().get("/?lang=nb").text
    assert texts(with_it, "//main//a[@href='/logg-inn']") == ["Logg inn med ID-porten"]
    assert texts(with_it, "//header//a[@href='/logg-inn']") == ["Logg inn"]


def test_no_page_leads_to_a_log_in_that_is_not_there(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path))
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert ("/logg-inn" in app.test_client().get("/").text) == ("/logg-inn" in rules)


def test_the_footer_leads_to_the_statement_the_municipality_made(tmp_path: Path) -> None:
    statement = "https://uustatus.no/nb/erklaringer/publisert/1"
    app = create_app(make_settings(tmp_path, accessibility_statement_url=statement))
    app.test_client_class = LintingClient
    page = app.test_client().get("/?lang=nb").text
    assert texts(page, f"//footer//a[@href='{statement}']") == ["Tilgjengelighetserklæring"]


def test_the_mark_is_the_municipality_s_own_when_it_has_put_one_there(site: Flask, visitor: FlaskClient) -> None:
    plain = visitor.get("/merke.svg").data
    own = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    (site.config["SETTINGS"].instance_dir / "mark.svg").write_bytes(own)
    answer = visitor.get("/merke.svg")
    assert answer.data == own != plain
    assert answer.mimetype == "image/svg+xml"


def test_a_page_asked_for_again_is_not_sent_again(visitor: FlaskClient) -> None:
    first = visitor.get("/")
    again = visitor.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")


def test_a_page_kept_in_memory_is_kept_by_language_and_never_with_a_stranger_s_address(visitor: FlaskClient) -> None:
    plain = visitor.get("/personvern").text
    assert 'href="?q=x&amp;lang=en"' in visitor.get("/personvern?q=x").text
    assert visitor.get("/personvern").text == plain
    assert texts(visitor.get("/personvern?lang=en").text, "//h1") == ["How we use your data"]
    assert texts(visitor.get("/personvern?lang=nb").text, "//h1") == ["Slik bruker vi opplysningene dine"]


def test_alive_without_a_database_but_not_ready(app: Flask, client: FlaskClient) -> None:
    assert client.get("/helse/klar").get_json()["status"] == "ready"
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    answer = client.get("/helse/klar")
    assert answer.status_code == 503
    assert answer.get_json()["migration"] == "older"
    assert client.get("/helse/live").status_code == 200


def test_not_ready_while_the_pages_lack_their_look(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "NEEDED", (*assets.NEEDED, "vendor/not-built.css"))
    answer = client.get("/helse/klar")
    assert (answer.status_code, answer.get_json()["missing files"]) == (503, ["vendor/not-built.css"])
