"""The job: pass after pass until nothing more is due, and never for ever."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from app.channels.contract import Outcome, ReceiptNote, ReceiptStatus, Result
from app.delivery import settle
from app.delivery.models import Part, RunRow, State
from app.delivery.planning import plan_pending
from app.delivery.replans import replan
from app.delivery.run import PATIENCE, Job, collect_receipts
from app.invoices.models import Pending
from app.registries.models import Register
from app.residents.models import ContactKind, ContactPoint, Preference, Resident, StaleResident
from app.routing.channels import Channel, Kind, Reason
from app.routing.facts import InvoiceFacts
from tests.delivery.fakes import always, in_turn
from tests.delivery.town import Town


@pytest.fixture
def town(town: Town) -> Town:
    """A town where nothing waits, as in development."""
    town.settings = town.settings.model_copy(update={"retry_waits": (dt.timedelta(0),), "email_settle_days": 0})
    return town


def run(town: Town, *silent: Register) -> Job:
    """The job, with the clock standing still."""
    with town.desk() as desk:
        job = Job(desk, frozenset(silent), has_brakes=False)
        job.run()
    return job


def test_the_job_goes_on_while_something_comes_further(town: Town) -> None:
    for channel in (Channel.EFAKTURA, Channel.VIPPS, Channel.MAILBOX):
        town.channels.messages[channel].script = always(Result(Outcome.REFUSED))
    town.channels.messages[Channel.EMAIL].script = in_turn(Result(Outcome.UNCERTAIN), Result(Outcome.ACCEPTED))
    invoice = town.invoice()
    run(town)
    assert town.part(invoice).state is State.DELIVERED
    assert town.channels.demands() == [invoice.number]


def test_the_job_ends_although_a_provider_stays_down(town: Town) -> None:
    town.channels.messages[Channel.EFAKTURA].script = always(Result(Outcome.UNAVAILABLE))
    invoice = town.invoice()
    job = run(town)
    assert town.part(invoice).state is State.WAITING
    assert job.report.passes <= PATIENCE + 1


@pytest.mark.parametrize("kind", [Kind.CREDIT_NOTE, Kind.INFORMATION])
def test_what_asks_for_nothing_is_never_too_late_so_the_job_ends_though_its_provider_stays_down(
    town: Town, kind: Kind
) -> None:
    """A credit note's due date is the day of issue: planned anew for being late, it would be sent for ever."""
    # More often than the job is patient, and then taken: nobody would wait for a job that never ends.
    fails = [Result(Outcome.UNAVAILABLE)] * (2 * PATIENCE)
    town.channels.messages[Channel.EMAIL].script = in_turn(*fails, Result(Outcome.ACCEPTED))
    invoice = town.invoice(town.plan(hold=Reason.HELD_BY_STAFF), due_on=dt.date(2026, 11, 20), kind=kind)
    replan(town.session, invoice, None, town.clock.now(), add=InvoiceFacts(kind=kind, may_ask_krr=False).as_bits())
    point = town.session.scalars(select(ContactPoint).filter_by(kind=ContactKind.EMAIL)).one()
    point.confirmed_at = town.clock.now()
    town.session.add(StaleResident(resident_id=invoice.resident_id))
    town.session.commit()
    job = run(town)
    assert town.outcomes(invoice) == [("email", "unavailable"), ("paper", "accepted")]
    assert job.report.passes <= PATIENCE + 1


def test_the_job_ends_at_once_when_nothing_is_due(town: Town) -> None:
    assert run(town).report.passes == 1


def test_a_run_leaves_a_row_with_its_counts(town: Town) -> None:
    town.invoice()
    run(town)
    (row,) = town.session.scalars(select(RunRow)).all()
    assert row.finished_at is not None
    assert row.counts["accepted"] == 1


@pytest.mark.parametrize(("hold", "needs_a_person"), [(False, False), (True, True)])
def test_a_run_says_whether_it_needs_a_person(town: Town, hold: bool, needs_a_person: bool) -> None:
    answer = Result(Outcome.REFUSED if hold else Outcome.ACCEPTED)
    town.channels.files[Channel.PAPER].script = always(answer)
    town.invoice(town.plan(Channel.PAPER))
    assert run(town).report.needs_a_person is needs_a_person


def test_a_worker_told_to_stop_begins_no_pass(town: Town) -> None:
    invoice = town.invoice()
    with town.desk() as desk:
        desk.worker.stop.set()
        report = Job(desk).run()
    assert (report.is_stopped, report.passes) == (True, 0)
    assert town.part(invoice).state is State.WAITING


