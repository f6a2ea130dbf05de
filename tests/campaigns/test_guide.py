"""Where consent is given in the bank: a yes is a wish, and a look-up alone makes it more."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from app.campaigns.answers import answer, read_link
from app.campaigns.follow import follow_agreements
from app.campaigns.look import Checked, check_now
from app.campaigns.models import AgreementState, OfferAnswer
from app.campaigns.states import LinkState
from app.core.clock import Clock
from app.core.settings import Settings
from app.core.throttle import TooOften
from app.registries.models import RegistryAnswer
from app.residents.models import Resident
from app.routing.channels import Answer
from tests.campaigns.office import Office
from tests.campaigns.test_provider import register_says


@pytest.fixture
def office(session: Session, settings: Settings, clock: Clock) -> Office:
    return Office(session, settings.model_copy(update={"efaktura_activation": "guide"}), clock)


@pytest.fixture
def resident(office: Office) -> Resident:
    return office.resident()


@pytest.fixture
def token(office: Office, resident: Resident) -> str:
    token = office.offer(resident)
    answer(office.desk, token, OfferAnswer.YES)
    return token


def takes(office: Office, *residents: Resident) -> None:
    office.provider.takes = {str(one.id): f"EF{one.id:015d}" for one in residents}


def test_a_check_that_finds_nothing_leaves_the_wish(office: Office, resident: Resident, token: str) -> None:
    assert check_now(office.desk, resident.id) is Checked.NOT_YET
    assert read_link(office.desk, token).state is LinkState.WISHED
    assert office.mails.notes == []


def test_a_check_that_finds_it_makes_it_active_with_a_receipt(office: Office, resident: Resident, token: str) -> None:
    takes(office, resident)
    assert check_now(office.desk, resident.id) is Checked.WORKS
    assert check_now(office.desk, resident.id) is Checked.WORKS
    assert read_link(office.desk, token).state is LinkState.ACTIVE
    assert "slått på i banken" in office.mails.notes[0].text
    assert len(office.mails.notes) == 1
    assert office.provider.looked_up == 2
    assert office.provider.requests == []


def test_a_silent_register_is_told_apart_from_no(office: Office, resident: Resident, token: str) -> None:
    office.provider.is_down = True
    assert check_now(office.desk, resident.id) is Checked.NO_ANSWER
    assert office.session.query(RegistryAnswer).count() == 0


def test_a_resident_is_looked_up_so_often_and_no_more(office: Office, resident: Resident, token: str) -> None:
    for _ in range(5):
        check_now(office.desk, resident.id)
    with pytest.raises(TooOften):
        check_now(office.desk, resident.id)
    assert office.provider.looked_up == 5


def test_every_run_looks_again_and_a_fresh_answer_spares_the_call(
    office: Office, resident: Resident, token: str
) -> None:
    assert follow_agreements(office.desk).looked_up == 1
    takes(office, resident)
    done = follow_agreements(office.later(days=1))
    assert (done.looked_up, done.active, done.told) == (1, 1, 1)
    assert office.session.query(RegistryAnswer).one().answer is Answer.YES
    other = office.resident()
    answer(office.desk, office.offer(other), OfferAnswer.YES)
    register_says(office, other, Answer.NO, days=1)
    since = office.clock.now() + dt.timedelta(hours=23)
    assert follow_agreements(office.later(days=1), since).looked_up == 0


def test_wishes_are_looked_up_a_thousand_at_a_time(office: Office) -> None:
    residents = [office.resident() for _ in range(3)]
    for one in residents:
        answer(office.desk, office.offer(one), OfferAnswer.YES)
    takes(office, residents[1])
    done = follow_agreements(office.desk)
    assert (done.looked_up, done.active) == (3, 1)


def test_what_was_switched_off_in_the_bank_is_ended_by_the_register(
    office: Office, resident: Resident, token: str
) -> None:
    takes(office, resident)
    check_now(office.desk, resident.id)
    register_says(office, resident, Answer.NO, days=1)
    done = follow_agreements(office.later(days=1, minutes=1), office.clock.now() + dt.timedelta(hours=23))
    assert (done.ended, done.asked) == (1, 0)
    assert office.agreements()[0].state is AgreementState.ENDED
    assert read_link(office.desk, token).state is LinkState.USED


def test_an_unknown_answer_ends_nothing(office: Office, resident: Resident, token: str) -> None:
    takes(office, resident)
    check_now(office.desk, resident.id)
    register_says(office, resident, Answer.UNKNOWN, days=1)
    follow_agreements(office.later(days=1, minutes=1), office.clock.now())
    assert office.agreements()[0].state is AgreementState.ACTIVE
