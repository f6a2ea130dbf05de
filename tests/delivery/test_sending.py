"""Messages: what each answer of a channel does, and that nothing is lost or sent twice whenever the process ends."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import update

from app.channels.contract import Outcome, Result
from app.delivery import settle
from app.delivery.credits import settle_credits
from app.delivery.models import Part, State
from app.delivery.passes import send_due, tidy
from app.delivery.replans import replan
from app.invoices.models import Closure, Invoice, Pending
from app.residents.models import ContactPoint
from app.routing.channels import Channel, Kind, Reason
from app.routing.facts import InvoiceFacts
from tests.delivery.fakes import Killed, always, in_turn
from tests.delivery.town import ROUTE, Town

REFUSED = Result(Outcome.REFUSED, detail="404")
UNAVAILABLE = Result(Outcome.UNAVAILABLE, detail="429")
UNCERTAIN = Result(Outcome.UNCERTAIN, detail="time-out")
OUR_FAULT = Result(Outcome.UNAVAILABLE, detail="401", needs_alarm=True)


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


@pytest.mark.parametrize(
    ("answer", "outcomes", "state", "channel"),
    [
        (Result(Outcome.ACCEPTED), [("efaktura", "accepted")], State.IN_TRANSIT, Channel.EFAKTURA),
        (REFUSED, [("efaktura", "refused"), ("vipps", "accepted")], State.IN_TRANSIT, Channel.VIPPS),
        (UNAVAILABLE, [("efaktura", "unavailable")], State.WAITING, Channel.EFAKTURA),
        (UNCERTAIN, [("efaktura", "uncertain")], State.WAITING, Channel.EFAKTURA),
        (OUR_FAULT, [("efaktura", "unavailable")], State.WAITING, Channel.EFAKTURA),
        (Result(Outcome.REFUSED, needs_alarm=True), [("efaktura", "unavailable")], State.WAITING, Channel.EFAKTURA),
    ],
)
def test_only_a_refusal_of_this_recipient_leads_on(
    town: Town, answer: Result, outcomes: list[tuple[str, str]], state: State, channel: Channel
) -> None:
    town.channels.messages[Channel.EFAKTURA].script = always(answer)
    invoice = town.invoice()
    send(town)
    part = town.part(invoice)
    assert (town.outcomes(invoice), part.state, part.channel) == (outcomes, state, channel)


def test_a_refusal_by_every_channel_is_held_with_a_reason(town: Town) -> None:
    for channel in town.channels.messages.values():
        channel.script = always(REFUSED)
    town.channels.files[Channel.PAPER].script = always(REFUSED)
    invoice = town.invoice()
    send(town)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.NOTHING_LEFT)
    assert [outcome for _, outcome in town.outcomes(invoice)] == ["refused"] * 5


def test_an_open_ended_plan_that_runs_out_is_planned_anew_without_what_refused(town: Town) -> None:
    town.channels.messages[Channel.VIPPS].script = always(REFUSED)
    invoice = town.invoice(town.plan(Channel.VIPPS, is_open_ended=True))
    send(town)
    pending = town.session.get_one(Pending, invoice.id)
    assert pending.is_replan
    assert InvoiceFacts.from_bits(pending.facts) == InvoiceFacts(refused_vipps=True)
    assert (town.part(invoice).state, town.part(invoice).channel) == (State.WAITING, None)


def test_waits_grow_and_the_same_key_is_used_again(town: Town) -> None:
    waits = (dt.timedelta(minutes=5), dt.timedelta(hours=1))
    town.settings = town.settings.model_copy(update={"retry_waits": waits})
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.script = in_turn(UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, Result(Outcome.ACCEPTED))
    invoice = town.invoice()
    waited = []
    for _ in range(3):
        send(town)
        waited.append(town.part(invoice).next_try_at - town.clock.now())
        town.clock.pass_time(hours=1)
    send(town)
    assert waited == [dt.timedelta(minutes=5), dt.timedelta(hours=1), dt.timedelta(hours=1)]
    assert town.outcomes(invoice) == [("efaktura", "accepted")]
    assert channel.other_side.numbers() == [invoice.number]


def test_the_provider_says_how_long_to_wait_at_least(town: Town) -> None:
    wait = dt.timedelta(days=1)
    answer = Result(Outcome.UNAVAILABLE, retry_after=wait)
    town.channels.messages[Channel.EFAKTURA].script = always(answer)
    invoice = town.invoice()
    send(town)
    assert town.part(invoice).next_try_at - town.clock.now() == wait


@pytest.mark.parametrize(("answer", "ends_at"), [(UNAVAILABLE, "vipps"), (OUR_FAULT, "efaktura")])
def test_past_the_safe_day_what_stays_unavailable_is_passed_over_but_not_for_our_own_fault(
    town: Town, answer: Result, ends_at: str
) -> None:
    town.channels.messages[Channel.EFAKTURA].script = always(answer)
    invoice = town.invoice(due_on=town.clock.today() + dt.timedelta(days=10))
    for _ in range(6):
        send(town)
        town.clock.pass_time(hours=7)
    part = town.part(invoice)
    assert part.channel is not None
    assert part.channel.value == ends_at


def test_what_is_uncertain_is_asked_about_before_anything_else(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.script = in_turn(UNCERTAIN)
    invoice = town.invoice()
    send(town)
    town.clock.pass_time(minutes=5)
    send(town)
    assert channel.found == [invoice.number]
    assert town.outcomes(invoice) == [("efaktura", "accepted")]
    assert channel.other_side.numbers() == [invoice.number]


def test_what_the_provider_never_got_is_sent_again_under_the_same_key(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.is_answer_lost = False
    channel.script = in_turn(UNCERTAIN, Result(Outcome.ACCEPTED))
    invoice = town.invoice()
    send(town)
    key = town.attempts(invoice)[0].key
    town.clock.pass_time(minutes=5)
    send(town)
    assert [(attempt.key, attempt.outcome) for attempt in town.attempts(invoice)] == [(key, Outcome.ACCEPTED)]
    assert list(channel.other_side.taken) == [key]


def test_while_the_provider_cannot_be_asked_the_attempt_stays_open_and_nothing_leads_on(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.script, channel.finds = always(UNCERTAIN), always(UNCERTAIN)
    invoice = town.invoice(due_on=town.clock.today() + dt.timedelta(days=3))
    for _ in range(5):
        send(town)
        town.clock.pass_time(days=1)
    assert town.outcomes(invoice) == [("efaktura", "uncertain")]
    assert town.part(invoice).state is State.WAITING


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit_each", [False, True])
def test_a_process_that_ends_at_the_call_loses_nothing_and_repeats_nothing(
    town: Town, when: str, commit_each: bool
) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    channel.commit_each = commit_each
    invoices = [town.invoice() for _ in range(5)]
    channel.dies = {invoices[2].number: when}
    killed_send(town)
    assert town.outcomes(invoices[2]) == [("efaktura", None)]
    send(town)
    assert channel.other_side.numbers() == sorted(invoice.number for invoice in invoices)
    assert channel.other_side.repeats == []
    assert {town.part(invoice).state for invoice in invoices} == {State.IN_TRANSIT}
    assert town.channels.demands() == channel.other_side.numbers()


def test_a_mail_that_may_have_left_is_marked_when_it_is_sent_again(town: Town) -> None:
    channel = town.channels.messages[Channel.EMAIL]
    channel.commit_each = True
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
    channel.dies = {invoice.number: "before"}
    killed_send(town)
    send(town)
    assert [consignment.is_resend for consignment in channel.other_side.taken.values()] == [True]
    assert town.attempts(invoice)[0].resent


def resent_in_vain(town: Town, **values: Any) -> Invoice:
    """A mail that the server has, though its answer was lost, and that cannot be sent again just now."""
    channel = town.channels.messages[Channel.EMAIL]
    channel.commit_each = True
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER), **values)
    channel.dies = {invoice.number: "after"}
    killed_send(town)
    channel.script = channel.finds = always(Result(Outcome.UNAVAILABLE))
    send(town)
    assert town.outcomes(invoice) == [("email", "unavailable")]
    return invoice


def test_what_may_have_arrived_by_mail_goes_by_no_other_channel_however_late_it_is(town: Town) -> None:
    invoice = resent_in_vain(town, due_on=dt.date(2026, 12, 1))
    for _ in range(5):
        town.clock.pass_time(hours=7)
        send(town)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.SENT_TWICE)
    assert town.channels.demands() == [invoice.number]


def test_what_may_have_arrived_by_mail_is_not_planned_anew_nor_credited_as_unsent(town: Town) -> None:
    invoice = resent_in_vain(town)
    due = dt.datetime(2026, 12, 24, 12, tzinfo=dt.UTC)
    assert settle.replan_what_changed(town.session, town.settings, due) == 0
    credit = town.invoice(town.plan(Channel.PAPER), kind=Kind.CREDIT_NOTE)
    credit.original_number = invoice.number
    replan(town.session, credit, None, due)
    assert settle_credits(town.session, due).settled == 1


def test_a_mail_sent_again_to_an_address_that_is_gone_is_for_a_person(town: Town) -> None:
    invoice = resent_in_vain(town)
    town.session.execute(update(ContactPoint).values(closed_at=town.clock.now()))
    town.session.commit()
    town.clock.pass_time(hours=7)
    send(town)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.SENT_TWICE)
    assert town.channels.demands() == [invoice.number]


@pytest.mark.parametrize("closure", list(Closure))
def test_what_is_no_longer_owed_is_closed_and_does_not_leave(town: Town, closure: Closure) -> None:
    invoice = town.invoice()
    invoice.closed_at, invoice.closed_reason = town.clock.now(), closure
    town.session.commit()
    send(town)
    assert town.part(invoice).state is State.CLOSED
    assert town.channels.demands() == []


def test_an_open_attempt_is_settled_before_a_paid_invoice_is_closed(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    invoice = town.invoice()
    channel.dies = {invoice.number: "after"}
    killed_send(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.PAID
    town.session.commit()
    send(town)
    assert town.outcomes(invoice) == [("efaktura", "accepted")]
    assert town.part(invoice).state is State.IN_TRANSIT


def test_an_address_that_is_gone_by_now_leads_on_without_a_call(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
    from_database = town.session.connection()
    from_database.exec_driver_sql("UPDATE contact_point SET closed_at = registered_at")
    town.session.commit()
    send(town)
    assert town.outcomes(invoice) == [("email", "refused"), ("paper", "accepted")]
    assert town.channels.messages[Channel.EMAIL].other_side.taken == {}


def test_each_channel_sees_only_the_personal_data_it_needs(town: Town) -> None:
    for channel in ROUTE:
        town.invoice(town.plan(channel))
    send(town)

    def seen(channel: Channel) -> set[str]:
        side = town.channels.messages[channel].other_side.taken.values()
        (recipient,) = (consignment.recipient for consignment in side)
        names = ("national_id", "mobile", "email", "efaktura_identifier")
        return {name for name in names if getattr(recipient, name)}

    assert seen(Channel.EFAKTURA) == {"efaktura_identifier"}
    assert seen(Channel.VIPPS) == {"mobile"}
    assert seen(Channel.MAILBOX) == {"national_id"}
    assert seen(Channel.EMAIL) == {"email"}
    ((letter,),) = town.channels.files[Channel.PAPER].outbox.values()
    assert (letter.recipient.national_id, letter.recipient.address.city) == (None, "JØRPELAND")


@pytest.mark.parametrize(
    ("kind", "witness"), [(Kind.DEMAND, "demand"), (Kind.INFORMATION, "demand"), (Kind.CREDIT_NOTE, "notice")]
)
def test_a_credit_note_is_no_demand(town: Town, kind: Kind, witness: str) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL), kind=kind)
    send(town)
    assert town.channels.messages[Channel.EMAIL].other_side.numbers(witness) == [invoice.number]


def test_calls_run_in_parallel_seats_and_never_more(town: Town) -> None:
    for _ in range(30):
        town.invoice()
    send(town)
    assert 1 <= len(town.channels.messages[Channel.EFAKTURA].seats) <= town.settings.seats


def test_a_provider_that_is_down_is_asked_once_a_pass_not_once_an_invoice(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    calls: list[str] = []

    def script(consignment: object) -> Result:
        calls.append(str(consignment))
        return UNAVAILABLE

    channel.script = script
    for _ in range(120):
        town.invoice()
    send(town)
    assert len(calls) == 50


def test_a_channel_that_raises_leaves_the_attempt_uncertain(town: Town) -> None:
    def script(_consignment: object) -> Result:
        raise ValueError("not in the contract")

    town.channels.messages[Channel.EFAKTURA].script = script
    invoice = town.invoice()
    send(town)
    assert town.outcomes(invoice) == [("efaktura", "uncertain")]
    assert town.attempts(invoice)[0].detail == "ValueError"


def test_a_worker_told_to_stop_finishes_the_mail_at_hand_and_gives_the_rest_back(town: Town) -> None:
    channel = town.channels.messages[Channel.EMAIL]
    channel.commit_each = True
    invoices = [town.invoice(town.plan(Channel.EMAIL)) for _ in range(6)]
    with town.desk() as desk:

        def script(_consignment: object) -> Result:
            desk.worker.stop.set()
            return Result(Outcome.ACCEPTED)

        channel.script = script
        send_due(desk)
    states = [town.part(invoice).state for invoice in invoices]
    assert states == [State.IN_TRANSIT] + [State.WAITING] * 5
    assert all(attempt.outcome is Outcome.ACCEPTED for attempt in town.attempts(invoices[0]))


def test_a_notice_waits_for_the_claim_it_speaks_of(town: Town) -> None:
    town.channels.files[Channel.AVTALEGIRO].script = in_turn(UNAVAILABLE, Result(Outcome.ACCEPTED))
    invoice = town.invoice(town.plan(Channel.EMAIL, claim="02"))
    send(town)
    assert town.outcomes(invoice) == []
    town.clock.pass_time(minutes=5)
    send(town)
    assert town.part(invoice, Part.CLAIM).state is State.DELIVERED
    (notice,) = town.channels.messages[Channel.EMAIL].other_side.taken.values()
    assert (notice.witness_kind, notice.kid, notice.account) == ("notice", None, None)


def test_an_efaktura_beside_a_claim_is_marked_as_avtalegiro_and_keeps_its_kid(town: Town) -> None:
    town.invoice(town.plan(Channel.EFAKTURA, claim="02"))
    send(town)
    (notice,) = town.channels.messages[Channel.EFAKTURA].other_side.taken.values()
    assert (notice.witness_kind, notice.pays_by_avtalegiro, notice.kid) == ("notice", True, "12345678903")


def test_an_attempt_keeps_its_id_over_a_crash(town: Town) -> None:
    channel = town.channels.messages[Channel.EFAKTURA]
    invoice = town.invoice()
    channel.dies = {invoice.number: "before"}
    killed_send(town)
    (key,) = (attempt.key for attempt in town.attempts(invoice))
    send(town)
    assert list(channel.other_side.taken) == [key]
