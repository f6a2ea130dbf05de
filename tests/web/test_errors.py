"""Errors as pages: words, a number to name, the right language, and never a trace."""

from __future__ import annotations

import re

import pytest
import structlog
from flask import Flask, abort, request
from flask.testing import FlaskClient
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from app.core.errors import NotPossible
from app.web.errors import WORDS
from app.web.forms import csrf
from tests.web.conftest import texts

LANGUAGES = ("nb", "nn", "en")
TITLES = {
    400: ("Det gikk ikke", "Det gjekk ikkje", "That did not work"),
    403: ("Du har ikke tilgang", "Du har ikkje tilgang", "You do not have access"),
    404: ("Vi finner ikke siden", "Vi finn ikkje sida", "We cannot find the page"),
    405: ("Slik kan siden ikke brukes", "Slik kan ikkje sida brukast", "The page cannot be used like this"),
    410: ("Siden finnes ikke lenger", "Sida finst ikkje lenger", "The page is no longer here"),
    413: ("Det du sendte, er for stort", "Det du sende, er for stort", "What you sent is too large"),
    429: ("For mange forsøk", "For mange forsøk", "Too many attempts"),
    500: ("Noe gikk galt hos oss", "Noko gjekk gale hos oss", "Something went wrong on our side"),
    503: ("Siden er stengt en liten stund", "Sida er stengd ei lita stund", "The page is closed for a short while"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", TITLES)
def test_each_error_has_a_page_in_each_language(site: Flask, visitor: FlaskClient, status: int, language: str) -> None:
    site.add_url_rule("/feil", view_func=lambda: abort(status))
    answer = visitor.get("/feil", headers={"Accept-Language": language})
    assert answer.status_code == status
    assert texts(answer.text, "//h1") == [TITLES[status][LANGUAGES.index(language)]]
    assert re.fullmatch("[0-9A-F]{4}-[0-9A-F]{4}", texts(answer.text, "//*[@class='reference']")[0])


def test_an_error_without_words_of_its_own_borrows_them(site: Flask, visitor: FlaskClient) -> None:
    site.add_url_rule("/te", "te", view_func=lambda: abort(418))
    site.add_url_rule("/port", "port", view_func=lambda: abort(502))
    assert texts(visitor.get("/te").text, "//h1") == [str(WORDS[400][0])]
    assert texts(visitor.get("/port").text, "//h1") == [str(WORDS[500][0])]


def test_an_unforeseen_error_shows_the_number_that_the_log_has_and_no_trace(site: Flask, visitor: FlaskClient) -> None:
    @site.get("/feil/<secret>")
    def fail(secret: str) -> str:
        raise RuntimeError("inside")

    with structlog.testing.capture_logs() as lines:
        answer = visitor.get("/feil/token-in-the-address")
    assert answer.status_code == 500
    assert "inside" not in answer.text
    assert "Traceback" not in answer.text
    (line,) = lines
    assert (line["log_level"], line["status"], line["route"]) == ("error", 500, "fail")
    assert line["reference"] in answer.text
    assert "token-in-the-address" not in str({name: value for name, value in line.items() if name != "exc_info"})


def test_our_own_errors_answer_with_their_status(site: Flask, visitor: FlaskClient) -> None:
    @site.get("/feil")
    def fail() -> str:
        raise NotPossible("invoice 17 is closed")

    answer = visitor.get("/feil")
    assert answer.status_code == 409
    assert "invoice 17" not in answer.text


def test_what_the_error_asks_of_the_browser_stays_in_the_headers(site: Flask, visitor: FlaskClient) -> None:
    @site.get("/stengt")
    def closed() -> str:
        raise ServiceUnavailable(retry_after=120)

    @site.get("/mange")
    def many() -> str:
        raise TooManyRequests(retry_after=60)

    assert visitor.get("/stengt").headers["Retry-After"] == "120"
    assert visitor.get("/mange").headers["Retry-After"] == "60"
    assert "GET" in visitor.delete("/").headers["Allow"]


def test_a_post_without_its_token_is_refused_and_told_how_to_go_on(site: Flask, visitor: FlaskClient) -> None:
    site.add_url_rule("/endre", view_func=lambda: "changed", methods=["POST"])
    answer = visitor.post("/endre", data={"a": "b"})
    assert answer.status_code == 400
    assert texts(answer.text, "//h1") == ["Siden må lastes på nytt"]


def test_a_machine_with_its_own_proof_may_post_without_a_token(site: Flask, visitor: FlaskClient) -> None:
    def event() -> dict[str, str]:
        return {"status": "taken"}

    site.add_url_rule("/hendelse", view_func=csrf.exempt(event), methods=["POST"])
    assert visitor.post("/hendelse").json == {"status": "taken"}


def test_a_post_of_more_than_a_form_can_be_is_refused(site: Flask, visitor: FlaskClient) -> None:
    def read() -> dict[str, int]:
        return {"bytes": len(request.get_data())}

    site.add_url_rule("/les", view_func=csrf.exempt(read), methods=["POST"])
    assert visitor.post("/les", data=b"x" * 1_000).json == {"bytes": 1_000}
    assert visitor.post("/les", data=b"x" * 1_000_001).status_code == 413
