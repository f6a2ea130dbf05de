"""Two minutes before the session ends the page says so, can put it off, and at the end shows nothing any more."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from app.core.database import db
from app.core.sessions import StoredSession
from tests.browser import town
from tests.browser.conftest import Reader, Visit, screenshots


@pytest.fixture
def page(reader: Reader) -> Page:
    """A resident's page, in a browser whose clock the test moves."""
    page = reader.page
    page.clock.install()
    town.log_in(page, reader.address, town.national_id(town.EMPTY), "/min-side/mobil")
    return page


def box(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Du blir snart logget ut")


def pass_by(page: Page, minutes: float) -> None:
    """Let the browser's clock run."""
    page.clock.run_for(int(minutes * 60_000))


def age_on_server(site: Flask, minutes: int) -> None:
    """Let every session have been left alone for so long."""
    with site.app_context():
        ago = dt.timedelta(minutes=minutes)
        for row in db.session.query(StoredSession):
            row.seen_at -= ago
        db.session.commit()
        db.session.remove()


def test_it_is_told_two_minutes_ahead_and_put_off_by_a_press(page: Page, reader: Reader) -> None:
    page.get_by_label("Mobilnummer").fill("987 65")
    pass_by(page, 27.9)
    assert box(page).count() == 0
    pass_by(page, 0.2)
    assert box(page).is_visible()
    assert page.evaluate("document.activeElement.textContent") == "Fortsett", "the harmless button is at hand"
    with page.expect_response("**/min-side/fortsett") as renewed:
        page.keyboard.press("Enter")
    assert renewed.value.status == 204
    assert not box(page).is_visible()
    assert page.get_by_label("Mobilnummer").input_value() == "987 65", "what was typed is still there"
    pass_by(page, 27.5)
    assert not box(page).is_visible()
    pass_by(page, 1)
    assert box(page).is_visible()


def test_what_is_left_is_told_twice_a_minute_and_not_every_second(page: Page) -> None:
    pass_by(page, 28.05)
    seen, heard = box(page).locator("strong"), box(page).locator("[aria-live=polite]")
    first = heard.inner_text()
    assert first.startswith("Vi logger deg ut om 1")
    pass_by(page, 0.15)
    assert heard.inner_text() == first != seen.inner_text()
    pass_by(page, 0.5)
    assert heard.inner_text() == "Vi logger deg ut om 90 sekunder."


def test_escape_puts_it_off_too(page: Page) -> None:
    pass_by(page, 28.1)
    with page.expect_response("**/min-side/fortsett"):
        page.keyboard.press("Escape")
    pass_by(page, 2)
    assert not box(page).is_visible()
    assert page.get_by_role("heading", level=1).inner_text() == "Mobilnummer"


def test_at_the_end_the_page_gives_way(page: Page, site: Flask) -> None:
    pass_by(page, 28.1)
    age_on_server(site, 31)
    with page.expect_navigation():
        pass_by(page, 2)
    assert page.get_by_role("heading", level=1).inner_text() == "Du er logget ut"


def test_whoever_is_too_late_is_told_so(page: Page, site: Flask) -> None:
    pass_by(page, 28.1)
    age_on_server(site, 31)
    with page.expect_navigation():
        box(page).get_by_role("button", name="Fortsett").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Du er logget ut"


def test_two_hours_are_the_end_whatever_is_pressed(page: Page) -> None:
    for _ in range(4):
        pass_by(page, 28.1)
        with page.expect_response("**/min-side/fortsett"):
            box(page).get_by_role("button", name="Fortsett").click()
    pass_by(page, 6)
    assert box(page).is_visible()
    assert "Det er snart to timer siden du logget inn." in box(page).inner_text()
    assert "Du har ikke gjort noe" not in box(page).inner_text()


def test_what_is_done_in_one_tab_counts_in_the_other(page: Page, reader: Reader) -> None:
    pass_by(page, 28.1)
    assert box(page).is_visible()
    other = page.context.new_page()
    other.goto(f"{reader.address}/min-side")
    expect(box(page)).to_have_count(0)
    pass_by(page, 1)
    assert not box(page).is_visible()


@pytest.mark.parametrize("visit", [Visit(width=320), Visit("nb", "dark")], ids=str, indirect=True)
def test_the_warning_has_no_barrier(page: Page, reader: Reader, visit: Visit) -> None:
    pass_by(page, 28.1)
    page.clock.resume()
    assert reader.barriers() == []
    folder = screenshots()
    if folder:
        page.screenshot(path=folder / f"warning-{visit}.png")


@pytest.mark.parametrize("visit", [Visit(has_javascript=False)], ids=str, indirect=True)
def test_without_javascript_there_is_no_warning_and_nothing_breaks(reader: Reader) -> None:
    town.log_in(reader.page, reader.address, town.national_id(town.EMPTY))
    assert reader.page.get_by_role("heading", level=1).inner_text() == "Min side"
    assert not reader.page.locator("#tid").is_visible()
