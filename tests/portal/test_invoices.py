"""The invoices of a resident: listed, explained, and as they were sent."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.invoices.intake import import_invoices
from app.invoices.models import Closure, Invoice
from app.residents.models import Resident
from app.routing.channels import Channel, Kind
from tests.invoices.builders import ehf
from tests.portal.invoices import add_invoice, add_pdf, send
from tests.portal.people import add_resident, log_in, national_id
from tests.web.conftest import texts


@pytest.fixture
def resident(session: Session, settings: Settings, clock: Clock) -> Resident:
    return add_resident(session, settings, clock, 1)


@pytest.fixture
def kari(reader: FlaskClient, resident: Resident) -> FlaskClient:
    log_in(reader, national_id(1))
    return reader


def rows(client: FlaskClient, path: str = "/min-side") -> list[list[str]]:
    page = client.get(path).text
    return [
        texts(page, f"//table[caption='Fakturaene mine']//tbody/tr[{place}]/*")
        for place in range(1, len(texts(page, "//table[caption='Fakturaene mine']//tbody/tr")) + 1)
    ]


def test_the_list_says_what_was_sent_how_and_whether_it_is_paid(
    kari: FlaskClient, session: Session, resident: Resident, clock: Clock
) -> None:
    send(session, add_invoice(session, resident, clock, 1), clock, Channel.EFAKTURA)
    add_invoice(session, resident, clock, 2, due_in=-1)
    paid = add_invoice(session, resident, clock, 3)
    paid.closed_at, paid.closed_reason = clock.now(), Closure.PAID
    session.commit()
    add_invoice(session, resident, clock, 4, kind=Kind.CREDIT_NOTE)
    found = rows(kari)
    assert [(row[0], row[4], row[5]) for row in found] == [
        (f"F{resident.id}-4", "Ikke sendt ennå", "Ingenting å betale"),
        (f"F{resident.id}-3", "Ikke sendt ennå", "Betalt"),
        (f"F{resident.id}-2", "Ikke sendt ennå", "Forfalt"),
        (f"F{resident.id}-1", "eFaktura i nettbanken", "Ikke betalt"),
    ]
    assert found[0][2] == "kr 1 234,50".replace(" ", "\u00a0") or found[0][2] == "kr 1 234,50"


def test_a_long_list_has_pages(kari: FlaskClient, session: Session, resident: Resident, clock: Clock) -> None:
    for number in range(1, 26):
        add_invoice(session, resident, clock, number)
    assert len(rows(kari)) == 20
    assert [row[0] for row in rows(kari, "/min-side?side=2")] == [f"F{resident.id}-{n}" for n in (5, 4, 3, 2, 1)]
    for strange in ("0", "-3", "99", "x", "999999999999999999999"):
        assert kari.get(f"/min-side?side={strange}").status_code == 200


def test_an_invoice_says_its_way_and_how_far_it_is(
    kari: FlaskClient, session: Session, resident: Resident, clock: Clock
) -> None:
    invoice = add_invoice(session, resident, clock, 1)
    send(session, invoice, clock, Channel.EMAIL)
    page = kari.get(f"/min-side/faktura/{invoice.public_id}").text
    assert texts(page, "//h1") == [f"Faktura {invoice.number}"]
    assert texts(page, "//span[@class='ds-tag']") == ["Kommet fram", "Ikke betalt"]
    assert texts(page, "//table//tbody/tr/*")[0] == "E-post"
    assert "Sendt" in texts(page, "//table//tbody/tr/*")


def test_the_pdf_is_the_one_that_was_sent(
    kari: FlaskClient, session: Session, resident: Resident, settings: Settings, clock: Clock
) -> None:
    own, sent = (add_pdf(session, settings, clock, content) for content in (b"%PDF own", b"%PDF sent"))
    invoice = add_invoice(session, resident, clock, 1, pdf=own)
    answer = kari.get(f"/min-side/faktura/{invoice.public_id}/pdf")
    assert (answer.data, answer.mimetype) == (b"%PDF own", "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    send(session, invoice, clock, Channel.PAPER, sent)
    assert kari.get(f"/min-side/faktura/{invoice.public_id}/pdf").data == b"%PDF sent"


def test_an_invoice_without_a_pdf_is_set_by_us(
    kari: FlaskClient, session: Session, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "f.xml"
    path.write_bytes(ehf(buyer="K1"))
    import_invoices(session, [path], settings, clock)
    invoice = session.scalars(select(Invoice)).one()
    pdf = kari.get(f"/min-side/faktura/{invoice.public_id}/pdf").data
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert invoice.number in text
    assert "Kari Nordmann 1" in text
