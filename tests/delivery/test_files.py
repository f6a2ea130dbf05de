"""Bank files and print batches: whole or not at all, whenever the process ends, and each part in one file only."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.channels.contract import Consignment, Outcome, Result
from app.delivery import settle
from app.delivery.files import FileSender
from app.delivery.handover import MOST_FILES_A_DAY, TooManyFiles, begin
from app.delivery.models import Handover, Part, State
from app.delivery.passes import send_due, tidy
from app.delivery.planning import plan_pending
from app.delivery.workers import Worker
from app.invoices.models import Closure, Invoice, Pending
from app.routing.channels import Channel, Reason
from app.routing.facts import InvoiceFacts
from tests.delivery.fakes import Killed, always
from tests.delivery.town import Town

DAY_AFTER = dt.datetime(2027, 1, 1, 10, tzinfo=dt.UTC)
STEPS = ["before prepare", "after prepare", "before hand_over", "after hand_over"]


def send(town: Town) -> None:
    """One pass, as the job does it."""
    with town.desk() as desk:
        tidy(desk)
        send_due(desk)


def killed_send(town: Town) -> None:
    """One pass that does not survive."""
    with pytest.raises(Killed):
        send(town)
    town.session.rollback()


def paper(town: Town, count: int = 3) -> list[Invoice]:
    """Invoices that go on paper alone."""
    return [town.invoice(town.plan(Channel.PAPER)) for _ in range(count)]


def claimed(town: Town, *route: Channel) -> Invoice:
    """An invoice with a claim, and perhaps a notice."""
    return town.invoice(town.plan(*route, claim="02"))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("channel", [Channel.PAPER, Channel.AVTALEGIRO])
def test_a_process_that_ends_at_any_step_leaves_each_part_in_exactly_one_file(
    town: Town, step: str, channel: Channel
) -> None:
    files = town.channels.files[channel]
    invoices = paper(town) if channel is Channel.PAPER else [claimed(town) for _ in range(3)]
    files.dies = {step}
    killed_send(town)
    send(town)
    assert files.numbers() == sorted(invoice.number for invoice in invoices)
    assert files.hidden == {}
    part = Part.DOCUMENT if channel is Channel.PAPER else Part.CLAIM
    assert {town.part(invoice, part).state for invoice in invoices} == {State.DELIVERED}
    assert {outcome for invoice in invoices for _, outcome in town.outcomes(invoice, part)} == {"accepted"}
    handovers = town.session.scalars(select(Handover)).all()
    assert [handover.name for handover in handovers if handover.handed_over_at] == list(files.outbox)


@pytest.mark.parametrize("step", ["before prepare", "before hand_over"])
def test_a_worker_thought_dead_that_wakes_up_takes_no_file_away_from_who_went_on(town: Town, step: str) -> None:
    """On another host it cannot be looked up, so its work is free when its lease is over."""
    files, invoices = town.channels.files[Channel.PAPER], paper(town)
    is_asleep = iter([True])

    def sleep(_consignment: Consignment) -> Result:
        if next(is_asleep, False):
            town.clock.pass_time(minutes=6)
            files.dies = {step}
            killed_send(town)
        return Result(Outcome.ACCEPTED)

    files.script = sleep
    with town.desk() as desk:
        slow = replace(desk, worker=Worker("elsewhere/1:7:1.00:1"))
        FileSender(slow, files).send_due(town.clock.now(), None)
    send(town)
    assert files.numbers() == sorted(invoice.number for invoice in invoices)
    assert {town.part(invoice).state for invoice in invoices} == {State.DELIVERED}


def test_a_file_that_was_fetched_before_we_noted_it_is_not_written_again(town: Town) -> None:
    files = town.channels.files[Channel.PAPER]
    paper(town)
    files.dies = {"after hand_over"}
    killed_send(town)
    fetched = files.outbox.popitem()
    send(town)
    assert (files.outbox, files.hidden) == ({}, {})
    assert len(fetched[1]) == 3


def test_a_full_disk_lets_the_letters_wait_and_leaves_no_file_behind(town: Town) -> None:
    files = town.channels.files[Channel.PAPER]
    files.breaks = True
    (invoice,) = paper(town, 1)
    send(town)
    assert town.part(invoice).state is State.WAITING
    assert town.session.scalars(select(Handover)).all() == []
    files.breaks = False
    town.clock.pass_time(minutes=5)
    send(town)
    assert files.numbers() == [invoice.number]
    assert len(town.attempts(invoice)) == 1


def test_what_a_file_has_no_room_for_goes_in_the_next(town: Town) -> None:
    files = town.channels.files[Channel.PAPER]
    invoices = paper(town)
    files.script = lambda one: Result(
        Outcome.UNAVAILABLE if one.number == invoices[0].number and not files.outbox else Outcome.ACCEPTED
    )
    send(town)
    town.clock.pass_time(minutes=5)
    send(town)
    assert [len(letters) for letters in files.outbox.values()] == [2, 1]


def test_a_letter_that_cannot_be_printed_is_held(town: Town) -> None:
    town.channels.files[Channel.PAPER].script = always(Result(Outcome.REFUSED, detail="unreadable_pdf"))
    (invoice,) = paper(town, 1)
    send(town)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.NOTHING_LEFT)
    assert town.channels.files[Channel.PAPER].hidden == {}


def test_a_file_has_a_name_of_its_own_that_ends_in_six_digits_of_the_day(town: Town) -> None:
    day, now = dt.date(2026, 11, 24), town.clock.now()
    names = [begin(town.session, Channel.AVTALEGIRO, "w", day, now).name for _ in range(3)]
    assert names == ["20261124-632801", "20261124-632802", "20261124-632803"]
    assert begin(town.session, Channel.PAPER, "w", day, now).name == "20261124-632801"


def test_a_day_has_ninety_nine_files_and_no_number_comes_again(town: Town) -> None:
    day, now = dt.date(2026, 11, 24), town.clock.now()
    for _ in range(MOST_FILES_A_DAY):
        begin(town.session, Channel.AVTALEGIRO, "w", day, now)
    with pytest.raises(TooManyFiles):
        begin(town.session, Channel.AVTALEGIRO, "w", day, now)


def test_a_refused_claim_makes_the_document_a_demand_again(town: Town) -> None:
    town.channels.files[Channel.AVTALEGIRO].script = always(Result(Outcome.REFUSED, detail="wrong_kid"))
    invoice = claimed(town, Channel.EMAIL)
    send(town)
    assert town.part(invoice, Part.CLAIM).hold is Reason.CLAIM_LOST
    with town.desk() as desk:
        tidy(desk)
    pending = town.session.get_one(Pending, invoice.id)
    assert InvoiceFacts.from_bits(pending.facts).has_lost_claim
    assert town.part(invoice, Part.CLAIM).state is State.CLOSED
    document = town.part(invoice)
    assert (document.state, document.channel, document.is_notice) == (State.WAITING, None, False)
    plan_pending(town.session, town.settings, town.clock)
    send(town)
    assert town.channels.demands() == [invoice.number]


def test_a_lost_claim_alone_gets_a_document_that_demands(town: Town) -> None:
    town.channels.files[Channel.AVTALEGIRO].script = always(Result(Outcome.REFUSED))
    invoice = claimed(town)
    send(town)
    with town.desk() as desk:
        tidy(desk)
    plan_pending(town.session, town.settings, town.clock)
    send(town)
    assert town.part(invoice).state in (State.DELIVERED, State.IN_TRANSIT)
    assert town.channels.demands() == [invoice.number]


def test_a_claim_that_waited_too_long_for_the_bank_is_planned_anew(town: Town) -> None:
    invoice = claimed(town, Channel.EMAIL)
    town.clock.pass_time(days=25)
    with town.desk() as desk:
        tidy(desk)
    assert town.part(invoice, Part.CLAIM).state is State.CLOSED
    assert not InvoiceFacts.from_bits(town.session.get_one(Pending, invoice.id).facts).has_lost_claim


def test_a_claim_the_bank_notifies_of_has_the_banks_own_deadline_while_it_waits(town: Town) -> None:
    """Due 20 January: by the last banking day of December, for later the bank could not notify of it in time."""
    invoice = town.invoice(town.plan(claim="21"), due_on=dt.date(2027, 1, 20))
    for moment, is_in_time in ((dt.datetime(2026, 12, 31, 10, tzinfo=dt.UTC), True), (DAY_AFTER, False)):
        settle.give_up_late_claims(town.session, town.settings, moment)
        assert (town.part(invoice, Part.CLAIM).state is State.WAITING) is is_in_time


@pytest.mark.parametrize("closure", list(Closure))
def test_a_claim_nobody_owes_any_more_is_called_back_by_file_once(town: Town, closure: Closure) -> None:
    invoice = claimed(town)
    send(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), closure
    town.session.commit()
    send(town)
    send(town)
    files = town.channels.files[Channel.AVTALEGIRO]
    assert files.numbers(cancelled=True) == [invoice.number]
    assert files.numbers() == [invoice.number]
    assert town.part(invoice, Part.CLAIM).state is State.CLOSED
    claim, recall = town.attempts(invoice, Part.CLAIM)
    assert claim.taken_back_at is not None
    assert (recall.is_cancellation, recall.outcome) == (True, Outcome.ACCEPTED)


@pytest.mark.parametrize("step", STEPS)
def test_a_recall_that_is_cut_off_is_made_once_and_the_claim_is_not_sent_again(town: Town, step: str) -> None:
    files = town.channels.files[Channel.AVTALEGIRO]
    invoice = claimed(town)
    send(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.CREDITED
    town.session.commit()
    files.dies = {step}
    killed_send(town)
    send(town)
    assert (files.numbers(cancelled=True), files.numbers()) == ([invoice.number], [invoice.number])


def test_a_claim_is_not_called_back_when_the_bank_would_not_take_it_any_more(town: Town) -> None:
    invoice = claimed(town)
    send(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.PAID
    town.session.commit()
    town.clock.pass_time(days=29, hours=6)  # 23 December, 16:00 in Oslo: due tomorrow
    send(town)
    assert town.channels.files[Channel.AVTALEGIRO].numbers(cancelled=True) == []


def test_a_recall_the_file_does_not_take_is_not_tried_for_ever(town: Town) -> None:
    files = town.channels.files[Channel.AVTALEGIRO]
    invoice = claimed(town)
    send(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.CREDITED
    town.session.commit()

    def script(consignment: Consignment) -> Result:
        return Result(Outcome.REFUSED, detail="due_too_soon")

    files.script = script
    send(town)
    send(town)
    outcomes = [attempt.outcome for attempt in town.attempts(invoice, Part.CLAIM)]
    assert outcomes == [Outcome.ACCEPTED, Outcome.REFUSED]
    assert town.part(invoice, Part.CLAIM).state is State.DELIVERED


def test_letters_are_taken_into_a_file_only_while_memory_lasts(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.delivery.files.MOST_BYTES", 3)
    monkeypatch.setattr("app.delivery.files.LETTERS_AT_ONCE", 2)
    paper(town, 5)
    send(town)
    assert [len(letters) for letters in town.channels.files[Channel.PAPER].outbox.values()] == [2, 2, 1]


def test_a_notice_nobody_needs_is_not_missed_when_it_cannot_be_brought(town: Town) -> None:
    town.channels.messages[Channel.EFAKTURA].script = always(Result(Outcome.REFUSED))
    plan = town.plan(Channel.EFAKTURA, claim="02")
    plan.passed_over = {Channel.PAPER.value: Reason.CLAIM_ALONE.value}
    invoice = town.invoice(plan)
    send(town)
    assert (town.part(invoice, Part.CLAIM).state, town.part(invoice).state) == (State.DELIVERED, State.CLOSED)


def test_a_claim_whose_mandate_ended_since_it_was_planned_is_not_sent_and_the_document_asks_for_the_money(
    town: Town,
) -> None:
    invoice = claimed(town, Channel.EMAIL)
    town.mandate.ended_at = town.clock.now()
    town.session.commit()
    send(town)
    assert town.part(invoice, Part.CLAIM).hold is Reason.CLAIM_LOST
    assert town.attempts(invoice, Part.CLAIM) == []
    assert not town.channels.files[Channel.AVTALEGIRO].outbox
