"""Finding and helping in a browser: every page readable by everyone, each kind of search, a caller's registration."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import delete

from app.campaigns.models import (
    Activation,
    Agreement,
    AgreementSource,
    AgreementState,
    Campaign,
    CampaignState,
    MailState,
    Offer,
    OfferAnswer,
    OfferMail,
)  # fmt: skip
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings
from app.delivery.models import Delivery, Part, State
from app.residents.contacts import register_contact
from app.residents.models import AddressProtection, ContactKind, ContactPoint, ContactSource, Resident
from app.residents.name_index import index_missing
from app.routing.channels import Channel
from app.sandbox.entra_people import PEOPLE
from app.staff.models import StaffMember
from tests.browser import town
from tests.browser.conftest import Reader, Visit, faces, screenshots
from tests.portal.invoices import add_invoice
from tests.portal.people import add_resident, national_id

CASEWORKER = PEOPLE[1]
BUSY, PROTECTED, CALLER = 61, 62, 63
Act = Callable[[Page], object]


def person(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def nothing(_page: Page) -> None:
    """The page as it opens."""


def unfold(page: Page) -> None:
    """Open everything that can be opened."""
    for summary in page.query_selector_all("main summary"):
        summary.click()


def send_empty(page: Page) -> None:
    """Send what is not filled in."""
    page.locator("main form button[type=submit]").last.click()


def search(text: str) -> Act:
    """Look for *text*."""

    def act(page: Page) -> None:
        page.locator("main input[type=search]").fill(text)
        page.locator("main form button[type=submit]").click()

    return act


PAGES: Mapping[str, tuple[str, Act]] = {
    "find": ("/ansatt/sok", nothing),
    "find-wrong": ("/ansatt/sok", send_empty),
    "found": ("/ansatt/sok", search("kari nordmann")),
    "found-many": ("/ansatt/sok", search("ola berg")),
    "found-invoices": ("/ansatt/sok", search("8887776665")),
    "found-nothing": ("/ansatt/sok", search("finnes ikke")),
    "invoice-long": (f"/ansatt/faktura/{town.FIRST_INVOICE}", unfold),
    "invoice-waiting": ("busy", unfold),
    "invoice-wrong": ("busy", send_empty),
    "resident-long": (f"/ansatt/innbygger/{person(town.FULL)}", unfold),
    "resident-empty": (f"/ansatt/innbygger/{person(town.EMPTY)}", unfold),
    "resident-busy": (f"/ansatt/innbygger/{person(BUSY)}", unfold),
    "resident-protected": (f"/ansatt/innbygger/{person(PROTECTED)}", nothing),
    "resident-protected-wrong": (f"/ansatt/innbygger/{person(PROTECTED)}", send_empty),
    "caller": ("/ansatt/registrer", nothing),
    "caller-wrong": ("/ansatt/registrer", send_empty),
    "register": (f"/ansatt/innbygger/{person(BUSY)}/registrer", unfold),
    "register-wrong": (f"/ansatt/innbygger/{person(BUSY)}/registrer", send_empty),
}


@pytest.fixture(scope="module")
def people(site: Flask) -> Iterator[str]:
    """Some more residents, and everybody's words; gives the address of an invoice that waits."""
    with site.app_context():
        session, settings, clock = db.session(), site.config["SETTINGS"], site.config["CLOCK"]
        waiting = _busy(settings, clock)
        protected = add_resident(session, settings, clock, PROTECTED)
        protected.address_protection = AddressProtection.STRICTLY_CONFIDENTIAL
        add_resident(session, settings, clock, CALLER).name = "Ronja Ringersdatter"
        now = clock.now()
        session.add_all(
            Resident(customer_number=f"M{number}", name=f"Ola Berg {number}", city="Tau", created_at=now,
                     updated_at=now)
            for number in range(130)
        )  # fmt: skip
        session.flush()
        index_missing(session)
        session.commit()
        db.session.remove()
    yield f"/ansatt/faktura/{waiting}"
    with site.app_context():
        db.session.execute(delete(StaffMember))
        db.session.commit()
        db.session.remove()


