"""Who calls gets their number and address registered by somebody who checked who they are; nobody reads a code back."""

from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.contacts import register_contact
from app.residents.models import AddressProtection, ContactKind, ContactPoint, ContactSource, Resident
from app.residents.queries import open_contact_points
from tests.portal.people import add_resident, national_id, post

MOBILE, EMAIL = ContactKind.MOBILE, ContactKind.EMAIL


@pytest.fixture
def kari(session: Session, settings: Settings, clock: Clock) -> Resident:
    return add_resident(session, settings, clock, 1)


def path(resident: Resident) -> str:
    return f"/ansatt/innbygger/{resident.public_id}/registrer"


def register(client: FlaskClient, resident: Resident, **form: str) -> TestResponse:
    """Fill in the form as it should be, but for *form*."""
    right = {"checked": "questions", "mobile": "412 34 567", "email": "kari@example.com", "consent": "y"}
    return post(client, path(resident), **{name: value for name, value in {**right, **form}.items() if value})


def in_force(session: Session, resident: Resident) -> dict[ContactKind, ContactPoint]:
    session.rollback()
    session.expire_all()
    return dict(open_contact_points(session, [resident.id]).get(resident.id, {}))


def texts(settings: Settings) -> list[str]:
    return [file.read_text() for file in sorted((settings.outbox_dir / "sms").glob("*.txt"))]


@pytest.mark.parametrize("typed", ["K1", "k1", national_id(1), f"{national_id(1)[:6]} {national_id(1)[6:]}"])
def test_the_person_is_found_by_customer_number_or_national_id(
    caseworker: FlaskClient, kari: Resident, typed: str
) -> None:
    answer = post(caseworker, "/ansatt/registrer", person=typed)
    assert answer.headers["Location"] == path(kari)


@pytest.mark.parametrize("typed", ["", "K99", national_id(2), "Kari Nordmann"])
def test_nobody_found_is_said_and_what_was_typed_is_not_written_back(
    caseworker: FlaskClient, kari: Resident, typed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = post(caseworker, "/ansatt/registrer", person=typed)
    assert answer.status_code == 422
    assert "Feil:" in answer.text
    if typed:
        assert typed not in answer.text + caplog.text


def test_what_is_said_is_in_force_and_the_resident_told(
    caseworker: FlaskClient, session: Session, settings: Settings, kari: Resident
) -> None:
    answer = register(caseworker, kari)
    assert answer.headers["Location"] == f"/ansatt/innbygger/{kari.public_id}"
    assert "ikke bekreftet" in caseworker.get(answer.headers["Location"]).text
    points = in_force(session, kari)
    assert {kind: point.value for kind, point in points.items()} == {
        MOBILE: "+4741234567", EMAIL: "kari@example.com",
    }  # fmt: skip
    assert {(point.source, point.confirmed_at) for point in points.values()} == {(ContactSource.STAFF, None)}
    (message,) = texts(settings)
    assert "har lagt inn dette nummeret på deg" in message
    (row,) = session.scalars(select(AuditRecord).where(AuditRecord.event == AuditEvent.CONTACT_REGISTERED))
    assert row.reason == "questions"
    assert row.actor.startswith("staff:")


def test_a_second_press_is_harmless(
    caseworker: FlaskClient, session: Session, settings: Settings, kari: Resident
) -> None:
    register(caseworker, kari)
    answer = register(caseworker, kari)
    assert "registrert fra før" in caseworker.get(answer.headers["Location"]).text
    assert len(texts(settings)) == 1


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"consent": ""}, "kryss av når det er greit"),
        ({"checked": ""}, "Velg hvordan du sjekket"),
        ({"checked": "hunch"}, "Feil:"),
        ({"mobile": "", "email": ""}, "Skriv mobilnummeret eller e-postadressen"),
        ({"mobile": "12"}, "Mobilnummeret må ha 8 siffer"),
        ({"mobile": "51 74 30 00"}, "fasttelefonnummer"),
        ({"email": "kari"}, "krøllalfa"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_kept(
    caseworker: FlaskClient, session: Session, settings: Settings, kari: Resident, form: dict[str, str], error: str
) -> None:
    answer = register(caseworker, kari, **form)
    assert answer.status_code == 422
    assert error in answer.text
    assert in_force(session, kari) == {}
    assert texts(settings) == []


@pytest.mark.parametrize("left_out", ["mobile", "email"])
def test_one_of_the_two_is_enough(caseworker: FlaskClient, session: Session, kari: Resident, left_out: str) -> None:
    assert register(caseworker, kari, **{left_out: ""}).status_code == 302
    assert ContactKind(left_out) not in in_force(session, kari)


def test_what_the_resident_confirmed_is_replaced_only_when_that_is_said(
    caseworker: FlaskClient, session: Session, clock: Clock, kari: Resident
) -> None:
    register_contact(
        session, kari.id, EMAIL, "egen@example.com", ContactSource.RESIDENT, clock.now(), is_confirmed=True
    )
    session.commit()
    answer = register(caseworker, kari)
    assert answer.status_code == 422
    assert "Kryss av hvis det skal byttes ut" in answer.text
    assert in_force(session, kari)[EMAIL].value == "egen@example.com"
    assert register(caseworker, kari, replaces="y").status_code == 302
    assert in_force(session, kari)[EMAIL].value == "kari@example.com"


def test_nothing_to_ask_about_is_shown_of_a_protected_resident(
    caseworker: FlaskClient, session: Session, kari: Resident
) -> None:
    kari.address_line_1 = "Hemmeligveien 3"
    session.commit()
    assert "Hemmeligveien 3" in caseworker.get(path(kari)).text
    kari.address_protection = AddressProtection.CONFIDENTIAL
    session.commit()
    assert "Hemmeligveien 3" not in caseworker.get(path(kari)).text


def test_too_often_is_said(caseworker: FlaskClient, session: Session, kari: Resident) -> None:
    for number in range(6):
        assert register(caseworker, kari, mobile=f"9000000{number}", email="").status_code == 302
    answer = register(caseworker, kari, email="")
    assert answer.status_code == 422
    assert "for mange ganger" in answer.text
    assert in_force(session, kari)[MOBILE].value == "+4790000005"


def test_the_messages_speak_the_residents_language(
    caseworker: FlaskClient, session: Session, settings: Settings, kari: Resident
) -> None:
    kari.language = "en"
    session.commit()
    register(caseworker, kari)
    (message,) = texts(settings)
    assert "har lagt inn" not in message
