"""What a link leads to, and that looking at it changes nothing."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.campaigns.answers import read_link
from app.campaigns.models import OfferAnswer
from app.campaigns.states import LinkState, first_name
from app.core.clock import Clock
from app.core.settings import Settings
from app.registries.models import Register, RegistryAnswer
from app.residents.contacts import close_contact
from app.residents.models import AddressProtection, ClosedReason, ContactKind
from app.routing.channels import Answer
from tests.campaigns.office import Office

COUNTED = ("offer", "efaktura_agreement", "audit_record", "stale_resident", "throttle_count", "contact_point")


@pytest.fixture
def office(session: Session, settings: Settings, clock: Clock) -> Office:
    return Office(session, settings, clock)


def test_a_fresh_link_shows_the_first_name_and_a_masked_address_alone(office: Office) -> None:
    view = read_link(office.desk, office.offer(office.resident("kari.nordmann@example.com")))
    assert (view.state, view.first_name, view.masked_email, view.language) == (
        LinkState.FRESH, "Kari", "k***@example.com", "nb",
    )  # fmt: skip
    assert view.agreement is None
    assert "Kari" not in repr(view)


def test_looking_changes_nothing_however_often(office: Office) -> None:
    token = office.offer(office.resident())

    def rows() -> list[tuple[object, ...]]:
        queries = [text(f"SELECT * FROM {table}") for table in COUNTED]  # noqa: S608 - names of ours
        found = [tuple(row) for query in queries for row in office.session.execute(query)]
        office.session.commit()
        return found

    before = rows()
    for _ in range(100):
        assert read_link(office.desk, token).state is LinkState.FRESH
    assert not office.session.dirty
    assert not office.session.new
    assert rows() == before
    assert office.provider.requests == []


def test_an_old_link_is_expired_and_names_nobody(office: Office) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=61)):
        token = office.offer(office.resident())
    view = read_link(office.desk, token)
    assert (view.state, view.first_name, view.masked_email) == (LinkState.EXPIRED, "", "")


def test_an_older_link_than_the_newest_is_replaced(office: Office) -> None:
    token = office.offer(office.resident())
    office.offers()[0].link_number = 2
    office.session.commit()
    assert read_link(office.desk, token).state is LinkState.REPLACED


@pytest.mark.parametrize("reason", list(ClosedReason))
def test_a_link_to_an_address_that_is_closed_is_replaced(office: Office, reason: ClosedReason) -> None:
    resident = office.resident("gammel@example.com")
    token = office.offer(resident)
    close_contact(office.session, resident.id, ContactKind.EMAIL, "gammel@example.com", reason, office.clock.now())
    office.session.commit()
    assert read_link(office.desk, token).state is LinkState.REPLACED


@pytest.mark.parametrize(
    "change",
    [{"deceased_on": dt.date(2026, 11, 1)}, {"address_protection": AddressProtection.CONFIDENTIAL}],
)
def test_nobody_is_named_who_has_died_or_must_not_be_found(office: Office, change: dict[str, object]) -> None:
    resident = office.resident()
    token = office.offer(resident)
    for name, value in change.items():
        setattr(resident, name, value)
    office.session.commit()
    view = read_link(office.desk, token)
    assert (view.state, view.first_name, view.masked_email) == (LinkState.REPLACED, "", "")


def test_an_address_that_somebody_else_got_meanwhile_names_nobody(office: Office) -> None:
    token = office.offer(office.resident("vi@example.com"))
    office.resident("vi@example.com")
    view = read_link(office.desk, token)
    assert (view.state, view.first_name, view.is_shared) == (LinkState.SHARED, "", True)


def test_who_has_efaktura_already_is_told_so(office: Office) -> None:
    resident = office.resident()
    token = office.offer(resident)
    office.session.add(
        RegistryAnswer(
            resident_id=resident.id, register=Register.EFAKTURA, answer=Answer.YES, asked_at=office.clock.now()
        )
    )
    office.session.commit()
    assert read_link(office.desk, token).state is LinkState.ACTIVE


def test_whoever_unsubscribed_may_still_say_yes(office: Office) -> None:
    token = office.offer(office.resident())
    office.offers()[0].answer = OfferAnswer.UNSUBSCRIBED
    office.session.commit()
    assert read_link(office.desk, token).state is LinkState.FRESH


def test_a_link_of_an_offer_that_is_gone_is_unknown(office: Office) -> None:
    token = office.links.offer_token("00000000-0000-4000-8000-000000000000", 1)
    assert read_link(office.desk, token).state is LinkState.UNKNOWN


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Kari Nordmann", "Kari"),
        ("NORDMANN, KARI ANNE", "Kari"),
        ("kari", "Kari"),
        ("McKenzie Ola", "McKenzie"),
        ("Nordmann,", ""),
        ("", ""),
        ("ANNE-LISE BERG", "Anne-Lise"),
    ],
)
def test_what_somebody_is_called_by(name: str, expected: str) -> None:
    assert first_name(name) == expected
