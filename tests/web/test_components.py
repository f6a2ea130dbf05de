"""The components say what they must to eyes and to screen readers; the reader of pages checks the rest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from app.web.frontend import build
from tests.support.gallery import add_gallery
from tests.web.conftest import texts

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "tests" / "support").glob("*.html")]


@pytest.fixture
def gallery(site: Flask, visitor: FlaskClient) -> FlaskClient:
    add_gallery(site)
    return visitor


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/galleri").text)
    assert found
    return found[1]


def send(client: FlaskClient, **values: str) -> str:
    return client.post("/galleri", data={"csrf_token": token(client), **values}).text


def element(page: str, id_: str) -> html.HtmlElement:
    found = html.fromstring(page).xpath(f"//*[@id='{id_}']")
    assert isinstance(found, list)
    assert isinstance(found[0], html.HtmlElement)
    return found[0]


def test_every_component_in_rest_is_a_page_in_order(gallery: FlaskClient) -> None:
    page = gallery.get("/galleri").text
    assert texts(page, "//title") == ["Komponentene – Strand kommune"]
    assert texts(page, "//*[@id='feil']") == []
    assert not html.fromstring(page).xpath("//*[@aria-invalid]")


def test_the_errors_stand_on_top_and_by_their_fields_in_the_same_words(gallery: FlaskClient) -> None:
    page = send(gallery, mobile="123", code="1", month="2026-11")
    assert texts(page, "//title")[0].startswith("Feil: Komponentene")
    summary = html.fromstring(page).xpath("//*[@id='feil']//a")
    assert isinstance(summary, list)
    led = {link.get("href"): link.text for link in summary if isinstance(link, html.HtmlElement)}
    assert led == {
        "#mobile": "Mobilnummeret må ha 8 siffer",
        "#code": "Koden skal ha 6 siffer",
        "#way-0": "Velg hvordan du vil ha fakturaen",
        "#agreed": "Kryss av når personen har sagt ja",
    }
    for id_, words in led.items():
        assert element(page, id_[1:].removesuffix("-0") + "-error").text == words
        assert element(page, id_[1:]).get("aria-invalid") == "true"
    assert element(page, "mobile").get("aria-describedby") == "mobile-error mobile-hint"
    assert element(page, "feil").get("autofocus") is not None, "read first, without JavaScript"


def test_what_was_typed_stays(gallery: FlaskClient) -> None:
    page = send(gallery, mobile='12"><b>', month="2026-11", way="letter")
    assert element(page, "mobile").get("value") == '12"><b>'
    assert texts(page, "//option[@selected]") == ["november 2026"]
    assert element(page, "way-1").get("checked") is not None


def test_a_right_answer_gives_a_receipt_that_is_read_aloud(gallery: FlaskClient) -> None:
    page = send(gallery, mobile="41234567", code="123456", month="2026-11", way="auto", agreed="y")
    assert texts(page, "//*[@role='status']") == ["Valget er lagret."]


def test_values_cannot_write_html(gallery: FlaskClient) -> None:
    assert "SFO &lt;november&gt;" in gallery.get("/galleri").text


def test_the_pager_keeps_the_rest_of_the_address_and_ends_at_the_ends(gallery: FlaskClient) -> None:
    page = html.fromstring(gallery.get("/galleri").text)
    assert page.xpath("//nav[@class='pager']//a/@href") == [
        "/galleri?filter=alle&side=1",
        "/galleri?filter=alle&side=3",
    ]
    last = html.fromstring(gallery.get("/galleri/2").text)
    assert last.xpath("//nav[@class='pager']//a/@rel") == ["prev"]
    assert texts(gallery.get("/galleri/1").text, "//nav[@class='pager']") == []


def test_the_menu_says_where_the_reader_is(gallery: FlaskClient) -> None:
    assert texts(gallery.get("/galleri").text, "//div[@class='menu']//a[@aria-current='page']") == ["Oversikt"]


def test_the_table_keeps_its_names_when_its_rows_become_cards(gallery: FlaskClient) -> None:
    page = html.fromstring(gallery.get("/galleri").text)
    assert page.xpath("//tbody/tr[1]/td/@data-name") == ["Beløp", "Forfaller", "Status"]
    assert set(map(str, page.xpath("//table//*[self::tr or self::th or self::td]/@role"))) == {  # type: ignore[arg-type]
        "row", "columnheader", "rowheader", "cell",
    }  # fmt: skip


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_class_of_the_design_system_is_in_the_built_style(path: Path) -> None:
    style = (build.VENDOR / "designsystemet.css").read_text(encoding="utf-8")
    used = set(re.findall(r"\bds-[a-z]+(?:-[a-z]+)*(?:__[a-z]+)?", path.read_text(encoding="utf-8")))
    assert {name for name in used if f".{name}" not in style} == set(), "take it out of UNUSED in build.py"


def test_every_drawing_that_is_named_is_there() -> None:
    drawn = set(
        re.findall(r'^  "(\w+)": "M', (ROOT / "templates/components/icons.html").read_text(), flags=re.MULTILINE)
    )
    assert {"avtalegiro", "efaktura", "vipps", "mailbox", "email", "paper"} <= drawn
