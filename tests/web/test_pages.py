"""The front page, the error pages, the headers and the health answers."""

from __future__ import annotations

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from lxml import html

from app.core.database import db
from app.web.headers import HEADERS

LANGUAGES = {"nb": "Slik får du fakturaen", "nn": "Slik får du fakturaen", "en": "How you get your invoice"}

# Every route, and who may open it: a new one is added here on purpose.
ROUTES = {"static": "anyone", "pages.front": "anyone", "health.live": "anyone", "health.ready": "anyone"}


def test_every_route_is_known(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ROUTES)


@pytest.mark.parametrize("path", ["/", "/finnes-ikke", "/helse/live", "/helse/klar", "/static/web/site.css"])
def test_every_answer_is_hardened(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_front_page_speaks_the_chosen_language(client: FlaskClient, language: str) -> None:
    answer = client.get(f"/?lang={language}")
    page = html.fromstring(answer.text)
    assert answer.status_code == 200
    assert page.get("lang") == language
    assert page.findtext(".//title").startswith(LANGUAGES[language])
    assert client.get("/").text.count(f'lang="{language}"') >= 1, "the choice is remembered"


def test_the_ways_stand_in_the_municipality_s_order(client: FlaskClient) -> None:
    page = html.fromstring(client.get("/?lang=nb").text)
    ways = [heading.text for heading in page.findall(".//ol/li/h2")]
    assert ways[0].startswith("eFaktura")
    assert ways[-1] == "Brev i posten"


def test_a_page_that_is_not_there_says_so_in_words(client: FlaskClient) -> None:
    answer = client.get("/finnes-ikke", headers={"Accept-Language": "nb"})
    assert answer.status_code == 404
    assert "Vi finner ikke siden" in answer.text


def test_an_unforeseen_error_shows_a_number_and_no_trace(app: Flask) -> None:
    @app.get("/feil")
    def fail() -> str:
        raise RuntimeError("secret inside")

    app.testing = False
    answer = app.test_client().get("/feil", headers={"Accept-Language": "nb"})
    assert answer.status_code == 500
    assert "Noe gikk galt hos oss" in answer.text
    assert "secret inside" not in answer.text


@pytest.mark.parametrize("status", [400, 403, 405, 410, 413, 429, 503])
def test_each_error_has_a_page(app: Flask, status: int) -> None:
    app.add_url_rule("/feil", view_func=lambda: abort(status))
    page = html.fromstring(app.test_client().get("/feil").text)
    assert page.findtext(".//h1")


def test_alive_without_a_database_but_not_ready(app: Flask, client: FlaskClient) -> None:
    assert client.get("/helse/klar").json["status"] == "ready"
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    answer = client.get("/helse/klar")
    assert answer.status_code == 503
    assert answer.json["migration"] == "older"
    assert client.get("/helse/live").status_code == 200
