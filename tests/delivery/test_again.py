"""An invoice is sent by another channel when a person says so, and never is there a second demand in force."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from sqlalchemy import select

from app.channels.contract import Outcome, ReceiptNote, ReceiptStatus, Result
from app.core.audit import AuditEvent, AuditRecord
from app.core.errors import NotPossible
from app.delivery.again import Again, standing_of
from app.delivery.models import Attempt, Delivery, Part, State
from app.delivery.passes import send_due, tidy
from app.delivery.planning import plan_pending
from app.delivery.receipts import collect
from app.invoices.models import Closure, Invoice
from app.residents.models import ClosedReason, ContactKind, ContactPoint
from app.routing.channels import Channel, Reason
from tests.delivery.fakes import always
from tests.delivery.town import Town

STATES = (State.WAITING, State.HELD, State.IN_TRANSIT, State.DELIVERED, State.CLOSED)


def again(town: Town) -> Again:
    """A case worker."""
    return Again(town.session, town.clock.now(), "staff:1", "asked by telephone", town.settings, town.clock)


def send(town: Town) -> None:
    """Send what is due, as the job does it."""
    with town.desk() as desk:
        tidy(desk)
        send_due(desk, has_brakes=False)


def answer(town: Town, channel: Channel, outcome: Outcome) -> None:
    """Let *channel* give this answer from now on."""
    town.channels.messages[channel].script = always(Result(outcome))


def in_force(town: Town, invoice: Invoice) -> int:
    """How many demands stand: taken, and not taken back."""
    town.session.rollback()
    query = (
        select(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(
            Delivery.invoice_id == invoice.id,
            Delivery.part == Part.DOCUMENT,
            Attempt.outcome == Outcome.ACCEPTED,
            Attempt.taken_back_at.is_(None),
            ~Attempt.is_notice,
        )
    )
    return len(town.session.scalars(query).all())


def test_what_waits_goes_by_the_channel_a_person_chose_and_by_no_other(town: Town) -> None:
    invoice = town.invoice()
    again(town).send_by(invoice.number, Channel.EMAIL)
    send(town)
    assert town.outcomes(invoice) == [("email", "accepted")]
    assert town.channels.demands() == [invoice.number]


def test_what_comes_after_the_chosen_channel_is_the_rest_of_the_plan(town: Town) -> None:
    invoice = town.invoice()
    answer(town, Channel.EMAIL, Outcome.REFUSED)
    again(town).send_by(invoice.number, Channel.EMAIL)
    send(town)
    assert town.outcomes(invoice) == [("email", "refused"), ("paper", "accepted")]


def test_only_channels_that_the_plan_allows_are_offered(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.MAILBOX, Channel.PAPER))
    assert standing_of(town.session, invoice).ways == (Channel.PAPER,)
    with pytest.raises(NotPossible, match="cannot be sent by email"):
        again(town).send_by(invoice.number, Channel.EMAIL)


def test_a_channel_that_refused_is_not_offered_again(town: Town) -> None:
    invoice = town.invoice()
    for channel in (Channel.EFAKTURA, Channel.VIPPS):
        answer(town, channel, Outcome.REFUSED)
    answer(town, Channel.MAILBOX, Outcome.UNAVAILABLE)
    send(town)
    assert town.part(invoice).channel is Channel.MAILBOX
    assert standing_of(town.session, invoice).ways == (Channel.EMAIL, Channel.PAPER)


@pytest.mark.parametrize("channel", [Channel.EFAKTURA, Channel.VIPPS, Channel.MAILBOX, Channel.EMAIL, Channel.PAPER])
def test_what_has_left_is_not_sent_again_by_any_channel(town: Town, channel: Channel) -> None:
    invoice = town.invoice(town.plan(channel, *(other for other in Channel if other not in (channel, "avtalegiro"))))
    send(town)
    assert standing_of(town.session, invoice).ways == ()
    for other in Channel:
        with pytest.raises(NotPossible):
            again(town).send_by(invoice.number, other)
    send(town)
    assert in_force(town, invoice) == 1


def test_what_may_have_arrived_is_asked_about_before_anything_else(town: Town) -> None:
    invoice = town.invoice()
    town.channels.messages[Channel.EFAKTURA].script = always(Result(Outcome.UNCERTAIN))
    town.channels.messages[Channel.EFAKTURA].finds = always(Result(Outcome.UNCERTAIN))
    send(town)
    assert town.part(invoice).state is State.WAITING
    assert standing_of(town.session, invoice).ways == ()
    with pytest.raises(NotPossible):
        again(town).send_by(invoice.number, Channel.PAPER)


@pytest.mark.parametrize("channel", [Channel.PAPER, Channel.EMAIL])
def test_what_came_back_is_taken_back_and_goes_on(town: Town, channel: Channel) -> None:
    rest = Channel.PAPER if channel is Channel.EMAIL else Channel.EMAIL
    invoice = town.invoice(town.plan(channel, rest))
    send(town)
    assert standing_of(town.session, invoice).returnable is channel
    again(town).came_back(invoice.number)
    send(town)
    assert town.outcomes(invoice) == [(channel.value, "accepted"), (rest.value, "accepted")]
    assert town.attempts(invoice)[0].taken_back_at is not None
    assert in_force(town, invoice) == 1


def test_a_letter_that_came_back_with_nothing_left_is_held_for_a_person(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.PAPER))
    send(town)
    again(town).came_back(invoice.number)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.NOTHING_LEFT)
    assert standing_of(town.session, invoice).ways == ()


def test_after_a_letter_came_back_a_channel_before_it_can_be_chosen(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.MAILBOX, Channel.PAPER))
    again(town).send_by(invoice.number, Channel.PAPER)
    send(town)
    again(town).came_back(invoice.number)
    assert standing_of(town.session, invoice).ways == (Channel.MAILBOX,)
    again(town).send_by(invoice.number, Channel.MAILBOX)
    send(town)
    assert town.part(invoice).channel is Channel.MAILBOX
    assert in_force(town, invoice) == 1


def test_a_mail_that_came_back_closes_its_address(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
    send(town)
    again(town).came_back(invoice.number)
    query = select(ContactPoint).where(
        ContactPoint.resident_id == invoice.resident_id, ContactPoint.kind == ContactKind.EMAIL
    )
    assert town.session.scalars(query).one().closed_reason is ClosedReason.BOUNCED


@pytest.mark.parametrize("channel", [Channel.EFAKTURA, Channel.VIPPS, Channel.MAILBOX])
def test_a_person_cannot_take_back_what_the_provider_alone_can_know(town: Town, channel: Channel) -> None:
    invoice = town.invoice(town.plan(channel, Channel.PAPER))
    send(town)
    assert standing_of(town.session, invoice).returnable is None
    with pytest.raises(NotPossible, match="by letter or e-mail"):
        again(town).came_back(invoice.number)
    send(town)
    assert in_force(town, invoice) == 1


def test_a_second_report_of_the_same_letter_changes_nothing(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
    send(town)
    again(town).came_back(invoice.number)
    with pytest.raises(NotPossible):
        again(town).came_back(invoice.number)
    send(town)
    reference = town.attempts(invoice)[0].provider_reference or ""
    town.channels.messages[Channel.EMAIL].notes = [ReceiptNote(reference, ReceiptStatus.FAILED)]
    with town.desk() as desk:
        collect(desk)
    send(town)
    assert [channel for channel, _ in town.outcomes(invoice)] == ["email", "paper"]


def test_beside_a_claim_only_the_notice_changes_its_way(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EFAKTURA, Channel.EMAIL, Channel.PAPER, claim="02"))
    again(town).send_by(invoice.number, Channel.PAPER)
    send(town)
    assert town.part(invoice).is_notice
    assert in_force(town, invoice) == 0
    assert town.part(invoice, Part.CLAIM).state in (State.IN_TRANSIT, State.DELIVERED)
    again(town).came_back(invoice.number)
    send(town)
    assert in_force(town, invoice) == 0


def test_a_notice_whose_claim_was_called_back_is_for_planning_and_does_not_wait_for_ever(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER, claim="02"))
    answer(town, Channel.EMAIL, Outcome.UNAVAILABLE)
    send(town)
    document = town.part(invoice)
    document.state, document.hold = State.HELD, Reason.PARTLY_CREDITED
    town.session.commit()
    send(town)
    assert town.part(invoice, Part.CLAIM).state is State.CLOSED
    assert standing_of(town.session, invoice).ways == ()
    with pytest.raises(NotPossible):
        again(town).send_by(invoice.number, Channel.PAPER)


@pytest.mark.parametrize("closure", list(Closure))
def test_what_is_owed_no_more_is_not_sent_again(town: Town, closure: Closure) -> None:
    invoice = town.invoice()
    invoice.closed_at, invoice.closed_reason = town.clock.now(), closure
    town.session.commit()
    assert standing_of(town.session, invoice).ways == ()
    with pytest.raises(NotPossible, match="nothing is owed"):
        again(town).send_by(invoice.number, Channel.PAPER)
    with pytest.raises(NotPossible, match="nothing is owed"):
        again(town).came_back(invoice.number)


def test_a_gate_is_not_walked_around(town: Town) -> None:
    invoice = town.invoice(town.plan(hold=Reason.DECEASED))
    assert standing_of(town.session, invoice).ways == ()
    with pytest.raises(NotPossible):
        again(town).send_by(invoice.number, Channel.PAPER)


def test_whatever_has_happened_there_is_never_a_second_demand(town: Town) -> None:
    """Every state a document can be in, with every fate of its latest attempt: all that a person can press, pressed."""
    fates = itertools.product(STATES, (Channel.EMAIL, Channel.PAPER, Channel.VIPPS), (None, *Outcome))
    # What stands never waits: whatever takes it back says so.
    possible = [fate for fate in fates if fate[0] is not State.WAITING or fate[2] is not Outcome.ACCEPTED]
    invoices = [_in_the_middle(town, *fate) for fate in possible]
    pressed = 0
    for invoice in invoices:
        for other in Channel:
            with contextlib.suppress(NotPossible):
                again(town).send_by(invoice.number, other)
                pressed += 1
    send(town)
    assert pressed > len(possible) / 4
    for fate, invoice in zip(possible, invoices, strict=True):
        unknown = sum(attempt.outcome in (None, Outcome.UNCERTAIN) for attempt in town.attempts(invoice))
        assert in_force(town, invoice) + unknown <= 1, fate


def _in_the_middle(town: Town, state: State, channel: Channel, outcome: Outcome | None) -> Invoice:
    """An invoice whose document is in *state*, after one attempt by *channel* that came to *outcome*."""
    invoice = town.invoice(town.plan(Channel.MAILBOX, Channel.VIPPS, Channel.EMAIL, Channel.PAPER))
    part, now = town.part(invoice), town.clock.now()
    part.state, part.channel = state, channel
    part.hold = Reason.HELD_BY_STAFF if state is State.HELD else None
    town.session.add(
        Attempt(delivery_id=part.id, channel=channel, key=f"k-{invoice.id}", number=1, is_notice=False, opened_at=now,
                closed_at=now, outcome=outcome, provider_reference=f"r-{invoice.id}")
    )  # fmt: skip
    town.session.commit()
    return invoice


def test_what_a_person_did_is_in_the_record(town: Town) -> None:
    invoice = town.invoice()
    again(town).send_by(invoice.number, Channel.PAPER)
    record = town.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).one()
    assert (record.event, record.actor, record.reason) == (
        AuditEvent.INVOICE_SENT_AGAIN, "staff:1", "asked by telephone",
    )  # fmt: skip
    assert record.subject == f"invoice:{invoice.public_id}"


def test_the_choice_stands_when_planning_runs_again(town: Town) -> None:
    invoice = town.invoice()
    again(town).send_by(invoice.number, Channel.PAPER)
    plan_pending(town.session, town.settings, town.clock)
    send(town)
    assert town.outcomes(invoice) == [("paper", "accepted")]
