"""One box finds everything, says by what, goes straight to one exact invoice, and tells nobody what was typed."""

from __future__ import annotations

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.database import db
from app.core.sessions import StoredSession
from app.core.settings import Settings
from app.invoices.models import Invoice
from app.residents.contacts import register_contact
from app.residents.models import AddressProtection, ContactKind, ContactSource, Resident
from app.residents.name_index import index_missing
from app.staff.find import MOST, is_secret
from app.staff.limits import SEARCH
from tests.portal.invoices import add_invoice
from tests.portal.people import add_resident, national_id, post

KID = "4210000000012"


@pytest.fixture
def kari(session: Session, settings: Settings, clock: Clock) -> Resident:
    """Somebody with everything."""
    found = add_resident(session, settings, clock, 1)
    for kind, value in ((ContactKind.MOBILE, "90012345"), (ContactKind.EMAIL, "Kari@example.com")):
        register_contact(session, found.id, kind, value, ContactSource.REGISTER, clock.now(), is_confirmed=False)
    index_missing(session)
    session.commit()
    return found


@pytest.fixture
def invoice(session: Session, clock: Clock, kari: Resident) -> Invoice:
    return add_invoice(session, kari, clock, 1, kid=KID)


def search(client: FlaskClient, text: str) -> TestResponse:
    """Type *text*, and follow to what is shown."""
    answer = post(client, "/ansatt/sok", text=text)
    assert answer.status_code in (302, 422), answer.text
    return client.get(answer.headers["Location"]) if answer.status_code == 302 else answer


@pytest.mark.parametrize("text", ["F{id}-1", "f{id}-1", " F{id}-1 ", KID, "42100 0000 0012"])
def test_one_exact_invoice_is_opened_at_once(caseworker: FlaskClient, invoice: Invoice, text: str) -> None:
    answer = post(caseworker, "/ansatt/sok", text=text.format(id=invoice.resident_id))
    assert answer.headers["Location"] == f"/ansatt/faktura/{invoice.public_id}"


def test_several_invoices_with_one_kid_are_listed(
    caseworker: FlaskClient, session: Session, clock: Clock, kari: Resident, invoice: Invoice
) -> None:
    other = add_invoice(session, kari, clock, 2, kid=KID)
    page = search(caseworker, KID)
    assert page.request.path == "/ansatt/sok/treff"
    assert invoice.number in page.text
    assert other.number in page.text
    assert page.text.count(">KID</td>") == 2


@pytest.mark.parametrize(
    ("text", "matched"),
    [
        ("K1", "kundenummer"),
        ("k1", "kundenummer"),
        ("kari nordm", "navn"),
        ("NORDMANN", "navn"),
        ("kari@example.com", "e-postadresse"),
        ("KARI@EXAMPLE.COM", "e-postadresse"),
        ("900 12 345", "mobilnummer"),
        ("+4790012345", "mobilnummer"),
        (national_id(1), "fødselsnummer"),
        (f"{national_id(1)[:6]} {national_id(1)[6:]}", "fødselsnummer"),
    ],
)
def test_a_resident_is_found_and_it_is_said_by_what(
    caseworker: FlaskClient, kari: Resident, text: str, matched: str
) -> None:
    page = search(caseworker, text)
    assert f"/ansatt/innbygger/{kari.public_id}" in page.text
    assert f">{matched}</td>" in page.text


@pytest.mark.parametrize("text", ["ukjent", "99999999", "kari@nowhere.example.com", "Z-9", national_id(2)])
def test_nothing_found_is_said(caseworker: FlaskClient, kari: Resident, text: str) -> None:
    page = search(caseworker, text)
    assert "Ingen treff" in page.text
    assert kari.name not in page.text


def test_nothing_typed_is_an_error(caseworker: FlaskClient) -> None:
    page = search(caseworker, "   ")
    assert page.status_code == 422
    assert "Skriv hva du vil finne" in page.text


