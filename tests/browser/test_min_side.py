"""Min side can be used by everyone: full and empty, with errors, opened parts and codes under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Page

from tests.browser import town
from tests.browser.conftest import Doorman, Reader, Visit, faces, screenshots

Act = Callable[[Page], object]


def nothing(_page: Page) -> None:
    """The page as it opens."""


def press(*names: str) -> Act:
    """Press the button that has one of these *names*."""

    def act(page: Page) -> None:
        for name in names:
            button = page.get_by_role("button", name=name, exact=True)
            if button.count():
                button.click()
                return

    return act


def unfold(page: Page) -> None:
    """Open everything that can be opened."""
    for summary in page.query_selector_all("summary"):
        summary.click()


def mistype(page: Page) -> None:
    """Send what cannot be right."""
    page.locator("main input[type=tel], main input[type=email], main input[name=code]").first.fill("12")
    page.locator("main form button").first.click()


INVOICE = f"/min-side/faktura/{town.FIRST_INVOICE}"
FULL: Mapping[str, tuple[str, Act]] = {
    "overview": ("/min-side", nothing),
    "overview-2": ("/min-side?side=2", nothing),
    "delivery": ("/min-side/levering", nothing),
    "mobile": ("/min-side/mobil", nothing),
    "mobile-wrong": ("/min-side/mobil", mistype),
    "email": ("/min-side/epost", nothing),
    "email-wrong": ("/min-side/epost", mistype),
    "held": ("/min-side/innsyn", nothing),
    "invoice": (INVOICE, unfold),
    "log-out": ("/logg-ut", nothing),
}
EMPTY: Mapping[str, tuple[str, Act]] = {
    "empty-overview": ("/min-side", nothing),
    "empty-delivery": ("/min-side/levering", nothing),
    "empty-delivery-saved": ("/min-side/levering", lambda page: page.locator("main form button").first.click()),
    "empty-mobile": ("/min-side/mobil", nothing),
    "empty-held": ("/min-side/innsyn", nothing),
    "nobody-s-invoice": ("/min-side/faktura/00000000-0000-4000-9000-999999999999", nothing),
}


def look(reader: Reader, visit: Visit, name: str) -> None:
    """Nothing in the way, nothing outside the window; a picture for people."""
    folder = screenshots()
    if folder:
        reader.page.screenshot(path=folder / f"{name}-{visit}.png", full_page=True)
    assert reader.page.locator(".reference").count() == (name == "nobody-s-invoice"), "no other page is an error"
    assert reader.barriers() == [], name
    assert reader.overflow() <= 0, name


@pytest.fixture(params=[(town.FULL, FULL), (town.EMPTY, EMPTY)], ids=["full", "empty"])
def tour(
    request: pytest.FixtureRequest, reader: Reader, doorman: Doorman, visit: Visit
) -> Mapping[str, tuple[str, Act]]:
    """A resident's pages, with the resident logged in and the language chosen."""
    person, pages = request.param
    reader.page.context.add_cookies(doorman.cookies(town.national_id(person)))
    reader.speak(visit.language)
    found: Mapping[str, tuple[str, Act]] = pages
    return found


@pytest.mark.parametrize("visit", faces(), ids=str, indirect=True)
def test_no_page_of_min_side_has_a_barrier_or_scrolls_sideways(
    reader: Reader, visit: Visit, tour: Mapping[str, tuple[str, Act]]
) -> None:
    for name, (path, act) in tour.items():
        page = reader.open(path)
        act(page)
        assert page.locator("html").get_attribute("lang") == visit.language
        look(reader, visit, name)
