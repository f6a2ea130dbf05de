"""The provider may be down, late, forgetful or change its mind: one request by one id, and one clear state."""

from __future__ import annotations

import datetime as dt
from typing import NoReturn

import pytest
from sqlalchemy.orm import Session

from app.campaigns.answers import answer, read_link
from app.campaigns.follow import follow_agreements
from app.campaigns.models import Activation, Agreement, AgreementState, OfferAnswer
from app.campaigns.states import LinkState, Why, agreement_of
from app.clients.efaktura_agreement import Standing
from app.core.clock import Clock
from app.core.settings import Settings
from app.registries.models import Register, RegistryAnswer
from app.residents.models import Resident
from app.routing.channels import Answer
from tests.campaigns.office import DOWN, LOST, Office, refused

YES = OfferAnswer.YES


@pytest.fixture
def office(session: Session, settings: Settings, clock: Clock) -> Office:
    return Office(session, settings, clock)


@pytest.fixture
def resident(office: Office) -> Resident:
    return office.resident()


def said_yes(office: Office, resident: Resident) -> str:
    token = office.offer(resident)
    answer(office.desk, token, YES)
    return token


def register_says(office: Office, resident: Resident, said: Answer, **span: float) -> None:
    """The run's look-up, *span* after now."""
    at = office.clock.now() + dt.timedelta(**span)
    row = office.session.query(RegistryAnswer).filter_by(resident_id=resident.id).one_or_none()
    if row is None:
        row = RegistryAnswer(resident_id=resident.id, register=Register.EFAKTURA)
        office.session.add(row)
    row.answer, row.asked_at, row.reference = said, at, "EF000000000000007" if said is Answer.YES else None
    office.session.commit()


def only(office: Office) -> Agreement:
    [found] = office.agreements()
    return found


def test_a_provider_that_is_down_is_asked_again_by_the_same_id(office: Office, resident: Resident) -> None:
    office.provider.is_down = True
    token = said_yes(office, resident)
    view = read_link(office.desk, token)
    assert (view.state, view.agreement and view.agreement.reason) == (LinkState.PENDING, Why.UNAVAILABLE)
    assert follow_agreements(office.desk).asked == 0, "the wait is not over"
    office.provider.is_down = False
    assert follow_agreements(office.later(minutes=6)).asked == 1
    assert office.provider.requests == [only(office).key] * 2
    assert only(office).taken_at is not None


def test_a_late_answer_makes_it_active_and_routing_knows(office: Office, resident: Resident) -> None:
    said_yes(office, resident)
    assert follow_agreements(office.later(minutes=6)).as_json()["active"] == 0
    office.provider.stands(Standing.ACTIVE)
    done = follow_agreements(office.later(hours=7))
    assert (done.asked, done.active, done.told) == (1, 1, 1)
    assert only(office).state is AgreementState.ACTIVE
    answers = office.session.query(RegistryAnswer).one()
    assert (answers.answer, answers.reference) == (Answer.YES, "EF000000000000001")
    assert office.provider.requests == [only(office).key]


def test_an_active_answer_without_an_identifier_is_looked_up(office: Office, resident: Resident) -> None:
    said_yes(office, resident)
    office.provider.stands(Standing.ACTIVE, None)
    office.provider.takes = {str(resident.id): "EF000000000000003"}
    follow_agreements(office.later(hours=7))
    assert office.session.query(RegistryAnswer).one().reference == "EF000000000000003"


def test_a_lost_request_is_made_again_under_its_id(office: Office, resident: Resident) -> None:
    said_yes(office, resident)
    office.provider.held.clear()
    follow_agreements(office.later(minutes=6))
    assert office.provider.requests == [only(office).key] * 2
    assert only(office).state is AgreementState.REQUESTED


def test_a_request_whose_answer_was_lost_is_repeated_under_its_id(office: Office, resident: Resident) -> None:
    office.provider.replies = [LOST]
    said_yes(office, resident)
    assert only(office).reason == Why.UNCERTAIN
    follow_agreements(office.later(minutes=6))
    assert office.provider.requests == [only(office).key] * 2
    assert (only(office).reason, only(office).taken_at is None) == (None, False)


