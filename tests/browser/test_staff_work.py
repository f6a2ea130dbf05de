"""The staff pages in a browser: each role sees what it may, an invoice is released, a brake, a campaign."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import delete, select
from werkzeug.serving import make_server

from app import create_app
from app.core.database import db
from app.delivery.brakes import check_paper, pulled
from app.delivery.models import Brake, Delivery, State
from app.invoices.models import Invoice
from app.routing.channels import Channel
from app.sandbox.entra_people import PEOPLE, Employee
from tests.browser import working_town
from tests.browser.conftest import Quiet, Reader, Visit, faces, free_port, screenshots
from tests.conftest import make_settings

OPERATOR, CASEWORKER, STATISTICIAN, NOBODY = PEOPLE
PILE = "/ansatt/trenger-deg/holdt/wrong_kid"
Act = Callable[[Page], object]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Flask]:
    """A site of its own: what is done here would be in the way of the other tests."""
    instance = tmp_path_factory.mktemp("work") / "instance"
    instance.mkdir()
    shutil.copy(sqlite_template, instance / "fakturaportalen.db")
    app = create_app(make_settings(instance, base_url=f"http://127.0.0.1:{free_port()}"))
    with app.app_context():
        working_town.settle(db.session(), app.config["SETTINGS"], app.config["CLOCK"])
        db.session.remove()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def address(site: Flask) -> Iterator[str]:
    """Where it is served."""
    base: str = site.config["BASE_URL"]
    server = make_server("127.0.0.1", int(base.rpartition(":")[2]), site, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield base
    server.shutdown()
    thread.join()
    server.server_close()


def log_in(page: Page, address: str, who: Employee, path: str = "/ansatt") -> None:
    """All the way through the stand-in's page."""
    page.goto(f"{address}/ansatt/logg-inn?til={path}")
    page.get_by_label(who.name).check()
    page.get_by_role("button", name="Logg inn").click()
    page.wait_for_load_state()


def pull_brake(site: Flask) -> None:
    """The job finds more letters than usual, and pulls the paper brake unless it is pulled."""
    with site.app_context():
        strict = site.config["SETTINGS"].model_copy(update={"brake_minimum": 1, "paper_brake_share": 0.1})
        db.session.execute(delete(Brake))
        assert check_paper(db.session(), strict, site.config["CLOCK"].now()) is not None
        db.session.remove()


def nothing(_page: Page) -> None:
    """The page as it opens."""


def send(page: Page) -> None:
    """Send the page's form as it stands."""
    page.locator("main button[type=submit]").last.click()


def cancel_first(page: Page) -> None:
    """Ask for what cannot be undone."""
    page.locator("main input[name=invoice]").first.check()
    page.locator("main input[value=cancel]").check()
    page.locator("main textarea").fill("Sendt ved en feil")
    send(page)


def preview(page: Page) -> None:
    """See whom a campaign reaches."""
    page.locator("main input[name=name]").fill("Vår 2026")
    send(page)


PAGES: Mapping[str, tuple[str, Act]] = {
    "front": ("/ansatt", nothing),
    "needs": ("/ansatt/trenger-deg", nothing),
    "needs-wrong": ("/ansatt/trenger-deg", send),
    "pile": (PILE, nothing),
    "pile-wrong": (PILE, send),
    "pile-confirm": (PILE, cancel_first),
    "pile-quiet": ("/ansatt/trenger-deg/stille/mailbox", nothing),
    "pile-empty": ("/ansatt/trenger-deg/holdt/deceased", nothing),
    "unpaid": ("/ansatt/trenger-deg/avtalegiro", nothing),
    "runs": ("/ansatt/kjoringer?gang=60", nothing),
    "runs-trial": ("/ansatt/kjoringer?gang=60", send),
    "offers": ("/ansatt/tilbud", nothing),
    "offers-wrong": ("/ansatt/tilbud", send),
    "offer-preview": ("/ansatt/tilbud", preview),
    "logged-out": ("/ansatt/logg-ut/ferdig", nothing),
}


def look(reader: Reader, visit: Visit, name: str) -> None:
    """Nothing in the way, nothing outside the window; a picture for people."""
    folder = screenshots()
    if folder:
        reader.page.screenshot(path=folder / f"staff-{name}-{visit}.png", full_page=True)
    assert reader.page.locator(".reference").count() == 0 or name == "closed", f"{name} is an error"
    assert reader.barriers() == [], name
    assert reader.overflow() <= 0, name


@pytest.mark.parametrize("visit", faces(), ids=str, indirect=True)
def test_no_page_has_a_barrier_or_scrolls_sideways(reader: Reader, site: Flask, visit: Visit) -> None:
    pull_brake(site)
    reader.page.goto(f"{reader.address}/ansatt/logg-inn")
    look(reader, visit, "stand-in")
    log_in(reader.page, reader.address, OPERATOR)
    reader.speak(visit.language)
    for name, (path, act) in PAGES.items():
        page = reader.open(path)
        act(page)
        assert page.locator("html").get_attribute("lang") == visit.language
        look(reader, visit, name)


@pytest.mark.parametrize("visit", faces(), ids=str, indirect=True)
def test_a_closed_page_and_a_log_in_without_a_role_have_no_barrier_either(reader: Reader, visit: Visit) -> None:
    log_in(reader.page, reader.address, STATISTICIAN)
    reader.speak(visit.language)
    reader.open("/ansatt/tilbud")
    look(reader, visit, "forbidden")
    reader.page.locator("header form button").click()
    reader.page.wait_for_url("**/ansatt/logg-ut/ferdig**")
    log_in(reader.page, reader.address, NOBODY)
    look(reader, visit, "no-role")


