"""A resident's whole way through Min side and out again: by mouse, by the keyboard alone, and without JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page

from tests.browser import town
from tests.browser.conftest import Reader, Visit

Press = Callable[[Page, Locator], None]


def by_mouse(_page: Page, what: Locator) -> None:
    """Click it."""
    what.click()


def by_keyboard(page: Page, what: Locator) -> None:
    """Go there by Tab alone, then press what a keyboard presses it with."""
    tab_to(page, what)
    page.keyboard.press("Space" if what.get_attribute("type") in ("radio", "checkbox") else "Enter")


def tab_to(page: Page, what: Locator) -> None:
    """Let the focus wander until it is there."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if what.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {what}")


class Walker:
    """Someone who presses in one way, and reads their own SMS and mail."""

    def __init__(self, reader: Reader, site: Flask, press: Press) -> None:
        self.page, self.address = reader.page, reader.address
        self._outbox: Path = site.config["SETTINGS"].outbox_dir
        self._press = press

    def follow(self, role: Literal["link", "button"], name: str | re.Pattern[str]) -> None:
        """Press the first thing of this role and name, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.press(self.page.get_by_role(role, name=name, exact=True).first)

    def press(self, what: Locator) -> None:
        """Press it."""
        self._press(self.page, what)

    def type(self, label: str, text: str) -> None:
        """Write *text* where *label* says."""
        field = self.page.get_by_label(label, exact=True)
        if self._press is by_mouse:
            field.fill(text)
            return
        tab_to(self.page, field)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def heading(self) -> str:
        return self.page.get_by_role("heading", level=1).inner_text()

    def told(self) -> str:
        return self.page.get_by_role("status").first.inner_text()

    def code_by_sms(self, number: str) -> str:
        """The newest code that was sent to *number*."""
        texts = [path.read_text(encoding="utf-8") for path in (self._outbox / "sms").glob("*.txt")]
        mine = [text for text in texts if number in text]
        (found,) = {re.findall(r"\b\d{6}\b", text)[0] for text in mine}
        return str(found)

    def link_by_mail(self, to: str) -> str:
        """The link in the mail to *to*."""
        mails = [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in (self._outbox / "email" / "new").iterdir()
        ]
        (mine,) = [mail for mail in mails if mail["To"] == to]
        body = mine.get_body(("plain",))
        assert body is not None
        (link,) = re.findall(r"http\S+/bekreft/\S+", body.get_content())
        return str(link)


WAYS = [
    pytest.param(Visit(width=1280), by_mouse, 0, id="mouse-1280"),
    pytest.param(Visit(width=375), by_mouse, 1, id="mouse-375"),
    pytest.param(Visit(width=1280), by_keyboard, 2, id="keyboard-1280"),
    pytest.param(Visit(width=375), by_keyboard, 3, id="keyboard-375"),
    pytest.param(Visit(width=1280, has_javascript=False), by_mouse, 4, id="no-script-1280"),
    pytest.param(Visit(width=375, has_javascript=False), by_mouse, 5, id="no-script-375"),
]


@pytest.mark.parametrize(("visit", "press", "number"), WAYS, indirect=["visit"])
def test_a_resident_does_everything(reader: Reader, site: Flask, press: Press, number: int) -> None:
    walker, person = Walker(reader, site, press), town.WALKERS[number]
    walk_in(walker, person)
    change_mobile(walker, f"4123456{number}")
    change_email(walker, f"walker{number}@example.com")
    choose(walker)
    read_an_invoice(walker, person)
    see_what_is_held(walker, person)
    leave(walker)


def walk_in(walker: Walker, person: int) -> None:
    walker.page.goto(walker.address)
    walker.follow("link", "Logg inn")
    walker.type("Eller skriv et oppdiktet fødselsnummer", town.national_id(person))
    walker.follow("button", "Logg inn")
    assert walker.heading() == "Min side"


def change_mobile(walker: Walker, number: str) -> None:
    walker.follow("link", re.compile("^(Endre|Legg til) mobilnummer$"))
    walker.type("Mobilnummer", number)
    walker.follow("button", "Send kode")
    assert walker.heading() == "Skriv inn koden fra SMS-en"
    walker.type("Kode", walker.code_by_sms(f"+47{number}"))
    walker.follow("button", "Bekreft")
    assert walker.told() == "Mobilnummeret ditt er bekreftet."


def change_email(walker: Walker, address: str) -> None:
    walker.follow("link", re.compile("^(Endre|Legg til) e-postadresse$"))
    walker.type("E-postadresse", address)
    walker.follow("button", "Send kode")
    assert walker.heading() == "Skriv inn koden fra e-posten"
    walker.page.goto(walker.link_by_mail(address))
    walker.follow("button", "Bekreft e-postadressen")
    assert walker.heading() == "E-postadressen er bekreftet"
    walker.follow("link", "Til Min side")
    assert address in walker.page.content()


def choose(walker: Walker) -> None:
    walker.follow("link", "Se hvorfor, og velg selv")
    box = walker.page.get_by_label("Ikke send på e-post")
    was = box.is_checked()
    walker.press(box)
    walker.follow("button", "Lagre valget")
    assert walker.told() == "Valget er lagret. Det gjelder fra neste faktura."
    assert walker.page.get_by_label("Ikke send på e-post").is_checked() is not was


def read_an_invoice(walker: Walker, person: int) -> None:
    walker.follow("link", "Min side")
    walker.follow("link", f"F{person}-1")
    assert walker.heading() == f"Faktura F{person}-1"
    address = walker.page.get_by_role("link", name="Åpne fakturaen (PDF)").get_attribute("href")
    answer = walker.page.context.request.get(f"{walker.address}{address}")
    assert (answer.status, answer.headers["content-type"], answer.body()) == (200, "application/pdf", town.PDF)


def see_what_is_held(walker: Walker, person: int) -> None:
    walker.follow("link", "Dette har vi om deg")
    assert f"Kari Nordmann {person}" in walker.page.inner_text("main")
    with walker.page.expect_download() as download:
        walker.press(walker.page.get_by_role("link", name="Last ned alt som fil (JSON)"))
    held = json.loads(download.value.path().read_bytes())
    assert held["person"]["customer_number"] == f"K{person}"
    assert town.national_id(person) not in json.dumps(held)


def leave(walker: Walker) -> None:
    """Out here and at ID-porten, as far as the pages lead."""
    walker.follow("button", "Logg ut")
    walker.page.wait_for_url(re.compile("/logg-ut/ferdig"))
    assert walker.heading() == "Du er logget ut"
    walker.page.goto(f"{walker.address}/min-side")
    assert walker.heading() != "Min side"