def _busy(settings: Settings, clock: Clock) -> str:
    session, now = db.session(), clock.now()
    busy = add_resident(session, settings, clock, BUSY)
    register_contact(
        session, busy.id, ContactKind.EMAIL, "egen@example.com", ContactSource.RESIDENT, now, is_confirmed=True
    )
    register_contact(session, busy.id, ContactKind.MOBILE, "40000001", ContactSource.STAFF, now, is_confirmed=False)
    session.add(
        Agreement(resident_id=busy.id, source=AgreementSource.OFFER, activation=Activation.AGREEMENT, key="busy",
                  state=AgreementState.ACTIVE, requested_at=now)
    )  # fmt: skip
    campaign = Campaign(name="Før jul 2026", state=CampaignState.FINISHED, started_at=now, started_by="staff:1")
    session.add(campaign)
    session.flush()
    mail = OfferMail(campaign_id=campaign.id, address="egen@example.com", key="busy", language="nb",
                     state=MailState.DELIVERED, sent_at=now)  # fmt: skip
    session.add(mail)
    session.flush()
    point = session.query(ContactPoint.id).filter_by(resident_id=busy.id, kind=ContactKind.EMAIL).scalar()
    session.add(Offer(mail_id=mail.id, resident_id=busy.id, contact_point_id=point, answer=OfferAnswer.YES))
    waiting = add_invoice(session, busy, clock, 1, kid="8887776665")
    add_invoice(session, busy, clock, 2, kid="8887776665")
    plan = session.query(Delivery.plan_id).filter(Delivery.plan_id.is_not(None)).limit(1).scalar()
    session.add(
        Delivery(invoice_id=waiting.id, part=Part.DOCUMENT, plan_id=plan, channel=Channel.EMAIL, state=State.WAITING,
                 next_try_at=now, changed_at=now)
    )  # fmt: skip
    session.commit()
    return waiting.public_id


