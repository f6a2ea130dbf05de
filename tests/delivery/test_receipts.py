"""Receipts: accepted is not delivered, and delivered can be taken back."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.channels.contract import ReceiptNote, ReceiptStatus
from app.delivery import receipts, settle
from app.delivery.models import Part, Receipt, State
from app.delivery.passes import send_due, tidy
from app.delivery.planning import plan_pending
from app.invoices.models import Closure, Invoice
from app.residents.models import ClosedReason, ContactKind, ContactPoint, StaleResident
from app.routing.channels import Channel, Reason
from tests.delivery.fakes import FakeMessages
from tests.delivery.town import Town

S = ReceiptStatus


def send(town: Town) -> None:
    """One pass, as the job does it."""
    with town.desk() as desk:
        tidy(desk)
        send_due(desk)


def collect(town: Town) -> int:
    """Ask and handle, a moment later."""
    town.clock.pass_time(seconds=1)
    with town.desk() as desk:
        return receipts.collect(desk)


def sent(town: Town, *route: Channel) -> tuple[Invoice, FakeMessages, str]:
    """An invoice that the first channel of *route* took, with the channel and the reference it gave."""
    invoice = town.invoice(town.plan(*route))
    send(town)
    reference = town.attempts(invoice)[0].provider_reference
    assert reference
    return invoice, town.channels.messages[route[0]], reference


def tell(channel: FakeMessages, reference: str, *statuses: ReceiptStatus) -> None:
    """Let the provider say this from now on."""
    channel.notes += [ReceiptNote(reference, status, "code") for status in statuses]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([], State.IN_TRANSIT),
        ([S.IN_TRANSIT], State.IN_TRANSIT),
        ([S.DELIVERED], State.DELIVERED),
        ([S.DELIVERED, S.IN_TRANSIT], State.DELIVERED),
        ([S.READ], State.DELIVERED),
        ([S.SETTLED_BY_HAND], State.DELIVERED),
        ([S.FAILED], State.WAITING),
        ([S.DELIVERED, S.FAILED], State.WAITING),
        ([S.FAILED, S.DELIVERED], State.WAITING),
        ([S.FAILED, S.READ], State.DELIVERED),
    ],
)
def test_receipts_are_ordered_by_meaning_not_by_arrival(town: Town, said: list[ReceiptStatus], state: State) -> None:
    invoice, channel, reference = sent(town, Channel.MAILBOX, Channel.PAPER)
    tell(channel, reference, *said)
    collect(town)
    assert town.part(invoice).state is state


def test_a_late_refusal_after_delivery_goes_on_at_the_next_channel(town: Town) -> None:
    invoice, channel, reference = sent(town, Channel.MAILBOX, Channel.PAPER)
    tell(channel, reference, S.DELIVERED)
    collect(town)
    town.clock.pass_time(days=12)
    tell(channel, reference, S.FAILED)
    collect(town)
    assert town.attempts(invoice)[0].taken_back_at is not None
    send(town)
    assert town.outcomes(invoice) == [("mailbox", "accepted"), ("paper", "accepted")]
    assert town.channels.files[Channel.PAPER].numbers() == [invoice.number]


def test_what_expired_is_sent_anew_by_the_same_channel_under_a_new_id_and_not_for_ever(town: Town) -> None:
    invoice, channel, reference = sent(town, Channel.MAILBOX, Channel.PAPER)
    for _ in range(3):
        tell(channel, reference, S.EXPIRED)
        collect(town)
        send(town)
        reference = town.attempts(invoice)[-1].provider_reference or ""
    assert town.outcomes(invoice) == [("mailbox", "accepted"), ("mailbox", "accepted"), ("paper", "accepted")]
    assert len({attempt.key for attempt in town.attempts(invoice)}) == 3


def test_the_same_word_twice_is_kept_and_handled_once(town: Town) -> None:
    _, channel, reference = sent(town, Channel.MAILBOX, Channel.PAPER)
    tell(channel, reference, S.IN_TRANSIT, S.IN_TRANSIT)
    assert collect(town) == 1
    town.clock.pass_time(hours=1)
    assert collect(town) == 0
    assert len(town.session.scalars(select(Receipt)).all()) == 1


def test_a_word_about_something_unknown_is_kept_until_it_is_known(town: Town) -> None:
    now = town.clock.now()
    town.session.add(Receipt(channel=Channel.MAILBOX, provider_reference="x", status="failed", received_at=now))
    town.session.commit()
    assert collect(town) == 0
    (receipt,) = town.session.scalars(select(Receipt)).all()
    assert receipt.handled_at is None


def test_who_has_arrived_is_asked_about_once_a_day_for_thirty_days(town: Town) -> None:
    _, channel, reference = sent(town, Channel.MAILBOX, Channel.PAPER)
    tell(channel, reference, S.DELIVERED)
    collect(town)
    asked = len(channel.asked)
    for _ in range(40 * 4):
        town.clock.pass_time(hours=6)
        collect(town)
    assert 25 <= len(channel.asked) - asked <= 32


def test_mail_counts_as_delivered_when_nothing_came_back_in_time(town: Town) -> None:
    town.settings = town.settings.model_copy(update={"email_settle_days": 2})
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
    send(town)
    town.clock.pass_time(days=1)
    assert settle.settle_mail(town.session, town.clock.now()) == 0
    town.clock.pass_time(days=1)
    assert settle.settle_mail(town.session, town.clock.now()) == 1
    assert town.part(invoice).state is State.DELIVERED


def test_a_bounce_closes_the_address_and_goes_on_at_the_next_channel(town: Town) -> None:
    invoice, channel, reference = sent(town, Channel.EMAIL, Channel.PAPER)
    tell(channel, reference, S.FAILED)
    collect(town)
    point = town.session.scalars(
        select(ContactPoint).where(
            ContactPoint.resident_id == invoice.resident_id, ContactPoint.kind == ContactKind.EMAIL
        )
    ).one()
    assert point.closed_reason is ClosedReason.BOUNCED
    assert town.session.scalars(select(StaleResident.resident_id)).all() == [invoice.resident_id]
    assert town.part(invoice).channel is Channel.PAPER


def test_an_address_that_came_after_the_mail_is_not_closed_by_its_bounce(town: Town) -> None:
    invoice, channel, reference = sent(town, Channel.EMAIL, Channel.PAPER)
    point = town.session.scalars(select(ContactPoint).where(ContactPoint.kind == ContactKind.EMAIL)).one()
    point.registered_at = town.clock.now() + dt.timedelta(hours=1)
    town.session.commit()
    tell(channel, reference, S.FAILED)
    collect(town)
    town.session.refresh(point)
    assert point.closed_at is None
    assert town.part(invoice).channel is Channel.PAPER


def test_a_late_refusal_of_what_is_paid_by_now_closes_it(town: Town) -> None:
    invoice, channel, reference = sent(town, Channel.MAILBOX, Channel.PAPER)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.PAID
    town.session.commit()
    tell(channel, reference, S.FAILED)
    collect(town)
    assert town.part(invoice).state is State.CLOSED


def test_a_claim_the_bank_takes_back_makes_a_delivered_notice_a_demand(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL, claim="02"))
    send(town)
    claim = town.attempts(invoice, Part.CLAIM)[0]
    town.session.add(
        Receipt(
            channel=Channel.AVTALEGIRO, provider_reference=claim.provider_reference, status="failed",
            received_at=town.clock.now(),
        )
    )  # fmt: skip
    town.session.commit()
    collect(town)
    assert town.part(invoice, Part.CLAIM).hold is Reason.CLAIM_LOST
    with town.desk() as desk:
        tidy(desk)
    plan_pending(town.session, town.settings, town.clock)
    send(town)
    sent_kinds = [attempt.is_notice for attempt in town.attempts(invoice)]
    assert sent_kinds == [True, False]
    assert town.part(invoice).state in (State.IN_TRANSIT, State.DELIVERED)
