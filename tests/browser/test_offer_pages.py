"""The pages of an offer can be used by everyone, in every state, and answered by mouse, keys and HTML alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.campaigns.at_request import OUTFIT
from app.campaigns.models import OfferMail
from app.core.database import db
from tests.browser.conftest import Reader, Visit, faces, screenshots
from tests.campaigns.office import Office
from tests.offers.situations import SITUATIONS, fresh

# Residents of the town have the lower numbers.
FIRST = 100


@pytest.fixture(scope="module")
def office(site: Flask) -> Iterator[Office]:
    """An installation whose provider does as told, on the site of all browser tests."""
    with site.app_context():
        found = Office(db.session(), site.config["SETTINGS"], site.config["CLOCK"])
        found.count = FIRST
        before = site.extensions.get(OUTFIT)
        site.extensions[OUTFIT] = found.desk.outfit
        yield found
        site.extensions[OUTFIT] = before
        db.session.remove()


@pytest.fixture(scope="module")
def paths(office: Office) -> dict[str, str]:
    """A link in each situation, and what else can be opened."""
    found = {name: f"/efaktura/{make(office)}" for name, (make, _, _) in SITUATIONS.items()}
    found["again"] = f"{found['declined']}?endre=1"
    mail = office.session.query(OfferMail).first()
    assert mail is not None
    found["unsubscribe"] = f"/avmeld/{office.links.unsubscribe_token(mail.public_id)}"
    found["unsubscribe-unknown"] = "/avmeld/rubbish"
    found["renewed"] = "/efaktura/ny-lenke"
    office.session.commit()
    return found


def look(reader: Reader, visit: Visit, name: str) -> None:
    """Nothing in the way, nothing outside the window; a picture for people."""
    folder = screenshots()
    if folder:
        reader.page.screenshot(path=folder / f"offer-{name}-{visit}.png", full_page=True)
    assert reader.barriers() == [], name
    assert reader.overflow() <= 0, name


@pytest.mark.parametrize("visit", faces(), ids=str, indirect=True)
def test_no_page_of_an_offer_has_a_barrier_or_scrolls_sideways(
    reader: Reader, visit: Visit, paths: dict[str, str]
) -> None:
    reader.speak(visit.language)
    for name, path in paths.items():
        page = reader.open(path)
        for summary in page.query_selector_all("summary"):
            summary.click()
        assert page.locator("html").get_attribute("lang") == visit.language
        assert page.locator(".reference").count() == 0, f"{name} is an error page"
        look(reader, visit, name)
    page = reader.open(paths["fresh"])
    page.locator("main form button").click()
    assert page.locator("[aria-invalid]").count() > 0
    look(reader, visit, "nothing-chosen")


def by_mouse(page: Page, answer: str) -> None:
    """Tick and press."""
    page.get_by_label(answer).check()
    page.get_by_role("button", name="Send svaret").click()


def by_keyboard(page: Page, answer: str) -> None:
    """Tab to the choices, arrow to the answer, and on to the button."""
    while not page.evaluate("document.activeElement.type === 'radio'"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    while not page.get_by_label(answer).is_checked():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


@pytest.mark.parametrize("visit", [Visit(width=375), Visit(has_javascript=False)], ids=str, indirect=True)
@pytest.mark.parametrize("act", [by_mouse, by_keyboard])
def test_it_is_answered_in_every_way_of_using_a_page(reader: Reader, office: Office, act: object, visit: Visit) -> None:
    assert callable(act)
    path = f"/efaktura/{fresh(office)}"
    page = reader.open(path)
    with page.expect_navigation():
        act(page, "Nei takk, jeg vil ha det som nå")
    assert page.get_by_role("heading", level=1).inner_text() == "Greit, vi endrer ingenting"
    with page.expect_navigation():
        page.get_by_role("link", name="Angre").click()
    with page.expect_navigation():
        act(page, "Ja, slå på eFaktura")
    assert page.get_by_role("heading", level=1).inner_text() == "Vi holder på å slå på eFaktura"


def test_two_browsers_at_the_same_moment_end_in_one_state_and_one_request(reader: Reader, office: Office) -> None:
    path, asked = f"/efaktura/{fresh(office)}", len(office.provider.requests)
    context = reader.page.context.browser
    assert context is not None
    pages = [reader.page, context.new_context().new_page()]
    for page in pages:
        page.goto(f"{reader.address}{path}")
        page.get_by_label("Ja, slå på eFaktura").check()
        page.evaluate("setTimeout(() => document.querySelector('main form').requestSubmit(), 300)")
    for page in pages:
        expect(page.get_by_role("heading", level=1)).to_have_text("Vi holder på å slå på eFaktura")
    pages[1].context.close()
    assert len(office.provider.requests) == asked + 1
