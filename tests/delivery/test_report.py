"""Counts in = counts out, whatever happened to the invoices."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from app.channels.contract import Outcome, ReceiptNote, ReceiptStatus, Result
from app.delivery import receipts, settle
from app.delivery.models import Delivery, State
from app.delivery.passes import send_due, tidy
from app.delivery.planning import plan_pending
from app.delivery.report import make_report
from app.invoices.models import Closure, Invoice, Pending
from app.routing.channels import Channel, Kind
from tests.delivery.fakes import FakeChannels, Killed
from tests.delivery.town import ROUTE, Town


def send(town: Town) -> None:
    """One pass, as the job does it."""
    with town.desk() as desk:
        tidy(desk)
        send_due(desk, has_brakes=False)


def test_the_report_has_the_keys_that_other_programs_read(town: Town) -> None:
    town.invoice(town.plan(Channel.EMAIL))
    told = make_report(town.session).as_json()
    assert {
        "invoices", "unplanned", "waiting", "sending", "in_transit", "delivered", "held", "closed", "planned",
        "by_channel", "notices_by_channel", "balanced", "not_sent",
    } <= told.keys()  # fmt: skip
    assert told["by_channel"].keys() == told["notices_by_channel"].keys() == {channel.value for channel in Channel}


def test_an_invoice_counts_once_under_its_claim_and_its_notice_beside(town: Town) -> None:
    town.invoice(town.plan(Channel.EMAIL, claim="02"))
    town.invoice(town.plan(Channel.EMAIL))
    send(town)
    report = make_report(town.session)
    assert {name: count for name, count in report.by_channel.items() if count} == {"avtalegiro": 1, "email": 1}
    assert {name: count for name, count in report.notices_by_channel.items() if count} == {"email": 1}
    assert report.not_sent == []


def test_what_was_taken_back_counts_under_the_channel_that_took_it_then(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.MAILBOX, Channel.PAPER))
    send(town)
    reference = town.attempts(invoice)[0].provider_reference or ""
    town.channels.messages[Channel.MAILBOX].notes = [ReceiptNote(reference, ReceiptStatus.FAILED)]
    town.clock.pass_time(seconds=1)
    with town.desk() as desk:
        receipts.collect(desk)
    send(town)
    report = make_report(town.session)
    assert {name: count for name, count in report.by_channel.items() if count} == {"paper": 1}


def test_an_invoice_is_as_far_as_its_less_finished_part(town: Town) -> None:
    town.channels.messages[Channel.EMAIL].script = lambda _one: Result(Outcome.UNAVAILABLE)
    invoice = town.invoice(town.plan(Channel.EMAIL, claim="02"))
    send(town)
    report = make_report(town.session)
    assert (report.states["waiting"], report.not_sent) == (1, [invoice.number])


def test_a_credit_note_is_no_demand_that_was_sent(town: Town) -> None:
    note = town.invoice(town.plan(Channel.EMAIL), kind=Kind.CREDIT_NOTE)
    send(town)
    assert make_report(town.session).not_sent == [note.number]


def test_an_invoice_that_nobody_knows_of_unbalances_its_batch(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL))
    assert make_report(town.session).is_balanced
    town.session.execute(delete(Delivery).where(Delivery.invoice_id == invoice.id))
    town.session.commit()
    report = make_report(town.session)
    assert not report.is_balanced
    assert [batch.is_balanced for batch in report.batches] == [False]


def test_a_batch_that_counted_more_than_there_is_does_not_balance(town: Town) -> None:
    town.invoice(town.plan(Channel.EMAIL))
    town.batch.invoice_count += 1
    town.session.commit()
    assert not make_report(town.session).is_balanced


def chance(town: Town, draw: random.Random) -> None:
    """Let every channel answer anything, take anything back, and end the process now and then."""
    outcomes = list(Outcome)

    def script(_consignment: object) -> Result:
        if draw.random() < 0.05:
            raise Killed
        return Result(draw.choice([Outcome.ACCEPTED, *outcomes]))

    for channel in town.channels.messages.values():
        channel.script = script
        channel.is_answer_lost = draw.random() < 0.5
    for files in town.channels.files.values():
        files.script = lambda _one: Result(draw.choice([Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNAVAILABLE]))
        files.dies = {step for step in ("before prepare", "after prepare", "after hand_over") if draw.random() < 0.2}


def one_day(town: Town, draw: random.Random) -> None:
    """A pass that may die, receipts, and a payment or two."""
    try:
        send(town)
    except Killed:
        town.session.rollback()
    for invoice in town.session.scalars(select(Invoice).where(Invoice.closed_at.is_(None))).all():
        if draw.random() < 0.05:
            invoice.closed_at, invoice.closed_reason = town.clock.now(), draw.choice(list(Closure))
    town.session.commit()
    for channel in town.channels.messages.values():
        channel.notes = [
            ReceiptNote(reference, draw.choice(list(ReceiptStatus)))
            for reference in (f"{channel.channel}:{key}" for key in channel.other_side.taken)
            if draw.random() < 0.3
        ]
    town.clock.pass_time(hours=draw.choice([0.1, 3, 30]))
    with town.desk() as desk:
        receipts.collect(desk)
    settle.settle_mail(town.session, town.clock.now())
    plan_pending(town.session, town.settings, town.clock)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_every_history_balances_and_asks_nobody_twice(town: Town, seed: int) -> None:
    draw = random.Random(seed)
    town.channels = FakeChannels.all()
    plans = [town.plan(*ROUTE), town.plan(Channel.EMAIL, claim="02"), town.plan(claim="02"), town.plan(Channel.PAPER)]
    for _ in range(12):
        town.invoice(draw.choice(plans))
    chance(town, draw)
    for _ in range(6):
        one_day(town, draw)
        assert make_report(town.session).is_balanced
    for channel in town.channels.messages.values():
        assert channel.other_side.repeats == []
    check_each(town)


def check_each(town: Town) -> None:
    """Nobody was asked twice by what stands, and what counts as sent was."""
    rows = town.session.execute(
        text(
            "SELECT i.number, count(*) FROM attempt a JOIN delivery d ON d.id = a.delivery_id"
            " JOIN invoice i ON i.id = d.invoice_id WHERE a.outcome = 'accepted' AND a.taken_back_at IS NULL"
            " AND NOT a.is_notice AND NOT a.is_cancellation GROUP BY i.number"
        )
    ).all()
    standing = {row[0]: row[1] for row in rows}
    assert set(standing.values()) <= {1}
    report = make_report(town.session)
    numbers = set(town.session.scalars(select(Invoice.number)))
    assert sorted(numbers - set(report.not_sent) - standing.keys()) == []
    busy = town.session.scalars(select(Delivery).where(Delivery.state == State.SENDING)).all()
    assert len(busy) == len([part for part in busy if part.worker])
    pending = town.session.scalars(select(Pending.invoice_id)).all()
    assert len(pending) == len(set(pending))


@pytest.mark.parametrize("count", [3])
def test_batches_are_counted_apart(town: Town, count: int) -> None:
    for _ in range(count):
        town.batch = town.new_batch()
        town.session.flush()
        town.invoice(town.plan(Channel.EMAIL))
    report = make_report(town.session)
    assert [batch.came for batch in report.batches if batch.came] == [1] * count
    assert report.is_balanced