def test_a_process_that_dies_while_it_asks_is_followed_up_under_the_same_id(office: Office, resident: Resident) -> None:
    def die() -> NoReturn:
        raise KeyboardInterrupt

    token = office.offer(resident)
    office.provider.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        answer(office.desk, token, YES)
    office.session.rollback()
    assert (only(office).state, only(office).reason) == (AgreementState.REQUESTED, Why.ASKING)
    office.provider.meanwhile = lambda: None
    assert follow_agreements(office.later(minutes=9)).asked == 0, "it may be at work still"
    assert follow_agreements(office.later(minutes=11)).asked == 1
    assert office.provider.requests == [only(office).key] * 2


def test_a_late_refusal_declines_and_is_told_once(office: Office, resident: Resident) -> None:
    token = said_yes(office, resident)
    office.provider.stands(Standing.DECLINED)
    done = follow_agreements(office.later(minutes=6))
    assert (done.declined, done.told) == (1, 1)
    assert follow_agreements(office.later(hours=1)).told == 0
    assert (only(office).state, only(office).reason) == (AgreementState.DECLINED, Why.REFUSED)
    assert read_link(office.desk, token).state is LinkState.USED
    assert [note.subject for note in office.mails.notes] == ["Vi fikk ikke slått på eFaktura"]


def test_who_was_promised_and_cannot_be_told_apart_is_told_to_do_it_in_the_bank(
    office: Office, resident: Resident
) -> None:
    office.provider.replies = [DOWN, refused("6002")]
    said_yes(office, resident)
    follow_agreements(office.later(minutes=6))
    assert (only(office).activation, only(office).reason) == (Activation.GUIDE, Why.SEVERAL)
    assert [note.subject for note in office.mails.notes] == ["Du må slå på eFaktura i banken"]


def test_an_agreement_that_the_provider_ended_is_ended(office: Office, resident: Resident) -> None:
    said_yes(office, resident)
    office.provider.stands(Standing.ACTIVE)
    follow_agreements(office.later(minutes=6))
    office.provider.stands(Standing.ENDED)
    assert follow_agreements(office.later(days=29)).ended == 0, "asked rarely"
    assert follow_agreements(office.later(days=31)).ended == 1
    found = agreement_of(office.session, resident.id)
    assert found is not None
    assert (found.state, found.reason, found.ended_at is None) == (AgreementState.ENDED, Why.IN_BANK, False)
    assert office.session.query(RegistryAnswer).one().answer is Answer.NO


def test_a_no_of_the_register_makes_the_provider_be_asked_at_once(office: Office, resident: Resident) -> None:
    said_yes(office, resident)
    office.provider.stands(Standing.ACTIVE)
    follow_agreements(office.later(minutes=6))
    register_says(office, resident, Answer.NO, days=1)
    assert follow_agreements(office.later(days=1), office.clock.now() + dt.timedelta(hours=23)).ended == 0
    office.provider.stands(Standing.ENDED)
    assert follow_agreements(office.later(days=1), office.clock.now() + dt.timedelta(hours=23)).ended == 1


def test_a_provider_that_answers_nobody_is_left_in_peace_for_the_rest_of_the_run(office: Office) -> None:
    office.provider.is_down = True
    for _ in range(6):
        said_yes(office, office.resident())
    del office.provider.requests[:]
    assert follow_agreements(office.later(minutes=6)).asked == len(office.provider.requests) == 3


def test_what_waits_longer_than_was_said_is_counted(office: Office, resident: Resident) -> None:
    said_yes(office, resident)
    assert follow_agreements(office.later(days=4)).overdue == 0
    assert follow_agreements(office.later(days=6)).overdue == 1


def test_a_yes_that_came_true_another_way_is_active(office: Office, resident: Resident) -> None:
    token = said_yes(office, resident)
    register_says(office, resident, Answer.YES, minutes=1)
    done = follow_agreements(office.later(minutes=2))
    assert (done.active, done.told, done.asked) == (1, 1, 0)
    assert read_link(office.desk, token).state is LinkState.ACTIVE


def test_what_the_register_said_before_the_yes_proves_nothing(office: Office, resident: Resident) -> None:
    register_says(office, resident, Answer.NO, minutes=-5)
    token = said_yes(office, resident)
    register_says(office, resident, Answer.YES, minutes=-5)
    assert follow_agreements(office.desk).active == 0
    assert only(office).state is AgreementState.REQUESTED
    assert read_link(office.desk, token).state is LinkState.PENDING
