"""The statistics page in a browser: readable in every language, colour and width; filters and files work."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete

from app.core.database import db
from app.delivery.statistics_models import Counting, InvoiceCount, MandateCount, RefusalCount, ResidentCount
from app.sandbox.entra_people import PEOPLE
from app.staff.models import StaffMember
from app.staff.statistics_models import OfferCount
from tests.browser.conftest import FORCED, Reader, Visit, faces, screenshots
from tests.staff.statistics_support import fill_a_year

PAGE = "/ansatt/statistikk"
STATISTICS = PEOPLE[2]
MODELS = (InvoiceCount, RefusalCount, ResidentCount, MandateCount, OfferCount, Counting)


@pytest.fixture(scope="module")
def figures(site: Flask) -> Iterator[None]:
    """A year of figures, for this module alone."""
    with site.app_context():
        fill_a_year(db.session())
        db.session.remove()
    yield
    with site.app_context():
        for model in MODELS:
            db.session.execute(delete(model))
        db.session.commit()
        db.session.remove()


@pytest.fixture(scope="module")
def cookies(chromium: Browser, address: str, site: Flask) -> Iterator[list[object]]:
    """The session of somebody with the least role."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/ansatt/logg-inn")
    page.get_by_label(STATISTICS.name).check()
    page.get_by_role("button", name="Logg inn", exact=True).click()
    page.wait_for_url(f"{address}/ansatt")
    yield [*context.cookies()]
    context.close()
    with site.app_context():
        db.session.execute(delete(StaffMember))
        db.session.commit()
        db.session.remove()


@pytest.fixture
def page(reader: Reader, cookies: list[object], visit: Visit) -> Page:
    """A browser in which they are logged in."""
    reader.page.context.add_cookies(cookies)  # type: ignore[arg-type]
    reader.speak(visit.language)
    return reader.page


def look(reader: Reader, visit: Visit, name: str) -> None:
    """Nothing in the way, nothing outside the window; a picture for people."""
    folder = screenshots()
    if folder:
        reader.page.screenshot(path=folder / f"{name}-{visit}.png", full_page=True)
    assert reader.barriers() == [], name
    assert reader.overflow() <= 0, name


def colour(page: Page, of: str) -> tuple[int, int, int]:
    """The colour that *of* (an element, then its property) comes out as."""
    element, _, name = of.rpartition("@")
    said: str = page.locator(element).first.evaluate("(found, name) => getComputedStyle(found)[name]", name)
    red, green, blue = (int(float(part)) for part in said[said.index("(") + 1 :].rstrip(")").split(",")[:3])
    return red, green, blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """WCAG's contrast ratio of two colours."""

    def light(colour: tuple[int, int, int]) -> float:
        parts = [part / 255 for part in colour]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("visit", [Visit("nb", "light", 375), Visit("en", "dark", 1280)], ids=str, indirect=True)
def test_without_figures_there_is_no_barrier_either(reader: Reader, page: Page, visit: Visit) -> None:
    reader.open(PAGE)
    assert page.locator(".empty").count() == 1
    look(reader, visit, "statistics-empty")


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("visit", faces(FORCED), ids=str, indirect=True)
def test_charts_and_tables_have_no_barrier_and_stay_inside(reader: Reader, page: Page, visit: Visit) -> None:
    reader.open(PAGE)
    assert page.locator("html").get_attribute("lang") == visit.language
    look(reader, visit, "statistics")
    shown = page.locator(".chart svg:visible")
    assert shown.count() == 8
    size = "Math.min(...[...document.querySelectorAll('.chart svg')].filter(one => one.checkVisibility())"
    size += ".map(one => 14 * one.getBoundingClientRect().width / one.viewBox.baseVal.width))"
    assert page.evaluate(size) >= 11, "the smallest text of the charts, in pixels"
    ground = colour(page, "body@backgroundColor")
    for part, least in (("path[fill^='var']@fill", 3), ("text@fill", 4.5)):
        assert contrast(colour(page, f".chart svg:visible {part}"), ground) >= least, part
    for summary in page.query_selector_all("main summary"):
        summary.click()
    look(reader, visit, "statistics-open")


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("visit", [Visit(has_javascript=False), Visit()], ids=str, indirect=True)
def test_months_and_type_are_chosen_with_and_without_javascript(reader: Reader, page: Page) -> None:
    reader.open(PAGE)
    page.get_by_label("Fra og med").select_option("oktober 2026")
    page.get_by_label("Type faktura").select_option("Barnehage")
    page.get_by_role("button", name="Vis tall").click()
    assert page.url.endswith("?fra=2026-10&til=2026-11&kategori=barnehage")
    section = page.get_by_role("region", name="Utvikling måned for måned", exact=True)
    section.get_by_text("Vis tallene i tabell").click()
    expect(section.locator("tbody th")).to_have_text(["oktober 2026", "november 2026"])
    expect(section.locator("tbody th").first).to_be_visible()


@pytest.mark.usefixtures("figures")
def test_a_table_is_downloaded_with_the_filters_of_the_page(reader: Reader, page: Page, tmp_path: Path) -> None:
    reader.open(f"{PAGE}?fra=2026-10&til=2026-11")
    section = page.get_by_role("region", name="Utvikling måned for måned", exact=True)
    section.get_by_text("Vis tallene i tabell").click()
    with page.expect_download() as waiting:
        section.get_by_role("link", name="Last ned som CSV").click()
    assert waiting.value.suggested_filename == "utvikling-2026-10-2026-11.csv"
    waiting.value.save_as(tmp_path / "file.csv")
    with (tmp_path / "file.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert [row[0] for row in rows] == ["Måned", "2026-10", "2026-11"]
    assert rows[0][-1] == "Digitalt (%)"
