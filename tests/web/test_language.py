"""Which language a page is in, and that a choice is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.web.language import COOKIE, use_profile_language
from tests.conftest import make_settings
from tests.web.conftest import texts


def language(client: FlaskClient, path: str = "/", accepts: str = "") -> str:
    return client.get(path, headers={"Accept-Language": accepts}).text.partition('<html lang="')[2][:2]


@pytest.mark.parametrize(
    ("accepts", "expected"),
    [
        ("nb", "nb"),
        ("nn", "nn"),
        ("en", "en"),
        ("no", "nb"),
        ("no-NO,no;q=0.9", "nb"),
        ("nb-NO,nb;q=0.9,en;q=0.8", "nb"),
        ("nn-NO,nb;q=0.5", "nn"),
        ("en-GB", "en"),
        ("de,en;q=0.5", "en"),
        ("de", "nn"),
        ("", "nn"),
        ("nb;q=abc", "nn"),
        ("*", "nn"),
        ("en;q=0, nb;q=0.1", "nb"),
    ],
)
def test_the_browser_s_wish_counts_and_else_the_setting(tmp_path: Path, accepts: str, expected: str) -> None:
    client = create_app(make_settings(tmp_path, default_language="nn")).test_client()
    assert language(client, accepts=accepts) == expected


def test_a_choice_wins_and_is_remembered_on_every_page(site: Flask) -> None:
    client = site.test_client()
    assert language(client, "/personvern?lang=en", "nb") == "en"
    assert language(client, "/", "nb") == "en"
    assert language(client, "/finnes-ikke", "nb") == "en"
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert (cookie.value, cookie.http_only, cookie.same_site) == ("en", True, "Lax")


@pytest.mark.parametrize("wish", ["de", "", "NB", "nb'><script>"])
def test_a_language_we_do_not_have_changes_nothing(site: Flask, wish: str) -> None:
    client = site.test_client()
    assert language(client, f"/?lang={wish}", "en") == "en"
    assert client.get_cookie(COOKIE) is None


def test_the_profile_s_language_stands_between_choice_and_browser(site: Flask) -> None:
    site.before_request(lambda: use_profile_language("nn"))
    client = site.test_client()
    assert language(client, accepts="en") == "nn"
    assert language(client, "/?lang=nb", accepts="en") == "nb"


def test_the_picker_stays_on_the_page_and_leads_nowhere_else(site: Flask) -> None:
    client = site.test_client()
    page = client.get("//elsewhere.example/%22%3E?side=2&lang=nb&lang=en&q=a%26b").text
    addresses = [part.partition('"')[0] for part in page.split('<li><a href="')[1:4]]
    assert addresses == [f"?side=2&amp;q=a%26b&amp;lang={code}" for code in ("nb", "nn", "en")]
    assert texts(page, "//ul[@class='languages']//a[@aria-current]") == ["Bokmål"]