def test_receipts_settle_what_is_uncertain_and_send_nothing(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.script = always(Result(Outcome.UNCERTAIN))
    taken, waiting = town.invoice(), town.invoice(town.plan(Channel.VIPPS))
    channel.finds = always(Result(Outcome.UNCERTAIN))
    town.channels.messages[Channel.VIPPS].script = always(Result(Outcome.UNAVAILABLE))
    run(town)
    town.channels.messages[Channel.VIPPS].script = always(Result(Outcome.ACCEPTED))
    channel.finds = None
    with town.desk() as desk:
        collect_receipts(desk)
    assert town.part(taken).state is State.IN_TRANSIT
    assert town.part(waiting).state is State.WAITING
    assert town.channels.messages[Channel.VIPPS].other_side.taken == {}


def test_what_surely_did_not_arrive_waits_to_be_sent_after_it_was_asked_about(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.script, channel.is_answer_lost = always(Result(Outcome.UNCERTAIN)), False
    channel.finds = always(Result(Outcome.UNCERTAIN))
    invoice = town.invoice()
    run(town)
    channel.finds = None
    with town.desk() as desk:
        collect_receipts(desk)
    assert town.outcomes(invoice) == [("efaktura", "unavailable")]
    channel.script = always(Result(Outcome.ACCEPTED))
    run(town)
    assert channel.other_side.numbers() == [invoice.number]
    assert len(town.attempts(invoice)) == 1


def test_who_closed_the_channel_while_it_waited_is_planned_anew(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.script = always(Result(Outcome.UNAVAILABLE))
    invoice = town.invoice()
    # Planned for real, so that its plan has the facts of the resident.
    town.session.execute(update(StaleResident).values(resident_id=StaleResident.resident_id))
    town.session.add(StaleResident(resident_id=invoice.resident_id))
    town.session.commit()
    plan_pending(town.session, town.settings, town.clock)
    settle.replan_what_changed(town.session, town.settings, town.clock.now())
    plan_pending(town.session, town.settings, town.clock)
    now = town.clock.now()
    assert settle.replan_what_changed(town.session, town.settings, now) == 0
    assert town.part(invoice).channel is not Channel.PAPER
    town.session.add(Preference(resident_id=invoice.resident_id, is_all_by_letter=True, chosen_at=now))
    town.session.add(StaleResident(resident_id=invoice.resident_id))
    town.session.commit()
    run(town)
    assert town.part(invoice).channel is Channel.PAPER
    assert town.channels.files[Channel.PAPER].numbers() == [invoice.number]


def test_what_a_resident_said_since_the_last_planning_counts_before_anything_leaves(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.script = always(Result(Outcome.UNAVAILABLE))
    invoice = town.invoice()
    town.session.add(StaleResident(resident_id=invoice.resident_id))
    town.session.commit()
    run(town)
    assert town.part(invoice).channel is Channel.EFAKTURA
    channel.script = always(Result(Outcome.ACCEPTED))
    closed = Preference(resident_id=invoice.resident_id, channel=Channel.EFAKTURA, chosen_at=town.clock.now())
    town.session.add_all([closed, StaleResident(resident_id=invoice.resident_id)])
    town.session.commit()
    run(town)
    assert channel.other_side.taken == {}


@pytest.mark.parametrize("what", ["has died", "wants a notice", "ended the mandate"])
def test_a_claim_that_waited_is_planned_anew_when_its_payer_is_known_otherwise(town: Town, what: str) -> None:
    bank = town.channels.files[Channel.AVTALEGIRO]
    town.mandate.wants_notice, bank.breaks = False, True
    invoice = town.invoice(town.plan(hold=Reason.HELD_BY_STAFF))
    replan(town.session, invoice, None, town.clock.now(), add=InvoiceFacts().as_bits())
    point = town.session.scalars(select(ContactPoint).filter_by(kind=ContactKind.MOBILE)).one()
    resident, point.closed_at = town.session.get_one(Resident, invoice.resident_id), town.clock.now()
    town.session.add(StaleResident(resident_id=resident.id))
    town.session.commit()
    run(town)
    assert town.part(invoice, Part.CLAIM).state is State.WAITING
    if what == "has died":
        resident.deceased_on = town.clock.today()
        town.session.add(StaleResident(resident_id=resident.id))
    elif what == "wants a notice":
        town.mandate.wants_notice = True
    else:
        town.mandate.ended_at = town.clock.now()
    town.session.commit()
    bank.breaks = False
    town.clock.pass_time(days=1)
    run(town)
    document = town.part(invoice)
    assert bank.numbers() == ([invoice.number] if what == "wants a notice" else [])
    assert document.hold is (Reason.DECEASED if what == "has died" else None)
    assert document.is_notice is (what == "wants a notice")


def test_a_channel_that_came_too_late_while_it_waited_is_planned_anew(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.VIPPS, Channel.EMAIL))
    now = dt.datetime(2026, 12, 21, 12, tzinfo=dt.UTC)
    assert settle.replan_what_changed(town.session, town.settings, now) == 0
    assert settle.replan_what_changed(town.session, town.settings, now + dt.timedelta(days=1)) == 1
    assert town.part(invoice).channel is None
    facts = InvoiceFacts.from_bits(town.session.get_one(Pending, invoice.id).facts)
    assert not facts.refused_vipps, "being late is no refusal"


def test_a_refusal_is_remembered_when_it_is_planned_anew(town: Town) -> None:
    town.channels.messages[Channel.MAILBOX].script = always(Result(Outcome.REFUSED))
    town.channels.messages[Channel.EMAIL].script = always(Result(Outcome.UNAVAILABLE))
    invoice = town.invoice(town.plan(Channel.MAILBOX, Channel.EMAIL))
    run(town)
    later = dt.datetime(2026, 12, 24, 12, tzinfo=dt.UTC)
    assert settle.replan_what_changed(town.session, town.settings, later) == 1
    facts = InvoiceFacts.from_bits(town.session.get_one(Pending, invoice.id, populate_existing=True).facts)
    assert facts.refused_mailbox
    assert not facts.refused_email


def test_the_same_job_hears_a_late_refusal_and_sends_by_the_next_channel(town: Town) -> None:
    channel = town.channels.messages[Channel.VIPPS]
    invoice = town.invoice(town.plan(Channel.VIPPS, Channel.PAPER))
    run(town)
    reference = town.attempts(invoice)[0].provider_reference or ""
    channel.notes = [ReceiptNote(reference, ReceiptStatus.FAILED)]
    town.clock.pass_time(seconds=1)
    run(town)
    assert town.channels.files[Channel.PAPER].numbers() == [invoice.number]


def test_a_held_part_keeps_its_reason_over_runs(town: Town) -> None:
    invoice = town.invoice(town.plan(hold=Reason.WRONG_KID))
    run(town)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.WRONG_KID)