@pytest.mark.parametrize(
    ("who", "menu"),
    [
        (STATISTICIAN, ["Oversikt", "Statistikk"]),
        (CASEWORKER, ["Oversikt", "Statistikk", "Finn", "Trenger deg", "Kjøringer"]),
        (OPERATOR, ["Oversikt", "Statistikk", "Finn", "Trenger deg", "Kjøringer", "Tilbud"]),
    ],
    ids=lambda value: value.title if isinstance(value, Employee) else "",
)
def test_each_role_sees_what_it_may_and_nothing_else(reader: Reader, who: Employee, menu: list[str]) -> None:
    log_in(reader.page, reader.address, who)
    links = reader.page.locator("nav[aria-label='For ansatte'] a")
    assert links.all_inner_texts() == menu
    for path in [str(link.get_attribute("href")) for link in links.all()]:
        reader.open(path)
        expect(reader.page.get_by_role("heading", name="Du har ikke tilgang til denne siden")).to_have_count(0)
    for path, name in (("/ansatt/trenger-deg", "Trenger deg"), ("/ansatt/tilbud", "Tilbud")):
        reader.open(path)
        closed = reader.page.get_by_role("heading", name="Du har ikke tilgang til denne siden")
        expect(closed).to_have_count(0 if name in menu else 1)


@pytest.mark.parametrize("visit", [Visit(), Visit(width=375, has_javascript=False)], ids=str, indirect=True)
def test_a_held_invoice_is_released(reader: Reader, site: Flask, visit: Visit) -> None:
    number = 1 if visit.has_javascript else 2
    log_in(reader.page, reader.address, CASEWORKER, "/ansatt/trenger-deg")
    page = reader.page
    page.get_by_role("link", name="Feil KID-nummer").click()
    page.get_by_label(f"Velg faktura F{number}-1").check()
    page.get_by_label("Slipp dem løs").check()
    page.get_by_label("Begrunnelse").fill("KID er rettet i regnskapet")
    page.get_by_role("button", name="Utfør").click()
    expect(page.get_by_role("status")).to_have_text("1 faktura er sluppet løs.")
    expect(page.get_by_label(f"Velg faktura F{number}-1")).to_have_count(0)
    with site.app_context():
        query = select(Delivery.state).join(Invoice, Invoice.id == Delivery.invoice_id)
        assert db.session.scalars(query.where(Invoice.number == f"F{number}-1")).one() is State.WAITING
        db.session.remove()


def test_the_paper_brake_is_pulled_and_released(reader: Reader, site: Flask) -> None:
    pull_brake(site)
    log_in(reader.page, reader.address, CASEWORKER, "/ansatt/trenger-deg")
    expect(reader.page.get_by_text("En driftsansvarlig kan slippe bremsen.")).to_be_visible()
    reader.page.get_by_role("button", name="Logg ut").click()
    reader.page.wait_for_url("**/ansatt/logg-ut/ferdig**")
    log_in(reader.page, reader.address, OPERATOR, "/ansatt/trenger-deg")
    page = reader.page
    expect(page.get_by_text("går som brev. Det vanlige er")).to_be_visible()
    page.get_by_role("button", name="Slipp bremsen").click()
    expect(page.get_by_role("link", name="Skriv en begrunnelse")).to_be_visible()
    page.get_by_label("Begrunnelse").fill("Nytt gebyr for alle hytteeiere: brevene er ventet")
    page.get_by_role("button", name="Slipp bremsen").click()
    expect(page.get_by_role("status")).to_have_text("Bremsen er sluppet. Neste kjøring sender videre.")
    with site.app_context():
        assert pulled(db.session()) == []
        assert db.session.scalars(select(Brake.channel)).one() is Channel.PAPER
        db.session.remove()


@pytest.mark.parametrize("visit", [Visit(), Visit(width=375, has_javascript=False)], ids=str, indirect=True)
def test_a_campaign_is_previewed_started_paced_stopped_and_goes_on(reader: Reader, visit: Visit) -> None:
    name = "Vår 2026" if visit.has_javascript else "Høst 2026"
    log_in(reader.page, reader.address, OPERATOR, "/ansatt/tilbud")
    page = reader.page
    page.get_by_label("Navn på kampanjen").fill(name)
    page.get_by_role("button", name="Se hvem den når").click()
    expect(page.get_by_text("8 innbyggere blir spurt. Det går ut 8 e-poster.")).to_be_visible()
    page.get_by_role("button", name="Start kampanjen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("status")).to_contain_text("Kampanjen er i gang.")
    page.get_by_label("E-poster i minuttet").fill("30")
    page.get_by_role("button", name="Lagre farten").click()
    expect(page.get_by_text("Det går 30 e-poster i minuttet.")).to_be_visible()
    look(reader, visit, "offer") if visit.has_javascript else None
    page.get_by_role("button", name="Stans kampanjen").click()
    expect(page.get_by_role("heading", name="Kampanjen er stanset")).to_be_visible()
    look(reader, visit, "offer-stopped") if visit.has_javascript else None
    page.get_by_role("button", name="La den fortsette").click()
    expect(page.get_by_role("button", name="Stans kampanjen")).to_be_visible()
    page.get_by_role("link", name="Tilbud om eFaktura").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()
