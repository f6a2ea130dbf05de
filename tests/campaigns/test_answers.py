"""Whatever is pressed, however often and in whichever order, an offer ends in one clear state and one request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.agreements import begin
from app.campaigns.answers import Answered, answer, ask_from_min_side, read_link
from app.campaigns.models import Activation, AgreementSource, AgreementState, OfferAnswer
from app.campaigns.states import LinkState, Why, agreement_of
from app.clients.efaktura_agreement import Standing
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings
from app.registries.models import Register, RegistryAnswer
from app.residents.models import ClosedReason, ContactPoint, StaleResident
from app.residents.preferences import Choice, choices, choose
from app.routing.channels import Answer, Channel
from tests.campaigns.office import DOWN, LOST, Office, refused

YES, NO, NOT_ME = OfferAnswer.YES, OfferAnswer.NO, OfferAnswer.NOT_ME


@pytest.fixture
def office(session: Session, settings: Settings, clock: Clock) -> Office:
    return Office(session, settings, clock)


@pytest.fixture
def guided(session: Session, settings: Settings, clock: Clock) -> Office:
    return Office(session, settings.model_copy(update={"efaktura_activation": "guide"}), clock)


def state(office: Office, token: str) -> LinkState:
    return read_link(office.desk, token).state


def together(app: Flask, office: Office, *presses: Callable[[Session], object]) -> list[object]:
    """Press at the same moment, each with a session of its own."""
    barrier, results = threading.Barrier(len(presses)), dict[int, object]()

    def one(number: int, press: Callable[[Session], object]) -> None:
        with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
            barrier.wait()
            results[number] = press(session)

    office.session.commit()
    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(presses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return list(results.values())


def test_a_yes_is_one_request_that_is_pending_until_the_provider_answers(office: Office) -> None:
    resident = office.resident()
    token = office.offer(resident)
    said = answer(office.desk, token, YES)
    assert (said.is_new, said.is_too_late, said.view.state) == (True, False, LinkState.PENDING)
    [agreement] = office.agreements()
    assert office.provider.requests == [agreement.key]
    assert (agreement.state, agreement.source, agreement.activation) == (
        AgreementState.REQUESTED, AgreementSource.OFFER, Activation.AGREEMENT,
    )  # fmt: skip
    assert agreement.taken_at is not None
    assert agreement.evidence == {
        "offer": office.offers()[0].public_id, "link": 1, "language": "nb", "wording": "agreement-1",
        "actor": "offer link",
    }  # fmt: skip
    assert office.mails.notes == []


def test_a_provider_that_has_answered_makes_it_active_with_a_receipt(office: Office) -> None:
    resident = office.resident()
    token = office.offer(resident)
    first = answer(office.desk, token, YES)
    assert first.view.state is LinkState.PENDING
    office.provider.stands(Standing.ACTIVE)
    office.desk.session.commit()
    second = answer(office.later(minutes=11), token, YES)
    assert (second.is_new, second.view.state) == (False, LinkState.ACTIVE)
    register = office.session.scalars(select(RegistryAnswer)).one()
    assert (register.register, register.answer, register.reference) == (
        Register.EFAKTURA, Answer.YES, "EF000000000000001",
    )  # fmt: skip
    assert resident.id in set(office.session.scalars(select(StaleResident.resident_id)))
    assert len(office.mails.notes) == 1


def test_yes_pressed_twice_is_one_request(office: Office) -> None:
    token = office.offer(office.resident())
    answer(office.desk, token, YES)
    again = answer(office.desk, token, YES)
    assert (again.is_new, again.view.state) == (False, LinkState.PENDING)
    assert len(office.provider.requests) == len(office.agreements()) == 1


def test_two_who_press_yes_at_the_same_moment_make_one_request(app: Flask, office: Office) -> None:
    token = office.offer(office.resident())

    def press(session: Session) -> Answered:
        return answer(replace(office.desk, session=session), token, YES)

    said = together(app, office, *[press] * 4)
    assert sorted(one.is_new for one in said if isinstance(one, Answered)) == [False, False, False, True]
    assert len(office.provider.requests) == len(office.agreements()) == 1
    assert state(office, token) is LinkState.PENDING


def test_the_link_and_min_side_at_the_same_moment_make_one_request(app: Flask, office: Office) -> None:
    resident = office.resident()
    token = office.offer(resident)
    together(
        app, office,
        lambda session: answer(replace(office.desk, session=session), token, YES),
        lambda session: ask_from_min_side(replace(office.desk, session=session), resident),
    )  # fmt: skip
    assert len(office.provider.requests) == len(office.agreements()) == 1


def test_yes_and_no_at_the_same_moment_end_in_one_state(app: Flask, office: Office) -> None:
    token = office.offer(office.resident())
    together(
        app, office,
        lambda session: answer(replace(office.desk, session=session), token, YES),
        lambda session: answer(replace(office.desk, session=session), token, NO),
    )  # fmt: skip
    assert len(office.provider.requests) == len([one for one in office.agreements() if one.taken_at]) <= 1
    [offer] = office.offers()
    if office.agreements():
        expected = {
            AgreementState.REQUESTED: (YES, LinkState.PENDING),
            AgreementState.DECLINED: (NO, LinkState.DECLINED),
        }
        assert (offer.answer, state(office, token)) == expected[office.agreements()[-1].state]
    else:
        assert (offer.answer, state(office, token)) == (NO, LinkState.DECLINED)


def test_a_no_changes_nothing_but_the_answer_and_may_be_undone(office: Office) -> None:
    token = office.offer(office.resident())
    said = answer(office.desk, token, NO)
    assert (said.is_new, said.view.state, office.agreements()) == (True, LinkState.DECLINED, [])
    assert not answer(office.desk, token, NO).is_new
    assert answer(office.desk, token, YES).view.state is LinkState.PENDING
    assert len(office.provider.requests) == 1


def test_a_no_after_a_yes_that_the_provider_has_is_too_late_here(office: Office) -> None:
    token = office.offer(office.resident())
    answer(office.desk, token, YES)
    said = answer(office.desk, token, NO)
    assert (said.is_new, said.is_too_late, said.view.state) == (False, True, LinkState.PENDING)
    assert office.offers()[0].answer is YES
    office.provider.stands(Standing.ACTIVE)
    answer(office.later(minutes=11), token, YES)
    assert answer(office.desk, token, NO).is_too_late
    assert state(office, token) is LinkState.ACTIVE


def test_a_no_after_a_yes_that_never_arrived_takes_it_back(office: Office) -> None:
    token = office.offer(office.resident())
    office.provider.replies = [DOWN]
    assert answer(office.desk, token, YES).view.state is LinkState.PENDING
    said = answer(office.desk, token, NO)
    assert (said.is_new, said.is_too_late, said.view.state) == (True, False, LinkState.DECLINED)
    [agreement] = office.agreements()
    assert (agreement.state, agreement.reason) == (AgreementState.DECLINED, Why.WITHDRAWN)
    assert office.provider.held == {}


def test_a_no_after_a_yes_of_which_nobody_knows_whether_it_arrived_is_too_late(office: Office) -> None:
    token = office.offer(office.resident())
    office.provider.replies = [LOST]
    answer(office.desk, token, YES)
    assert answer(office.desk, token, NO).is_too_late
    assert state(office, token) is LinkState.PENDING


def test_a_no_while_the_request_is_under_way_is_too_late(app: Flask, office: Office) -> None:
    token = office.offer(office.resident())
    said: list[Answered] = []

    def press() -> None:
        with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
            said.append(answer(replace(office.desk, session=session), token, NO))

    office.provider.meanwhile = press
    answer(office.desk, token, YES)
    assert [one.is_too_late for one in said] == [True]
    assert state(office, token) is LinkState.PENDING


def test_yes_no_yes_is_one_request_at_the_provider(office: Office) -> None:
    token = office.offer(office.resident())
    office.provider.replies = [DOWN]
    for reply in (YES, NO, YES):
        answer(office.desk, token, reply)
    assert [agreement.state for agreement in office.agreements()] == [
        AgreementState.DECLINED, AgreementState.REQUESTED,
    ]  # fmt: skip
    assert len(office.provider.held) == 1
    assert state(office, token) is LinkState.PENDING


def test_a_yes_after_the_link_was_replaced_changes_nothing(office: Office) -> None:
    resident = office.resident()
    token = office.offer(resident)
    office.has_address(resident, "ny@example.com")
    said = answer(office.desk, token, YES)
    assert (said.is_new, said.view.state, said.view.first_name) == (False, LinkState.REPLACED, "")
    assert (office.agreements(), office.provider.requests) == ([], [])


def test_not_me_closes_the_address_for_good_and_marks_the_resident(office: Office) -> None:
    resident = office.resident("feil@example.com")
    token = office.offer(resident)
    office.session.query(StaleResident).delete()
    office.session.commit()
    said = answer(office.desk, token, NOT_ME)
    assert (said.is_new, said.is_too_late, said.view.state) == (True, False, LinkState.NOT_ME)
    assert (said.view.first_name, said.view.masked_email) == ("", "")
    point = office.session.scalars(select(ContactPoint)).one()
    assert (point.closed_reason, point.confirmed_at) == (ClosedReason.NOT_ME, None)
    assert point.closed_at is not None
    assert list(office.session.scalars(select(StaleResident.resident_id))) == [resident.id]
    events = set(office.session.scalars(select(AuditRecord.event)))
    assert {AuditEvent.OFFER_ANSWERED, AuditEvent.ADDRESS_REMOVED} <= events
    assert not answer(office.desk, token, YES).is_new
    assert not answer(office.desk, token, NOT_ME).is_new
    assert office.agreements() == []


def test_not_me_after_a_yes_that_the_provider_has_says_so(office: Office) -> None:
    token = office.offer(office.resident())
    answer(office.desk, token, YES)
    said = answer(office.desk, token, NOT_ME)
    assert (said.is_new, said.is_too_late, said.view.state) == (True, True, LinkState.NOT_ME)
    assert office.agreements()[0].state is AgreementState.REQUESTED


def test_nothing_can_be_switched_on_from_an_address_that_several_share(office: Office) -> None:
    one, two = office.resident("vi@example.com"), office.resident("vi@example.com")
    token = office.offer(one, two)
    for reply in (YES, NO, NOT_ME):
        said = answer(office.desk, token, reply)
        assert (said.is_new, said.view.state, said.view.is_shared) == (False, LinkState.SHARED, True)
        assert (said.view.first_name, said.view.masked_email) == ("", "")
    assert (office.agreements(), office.provider.requests) == ([], [])
    assert office.offers()[0].answer is None


def test_a_refused_yes_is_told_and_not_sent_again_by_the_same_link(office: Office) -> None:
    token = office.offer(office.resident())
    office.provider.replies = [refused("6003")]
    said = answer(office.desk, token, YES)
    assert said.view.state is LinkState.USED
    assert said.view.agreement is not None
    assert said.view.agreement.reason is Why.REFUSED
    assert not answer(office.desk, token, YES).is_new
    assert len(office.provider.requests) == 1


@pytest.mark.parametrize(("code", "why"), [("6001", Why.NOT_FOUND), ("6002", Why.SEVERAL)])
def test_whoever_the_provider_cannot_tell_gets_the_guide(office: Office, code: str, why: Why) -> None:
    token = office.offer(office.resident())
    office.provider.replies = [refused(code)]
    said = answer(office.desk, token, YES)
    assert said.view.state is LinkState.WISHED
    [agreement] = office.agreements()
    assert (agreement.state, agreement.activation, agreement.reason) == (
        AgreementState.REQUESTED, Activation.GUIDE, why,
    )  # fmt: skip


def test_whoever_no_look_up_can_find_gets_the_guide_without_a_request(office: Office) -> None:
    resident = office.resident()
    resident.national_id_encrypted = resident.national_id_index = None
    office.session.commit()
    assert answer(office.desk, office.offer(resident), YES).view.state is LinkState.WISHED
    assert office.provider.requests == []


def test_with_the_guide_a_yes_is_a_wish_and_nobody_is_asked(guided: Office) -> None:
    token = guided.offer(guided.resident())
    assert answer(guided.desk, token, YES).view.state is LinkState.WISHED
    assert guided.provider.requests == []
    assert guided.agreements()[0].evidence["wording"] == "guide-1"
    assert answer(guided.desk, token, NO).view.state is LinkState.DECLINED
    assert answer(guided.desk, token, YES).view.state is LinkState.WISHED
    assert [one.state for one in guided.agreements()] == [AgreementState.DECLINED, AgreementState.REQUESTED]


def test_a_yes_takes_an_earlier_choice_against_efaktura_back(office: Office) -> None:
    resident = office.resident()
    choose(office.session, resident.id, Choice(frozenset({Channel.EFAKTURA, Channel.VIPPS})), office.clock.now())
    office.session.commit()
    answer(office.desk, office.offer(resident), YES)
    assert choices(office.session, [resident.id])[resident.id].closed == {Channel.VIPPS}


def test_min_side_says_yes_by_the_same_service_once(office: Office) -> None:
    resident = office.resident()
    first, second = ask_from_min_side(office.desk, resident), ask_from_min_side(office.desk, resident)
    assert first.public_id == second.public_id
    assert (first.state, first.source, first.is_at_provider) == (
        AgreementState.REQUESTED, AgreementSource.MIN_SIDE, True,
    )  # fmt: skip
    assert agreement_of(office.session, resident.id) == second
    assert len(office.provider.requests) == 1


def test_no_transaction_is_open_while_the_provider_thinks(office: Office) -> None:
    """Another session can write, on SQLite too, where there is one writer."""

    def write() -> None:
        with Session(db.engine) as other:
            begin(other)
            other.add(StaleResident(resident_id=1))
            other.commit()

    office.provider.meanwhile = write
    assert answer(office.desk, office.offer(office.resident()), YES).view.state is LinkState.PENDING


def test_an_answer_that_no_page_offers_is_refused(office: Office) -> None:
    with pytest.raises(KeyError):
        answer(office.desk, office.offer(office.resident()), OfferAnswer.UNSUBSCRIBED)