@pytest.fixture(scope="module")
def cookies(chromium: Browser, address: str, people: str) -> Iterator[list[object]]:
    """The session of a case worker."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/ansatt/logg-inn")
    page.get_by_label(CASEWORKER.name).check()
    page.get_by_role("button", name="Logg inn", exact=True).click()
    page.wait_for_url(f"{address}/ansatt")
    yield [*context.cookies()]
    context.close()


@pytest.fixture
def page(reader: Reader, cookies: list[object], visit: Visit) -> Page:
    """A browser in which they are logged in."""
    reader.page.context.add_cookies(cookies)  # type: ignore[arg-type]
    reader.speak(visit.language)
    return reader.page


@pytest.mark.parametrize("visit", faces(), ids=str, indirect=True)
def test_no_page_has_a_barrier_or_scrolls_sideways(reader: Reader, page: Page, visit: Visit, people: str) -> None:
    folder = screenshots()
    for name, (path, act) in PAGES.items():
        act(reader.open(people if path == "busy" else path))
        assert page.locator("html").get_attribute("lang") == visit.language
        if folder:
            page.screenshot(path=folder / f"{name}-{visit}.png", full_page=True)
        assert page.locator(".reference").count() == 0, f"{name} is an error page"
        assert reader.barriers() == [], name
        assert reader.overflow() <= 0, name


@pytest.mark.parametrize("visit", [Visit(has_javascript=False), Visit()], ids=str, indirect=True)
@pytest.mark.parametrize(
    ("text", "matched"),
    [
        ("8887776665", "KID"),
        (f"K{BUSY}", "kundenummer"),
        ("ronja ring", "navn"),
        ("egen@example.com", "e-postadresse"),
        ("400 00 001", "mobilnummer"),
        (national_id(BUSY), "fødselsnummer"),
    ],
)
def test_each_kind_is_found_and_nothing_of_it_stands_in_the_address(
    reader: Reader, page: Page, people: str, text: str, matched: str
) -> None:
    reader.open("/ansatt/sok")
    page.get_by_label("Hva vil du finne?").fill(text)
    page.get_by_role("button", name="Søk").click()
    assert page.url.endswith("/ansatt/sok/treff")
    assert page.locator("tbody td[data-name='Treff på']").all_inner_texts()[0] == matched
    assert all(text not in address for address in reader.requests)
    page.locator("tbody a").first.click()
    assert re.search(r"/ansatt/(innbygger|faktura)/[0-9a-f-]{36}$", page.url)


def test_an_invoice_number_leads_straight_to_it_and_it_is_held_and_released(
    reader: Reader, page: Page, people: str, site: Flask
) -> None:
    with site.app_context():
        busy = db.session.query(Resident.id).filter_by(public_id=person(BUSY)).scalar()
        db.session.remove()
    reader.open("/ansatt/sok")
    page.get_by_label("Hva vil du finne?").fill(f"F{busy}-1")
    page.get_by_role("button", name="Søk").click()
    assert page.url.endswith(people)
    page.get_by_label("Hold den tilbake").check()
    page.get_by_label("Begrunnelse").fill("Kunden klager på beløpet")
    page.get_by_role("button", name="Utfør").click()
    assert page.get_by_role("status").inner_text() == "Fakturaen holdes tilbake."
    assert page.get_by_text("Kunden klager på beløpet").count() == 1
    page.get_by_label("Slipp den løs").check()
    page.get_by_label("Begrunnelse").fill("Beløpet er riktig")
    page.get_by_role("button", name="Utfør").click()
    assert "sluppet løs" in page.get_by_role("status").inner_text()


@pytest.mark.parametrize("visit", [Visit(has_javascript=False)], ids=str, indirect=True)
def test_a_caller_s_registration_is_confirmed_by_the_link_in_the_mail(
    reader: Reader, page: Page, people: str, site: Flask
) -> None:
    reader.open("/ansatt/registrer")
    page.get_by_label("Fødselsnummer eller kundenummer").fill(national_id(CALLER))
    page.get_by_role("button", name="Finn personen").click()
    assert page.url.endswith(f"/ansatt/innbygger/{person(CALLER)}/registrer")
    page.get_by_label("to kontrollspørsmål").check()
    page.get_by_label("Mobilnummer", exact=True).fill("41 23 45 99")
    page.get_by_label("E-postadresse", exact=True).fill("ronja@example.com")
    page.get_by_label("Personen sa at det er greit").check()
    page.get_by_role("button", name="Lagre og send melding").click()
    assert "ikke bekreftet" in page.get_by_role("status").inner_text()
    settings: Settings = site.config["SETTINGS"]
    texts = [file.read_text() for file in (settings.outbox_dir / "sms").glob("*.txt")]
    (told,) = [text for text in texts if "41234599" in text]
    assert "har lagt inn dette nummeret" in told
    assert "://" not in told
    page.goto(_link_to(settings.outbox_dir / "email", "ronja@example.com"))
    page.locator("main form button[type=submit]").click()
    reader.open(f"/ansatt/innbygger/{person(CALLER)}")
    shown = page.locator(".summary-list div").filter(has_text="ronja@example.com").inner_text()
    assert "Bekreftet" in shown
    assert "lagt inn av innbyggeren selv" in shown


def _link_to(maildir: Path, address: str) -> str:
    """The confirmation link in the newest mail to *address*."""
    for file in sorted(maildir.glob("new/*"), key=lambda file: file.stat().st_mtime, reverse=True):
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if address in str(mail["To"]):
            body = mail.get_body(("plain",))
            assert body is not None
            found = re.search(r"\S+/min-side/epost/bekreft/\S+", body.get_content())
            assert found
            return found[0]
    raise AssertionError("no mail has come")


def test_the_national_id_is_shown_only_when_asked_for(reader: Reader, page: Page, people: str) -> None:
    number = national_id(BUSY)
    reader.open(f"/ansatt/innbygger/{person(BUSY)}")
    assert number[6:] not in page.content()
    page.get_by_role("button", name="Vis fødselsnummeret").click()
    assert f"{number[:6]} {number[6:]}" in page.content()
    page.get_by_role("link", name="Nynorsk").click()
    assert number[6:] not in page.content()