def test_a_national_id_is_in_no_address_log_page_or_session(
    caseworker: FlaskClient, session: Session, kari: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for text in (national_id(1), f"{national_id(1)[:6]} {national_id(1)[6:]}", f"kari {national_id(2)}"):
        answer = post(caseworker, "/ansatt/sok", text=text)
        page = caseworker.get(answer.headers["Location"])
        kept = " ".join(session.scalars(select(StoredSession.data)))
        records = " ".join(f"{row.subject} {row.reason} {row.details}" for row in session.scalars(select(AuditRecord)))
        for place in (answer.headers["Location"], page.text, kept, records, caplog.text):
            assert national_id(1)[6:] not in place
            assert national_id(2)[6:] not in place


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("01010112345", True),
        ("010101 12345", True),
        ("kari 010101-12345", True),
        ("421000000001", False),
        ("F1", False),
    ],
)
def test_what_may_be_a_national_id_is_known(text: str, is_it: bool) -> None:
    assert is_secret(text) is is_it


def test_many_hits_are_cut_and_paged(
    caseworker: FlaskClient, session: Session, settings: Settings, clock: Clock
) -> None:
    now = clock.now()
    session.add_all(
        Resident(customer_number=f"K{number}", name=f"Ola Berg {number}", created_at=now, updated_at=now)
        for number in range(MOST + 30)
    )
    session.flush()
    index_missing(session)
    session.commit()
    page = search(caseworker, "ola berg")
    assert f"Her er de {MOST} første" in page.text
    assert page.text.count("/ansatt/innbygger/") == 20
    last = caseworker.get("/ansatt/sok/treff?side=5")
    assert last.text.count("/ansatt/innbygger/") == 20
    assert "Neste side" not in last.text
    assert caseworker.get("/ansatt/sok/treff?side=99").status_code == 200


def test_a_protected_address_shows_no_place(caseworker: FlaskClient, session: Session, kari: Resident) -> None:
    kari.city = "Forsand"
    session.commit()
    assert "Forsand" in search(caseworker, "K1").text
    kari.address_protection = AddressProtection.CONFIDENTIAL
    session.commit()
    page = search(caseworker, "K1")
    assert "Beskyttet adresse" in page.text
    assert "Forsand" not in page.text


def test_a_search_is_in_the_record_without_what_was_typed(
    caseworker: FlaskClient, session: Session, kari: Resident
) -> None:
    search(caseworker, "kari nordmann")
    (row,) = session.scalars(select(AuditRecord).where(AuditRecord.event == AuditEvent.SEARCHED)).all()
    assert row.actor.startswith("staff:")
    assert row.details == {"matched": {"name": 1}, "residents": [kari.id]}
    assert "nordmann" not in f"{row.subject} {row.reason}"


def test_nobody_reads_the_register_by_searching(
    caseworker: FlaskClient, kari: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.staff.limits.SEARCH", type(SEARCH)(SEARCH.name, 2, SEARCH.within))
    for _ in range(2):
        assert post(caseworker, "/ansatt/sok", text="kari").status_code == 302
    assert post(caseworker, "/ansatt/sok", text="kari").status_code == 429


def test_results_are_the_searchers_alone(caseworker: FlaskClient, operator: FlaskClient, kari: Resident) -> None:
    search(caseworker, "kari")
    assert operator.get("/ansatt/sok/treff").headers["Location"] == "/ansatt/sok"


def test_the_number_of_queries_does_not_grow_with_the_hits(
    caseworker: FlaskClient, app: Flask, session: Session, clock: Clock, kari: Resident, invoice: Invoice
) -> None:
    def count() -> int:
        asked: list[str] = []

        def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            asked.append(statement)

        event.listen(db.engine, "before_cursor_execute", hear)
        try:
            search(caseworker, KID)
        finally:
            event.remove(db.engine, "before_cursor_execute", hear)
        return len(asked)

    for number in (2, 3):
        add_invoice(session, kari, clock, number, kid=KID)
    count()
    few = count()
    for number in range(4, 19):
        add_invoice(session, kari, clock, number, kid=KID)
    assert count() == few


@pytest.mark.parametrize("path", ["/ansatt/sok", "/ansatt/sok/treff", "/ansatt/registrer"])
def test_the_statistics_role_finds_nobody(statistician: FlaskClient, path: str) -> None:
    assert statistician.get(path).status_code == 403
    assert statistician.post(path).status_code in (400, 403, 405)
