"""A new link goes to the stored address alone, whoever asks and however often; and no more mail to who wants none."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.answers import answer, read_link
from app.campaigns.models import OfferAnswer, OfferMail
from app.campaigns.renewal import new_link
from app.campaigns.states import LinkState
from app.campaigns.unsubscribing import can_unsubscribe, unsubscribe
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.contacts import close_contact
from app.residents.models import ClosedReason, ContactKind
from tests.campaigns.office import Office


@pytest.fixture
def office(session: Session, settings: Settings, clock: Clock) -> Office:
    return Office(session, settings, clock)


def expired(office: Office, address: str = "kari@example.com") -> str:
    with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=61)):
        return office.offer(office.resident(address))


def test_an_expired_link_gives_a_new_one_to_the_stored_address(office: Office) -> None:
    token = expired(office)
    assert new_link(office.desk, token)
    [sent] = office.new_links.sent
    assert (sent.recipient, sent.link_number, sent.first_name) == ("kari@example.com", 2, "Kari")
    fresh = office.links.offer_token(sent.offer, sent.link_number)
    assert read_link(office.desk, fresh).state is LinkState.FRESH
    assert read_link(office.desk, token).state is LinkState.EXPIRED
    assert answer(office.desk, fresh, OfferAnswer.YES).is_new


def test_a_replaced_link_gives_a_new_one_to_the_address_of_now(office: Office) -> None:
    resident = office.resident("gammel@example.com")
    token = office.offer(resident)
    office.has_address(resident, "ny@example.com")
    assert new_link(office.desk, token)
    [sent] = office.new_links.sent
    assert sent.recipient == "ny@example.com"
    assert read_link(office.desk, office.links.offer_token(sent.offer, 2)).masked_email == "n***@example.com"


def test_a_link_that_works_gives_no_new_one(office: Office) -> None:
    assert not new_link(office.desk, office.offer(office.resident()))
    assert office.new_links.sent == []


@pytest.mark.parametrize("token", ["", "x", "eyJvIjoiMSJ9.a.b", "\udcff"])
def test_a_strange_token_sends_nothing(office: Office, token: str) -> None:
    assert not new_link(office.desk, token)
    assert office.new_links.sent == []


def test_whoever_said_it_was_not_them_gets_no_more(office: Office) -> None:
    token = office.offer(office.resident())
    answer(office.desk, token, OfferAnswer.NOT_ME)
    assert not new_link(office.desk, token)
    assert office.new_links.sent == []


def test_without_an_open_address_or_after_a_death_nothing_is_sent(office: Office) -> None:
    token = expired(office)
    close_contact(office.session, 1, ContactKind.EMAIL, "kari@example.com", ClosedReason.BOUNCED, office.clock.now())
    office.session.commit()
    assert not new_link(office.desk, token)
    resident = office.resident()
    dead = office.offer(resident)
    resident.deceased_on = dt.date(2026, 11, 1)
    office.session.commit()
    assert not new_link(office.desk, dead)
    assert office.new_links.sent == []


@time_machine.travel(dt.datetime(2026, 11, 24, 8, 30, tzinfo=dt.UTC), tick=False)
def test_an_offer_gives_one_new_link_an_hour_and_is_asked_for_five_times_a_day(office: Office) -> None:
    token, desk = expired(office), replace(office.desk, clock=Clock())
    sent = [new_link(replace(desk, clock=Clock(dt.timedelta(hours=hour))), token) for hour in (0, 0, 1, 2, 3, 4)]
    assert sent == [True, False, True, True, True, False]


def test_a_new_link_to_a_shared_address_names_nobody(office: Office) -> None:
    token = expired(office, "vi@example.com")
    office.resident("vi@example.com")
    assert new_link(office.desk, token)
    assert office.new_links.sent[0].first_name == ""


def test_one_press_unsubscribes_everyone_the_mail_was_about(office: Office) -> None:
    office.offer(office.resident("vi@example.com"), office.resident("vi@example.com"))
    [mail] = {offer.mail_id for offer in office.offers()}
    token = office.links.unsubscribe_token(_public_id(office, mail))
    assert can_unsubscribe(office.desk, token)
    assert [offer.unsubscribed_at for offer in office.offers()] == [None, None]
    assert unsubscribe(office.desk, token)
    assert unsubscribe(office.desk, token)
    assert {offer.answer for offer in office.offers()} == {OfferAnswer.UNSUBSCRIBED}
    assert all(offer.unsubscribed_at for offer in office.offers())
    events = office.session.scalars(select(AuditRecord).filter_by(event=AuditEvent.OFFER_UNSUBSCRIBED)).all()
    assert len(events) == 2


def test_unsubscribing_takes_no_answer_back(office: Office) -> None:
    offer = office.offer(office.resident())
    answer(office.desk, offer, OfferAnswer.YES)
    unsubscribe(office.desk, office.links.unsubscribe_token(_public_id(office, office.offers()[0].mail_id)))
    assert office.offers()[0].answer is OfferAnswer.YES
    assert office.offers()[0].unsubscribed_at is not None
    assert read_link(office.desk, offer).state is LinkState.PENDING


def test_a_link_to_be_asked_no_more_of_a_mail_that_is_gone_is_none_of_ours(office: Office) -> None:
    token = office.links.unsubscribe_token("00000000-0000-4000-8000-000000000000")
    assert not can_unsubscribe(office.desk, token)
    assert not unsubscribe(office.desk, token)
    assert not unsubscribe(office.desk, office.offer(office.resident()))


def _public_id(office: Office, mail_id: int) -> str:
    return office.session.get_one(OfferMail, mail_id).public_id
