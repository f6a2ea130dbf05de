"""Where the mailbox prints by itself, paper of ours comes only after what it never took."""

from __future__ import annotations

import datetime as dt

import pytest

from app.channels.contract import Outcome, ReceiptNote, ReceiptStatus, Result
from app.delivery.models import State
from app.delivery.passes import send_due
from app.delivery.receipts import collect
from app.invoices.models import Invoice, Pending
from app.routing.channels import Channel, Reason
from app.routing.facts import InvoiceFacts
from tests.delivery.fakes import always, in_turn
from tests.delivery.town import Town


def sent(town: Town) -> None:
    with town.desk() as desk:
        send_due(desk)


@pytest.fixture
def invoice(town: Town) -> Invoice:
    plan = town.plan(Channel.MAILBOX, is_open_ended=True)
    plan.passed_over = {Channel.PAPER.value: Reason.MAILBOX_PRINTS.value}
    return town.invoice(plan, due_on=town.clock.today() + dt.timedelta(days=40))


def replanned(town: Town, invoice: Invoice) -> InvoiceFacts | None:
    town.session.rollback()
    pending = town.session.get(Pending, invoice.id, populate_existing=True)
    return InvoiceFacts.from_bits(pending.facts) if pending else None


def test_what_it_took_is_never_followed_by_a_letter(town: Town, invoice: Invoice) -> None:
    sent(town)
    assert (town.part(invoice).state, replanned(town, invoice)) == (State.IN_TRANSIT, None)
    reference = town.attempts(invoice)[0].provider_reference or ""
    town.channels.messages[Channel.MAILBOX].notes = [ReceiptNote(reference, ReceiptStatus.DELIVERED, "PRINTET")]
    town.clock.pass_time(minutes=5)
    with town.desk() as desk:
        collect(desk)
    assert (town.part(invoice).state, replanned(town, invoice)) == (State.DELIVERED, None)
    assert town.channels.files[Channel.PAPER].numbers() == []


@pytest.mark.parametrize("is_late", [False, True])
def test_a_refusal_is_planned_anew_with_the_mailbox_closed(town: Town, invoice: Invoice, is_late: bool) -> None:
    mailbox = town.channels.messages[Channel.MAILBOX]
    if not is_late:
        mailbox.script = always(Result(Outcome.REFUSED, detail="incomplete_address"))
    sent(town)
    if is_late:
        reference = town.attempts(invoice)[0].provider_reference or ""
        mailbox.notes = [ReceiptNote(reference, ReceiptStatus.FAILED, "AVVIST address")]
        town.clock.pass_time(minutes=5)
        with town.desk() as desk:
            collect(desk)
    assert replanned(town, invoice) == InvoiceFacts(refused_mailbox=True)


def test_uncertain_is_asked_about_however_late_it_is(town: Town, invoice: Invoice) -> None:
    invoice.due_on = town.clock.today() + dt.timedelta(days=3)
    mailbox = town.channels.messages[Channel.MAILBOX]
    mailbox.script = always(Result(Outcome.UNCERTAIN))
    mailbox.finds = always(Result(Outcome.UNCERTAIN))
    town.session.commit()
    for _ in range(5):
        sent(town)
        town.clock.pass_time(days=1)
    assert (town.part(invoice).state, replanned(town, invoice)) == (State.WAITING, None)
    assert len(mailbox.other_side.taken) == 1


def test_past_the_safe_day_what_it_surely_never_took_may_be_printed_by_us(town: Town, invoice: Invoice) -> None:
    invoice.due_on = town.clock.today() + dt.timedelta(days=3)
    town.session.commit()
    town.channels.messages[Channel.MAILBOX].script = always(Result(Outcome.UNAVAILABLE))
    for _ in range(4):
        sent(town)
        town.clock.pass_time(hours=7)
    assert replanned(town, invoice) == InvoiceFacts(refused_mailbox=True)


def test_before_the_safe_day_an_outage_waits(town: Town, invoice: Invoice) -> None:
    town.channels.messages[Channel.MAILBOX].script = in_turn(
        *[Result(Outcome.UNAVAILABLE)] * 5, Result(Outcome.ACCEPTED)
    )
    for _ in range(6):
        sent(town)
        town.clock.pass_time(hours=7)
    assert (town.part(invoice).state, replanned(town, invoice)) == (State.IN_TRANSIT, None)
    assert town.outcomes(invoice) == [("mailbox", "accepted")]
