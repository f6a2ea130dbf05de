"""From Min side one button says yes to eFaktura, and the page tells where it stands."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.at_request import OUTFIT
from app.campaigns.models import Agreement, AgreementSource, AgreementState
from app.clients.efaktura_agreement import NO_CONSUMER, NOT_WANTED
from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.models import Resident
from tests.campaigns.office import DOWN, Office, refused
from tests.offers.situations import ON
from tests.portal.people import log_in, national_id, post
from tests.web.conftest import texts

PAGE = "/min-side/levering"


@pytest.fixture
def office(app: Flask, session: Session, settings: Settings, clock: Clock) -> Office:
    found = Office(session, settings, clock)
    app.extensions[OUTFIT] = found.desk.outfit
    return found


@pytest.fixture
def resident(office: Office) -> Resident:
    return office.resident()


@pytest.fixture
def kari(reader: FlaskClient, resident: Resident) -> FlaskClient:
    log_in(reader, national_id(1))
    return reader


def section(client: FlaskClient) -> str:
    """All that is said about eFaktura."""
    (words,) = texts(client.get(PAGE).text, "//main")
    return words.split(" eFaktura ", 1)[1].split(" AvtaleGiro AvtaleGiro")[0]


def say_yes(client: FlaskClient) -> None:
    answer = post(client, PAGE, "/min-side/efaktura")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}#slik-efaktura")


def test_a_yes_is_asked_for_once_and_told_as_under_way(kari: FlaskClient, office: Office, session: Session) -> None:
    say_yes(kari)
    say_yes_again = post(kari, PAGE, "/min-side/efaktura")
    assert say_yes_again.status_code == 303
    assert "Vi holder på å slå på eFaktura" in section(kari)
    assert "Slå på eFaktura" not in texts(kari.get(PAGE).text, "//main//button")
    (agreement,) = session.scalars(select(Agreement))
    assert (agreement.state, agreement.source) == (AgreementState.REQUESTED, AgreementSource.MIN_SIDE)
    assert len(office.provider.requests) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (ON, "Du har eFaktura."),
        (DOWN, "Vi får ikke kontakt med banken nå"),
        (refused(NOT_WANTED), "Banken sa nei"),
        (refused(NO_CONSUMER), "Nå må du slå det på i banken din."),
    ],
)
def test_what_came_of_it_is_told_and_nothing_more(kari: FlaskClient, office: Office, reply: object, words: str) -> None:
    office.provider.replies = [reply]  # type: ignore[list-item]
    say_yes(kari)
    assert words in section(kari)


def test_where_it_is_on_the_next_invoice_is_told_to_come_that_way(kari: FlaskClient, office: Office) -> None:
    office.provider.replies = [ON]
    say_yes(kari)
    assert "Nå får du fakturaen som eFaktura i nettbanken." in kari.get(PAGE).text


def test_where_the_bank_switches_it_on_the_yes_is_noted_and_can_be_checked(
    app: Flask, kari: FlaskClient, office: Office, resident: Resident
) -> None:
    app.config["SETTINGS"] = office.desk.settings.model_copy(update={"efaktura_activation": "guide"})
    say_yes(kari)
    assert office.provider.requests == []
    assert "Nå må du slå det på i banken din." in section(kari)
    for takes, words in (({}, "Vi ser ikke eFaktura hos deg ennå."), ({str(resident.id): "EF1"}, "Det virker.")):
        office.provider.takes = takes
        post(kari, PAGE, "/min-side/efaktura/sjekk")
        assert texts(kari.get(PAGE).text, "//main//*[@role='status']")[0].startswith(words)
    assert "Du har eFaktura." in section(kari)


def test_a_press_from_another_site_says_nothing(kari: FlaskClient, session: Session) -> None:
    for path in ("/min-side/efaktura", "/min-side/efaktura/sjekk"):
        assert kari.post(path).status_code == 400
    assert session.scalars(select(Agreement)).all() == []


def test_what_is_held_tells_the_offers_and_the_agreements(
    kari: FlaskClient, office: Office, resident: Resident
) -> None:
    office.offer(resident)
    say_yes(kari)
    page = kari.get("/min-side/innsyn").text
    rows = texts(page, "//table[caption='Tilbud og avtaler om eFaktura']//tbody/tr")
    assert [row.split("24.")[0] for row in rows] == ["Sa ja til eFaktura", "Tilbud på e-post"]
    assert rows[0].endswith("Ikke slått på ennå")
    assert rows[1].endswith("Ikke svart")
    held = json.loads(kari.get("/min-side/innsyn/fil").data)
    assert held["efaktura_offers"][0]["answer"] is None
    assert held["efaktura_agreements"][0]["state"] == "requested"
