"""A person holds, releases and cancels, and the record says who and why."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome, Result
from app.core.audit import AuditEvent, AuditRecord
from app.core.errors import NotFound, NotPossible
from app.delivery.actions import Act
from app.delivery.models import Delivery, Part, State
from app.delivery.passes import send_due, tidy
from app.delivery.planning import plan_pending
from app.invoices.models import Closure, Invoice, Pending
from app.routing.channels import Channel, Reason
from app.routing.facts import InvoiceFacts
from tests.delivery.fakes import always
from tests.delivery.town import Town


def act(town: Town) -> Act:
    """A case worker."""
    return Act(town.session, town.clock.now(), "staff:1", "because")


def send(town: Town) -> None:
    """Plan and send, as the job does it."""
    with town.desk() as desk:
        tidy(desk)
        plan_pending(town.session, town.settings, town.clock)
        send_due(desk, has_brakes=False)


def answer_all(town: Town, outcome: Outcome) -> None:
    """Let every channel give the same answer from now on."""
    for messages in town.channels.messages.values():
        messages.script = always(Result(outcome))
    for files in town.channels.files.values():
        files.script = always(Result(outcome))


def unplanned(town: Town) -> Invoice:
    """An invoice in planning's outbox."""
    invoice = town.invoice()
    town.session.execute(delete(Delivery).where(Delivery.invoice_id == invoice.id))
    facts = InvoiceFacts().as_bits()
    town.session.add(
        Pending(invoice_id=invoice.id, resident_id=invoice.resident_id or 0, facts=facts, due_on=invoice.due_on)
    )
    town.session.commit()
    return invoice


def test_what_is_held_does_not_leave_until_it_is_released(town: Town) -> None:
    invoice = town.invoice()
    act(town).hold(invoice.number)
    send(town)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.HELD_BY_STAFF)
    act(town).release(invoice.number)
    send(town)
    assert town.channels.demands() == [invoice.number]


def test_an_unplanned_invoice_can_be_held_and_released(town: Town) -> None:
    invoice = unplanned(town)
    act(town).hold(invoice.number)
    plan_pending(town.session, town.settings, town.clock)
    assert town.part(invoice).hold is Reason.HELD_BY_STAFF
    act(town).release(invoice.number)
    send(town)
    assert town.channels.demands() == [invoice.number]


def test_an_unplanned_invoice_is_released_before_it_was_ever_planned(town: Town) -> None:
    invoice = unplanned(town)
    with pytest.raises(NotPossible, match="is not held"):
        act(town).release(invoice.number)
    act(town).hold(invoice.number)
    act(town).release(invoice.number)
    send(town)
    assert town.channels.demands() == [invoice.number]


@pytest.mark.parametrize(
    ("hold", "is_waived"),
    [(Reason.WRONG_KID, True), (Reason.DECEASED, True), (Reason.NOTHING_LEFT, False), (Reason.HELD_BY_STAFF, False)],
)
def test_a_release_waives_the_gate_that_held_it_and_no_other(town: Town, hold: Reason, is_waived: bool) -> None:
    invoice = town.invoice(town.plan(hold=hold))
    act(town).release(invoice.number)
    pending = town.session.get_one(Pending, invoice.id, populate_existing=True)
    assert InvoiceFacts.from_bits(pending.facts).is_released is is_waived


def test_a_release_lets_every_channel_be_tried_again(town: Town) -> None:
    answer_all(town, Outcome.REFUSED)
    invoice = town.invoice()
    send(town)
    assert town.part(invoice).hold is Reason.NOTHING_LEFT
    answer_all(town, Outcome.ACCEPTED)
    act(town).release(invoice.number)
    send(town)
    assert town.channels.demands() == [invoice.number]


def held_uncertain(town: Town) -> Invoice:
    """An invoice that Vipps may have, and a person holds."""
    invoice = town.invoice(town.plan(Channel.VIPPS, Channel.PAPER))
    vipps = town.channels.messages[Channel.VIPPS]
    vipps.script = vipps.finds = always(Result(Outcome.UNCERTAIN))
    send(town)
    act(town).hold(invoice.number)
    return invoice


def test_what_may_have_arrived_is_asked_about_when_it_is_released_and_gets_no_claim_beside(town: Town) -> None:
    invoice = held_uncertain(town)
    # The town's mandate came after the plan: planned anew, the invoice would get a claim.
    act(town).release(invoice.number)
    town.channels.messages[Channel.VIPPS].finds = None
    send(town)
    assert town.channels.demands() == [invoice.number]
    assert (town.part(invoice).state, town.part(invoice).channel) == (State.IN_TRANSIT, Channel.VIPPS)


@pytest.mark.parametrize(("has_arrived", "state"), [(True, State.IN_TRANSIT), (False, State.CLOSED)])
@pytest.mark.parametrize("how", ["paid", "cancelled", "released and paid"])
def test_what_is_held_and_owed_no_more_is_asked_about_and_does_not_stay_held(
    town: Town, how: str, has_arrived: bool, state: State
) -> None:
    invoice = held_uncertain(town)
    if how.startswith("released"):
        act(town).release(invoice.number)
    if how == "cancelled":
        act(town).cancel(invoice.number)
    else:
        invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.PAID
        town.session.commit()
    answer = Result(Outcome.ACCEPTED, "there") if has_arrived else Result(Outcome.UNAVAILABLE)
    town.channels.messages[Channel.VIPPS].finds = always(answer)
    send(town)
    assert town.part(invoice).state is state


class LooksFirst(Act):
    """A case worker who looks just before the planning, and acts just after it."""

    def _read(self, number: str, source: str | None) -> tuple[Invoice, list[Delivery]]:
        found = super()._read(number, source)
        self.session.commit()
        with Session(self.session.get_bind()) as other:
            other.execute(delete(Pending))
            other.commit()
        return found


def test_a_hold_that_planning_overtakes_is_refused_rather_than_lost(town: Town) -> None:
    invoice = unplanned(town)
    with pytest.raises(NotPossible, match="planned just now"):
        LooksFirst(town.session, town.clock.now(), "staff:1", "because").hold(invoice.number)
    assert not town.session.scalars(select(AuditRecord).filter_by(event=AuditEvent.INVOICE_HELD)).all()


def test_what_has_left_cannot_be_held_or_cancelled(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.PAPER))
    send(town)
    with pytest.raises(NotPossible, match="already left"):
        act(town).hold(invoice.number)
    with pytest.raises(NotPossible, match="credit it"):
        act(town).cancel(invoice.number)


def test_a_cancelled_invoice_never_leaves(town: Town) -> None:
    planned, pending = town.invoice(), unplanned(town)
    for invoice in (planned, pending):
        act(town).cancel(invoice.number)
        assert invoice.closed_reason is Closure.CANCELLED
    send(town)
    assert town.channels.demands() == []
    assert [town.part(invoice).state for invoice in (planned, pending)] == [State.CLOSED] * 2
    with pytest.raises(NotPossible, match="closed already"):
        act(town).cancel(planned.number)


def test_cancelling_calls_a_claim_back_from_the_bank(town: Town) -> None:
    invoice = town.invoice(town.plan(claim="02"))
    send(town)
    act(town).cancel(invoice.number)
    send(town)
    assert town.channels.files[Channel.AVTALEGIRO].numbers(cancelled=True) == [invoice.number]
    assert town.part(invoice, Part.CLAIM).state is State.CLOSED


def test_what_is_being_sent_just_now_is_left_alone(town: Town) -> None:
    invoice = town.invoice()
    part = town.part(invoice)
    part.state, part.worker, part.claimed_at = State.SENDING, "w", town.clock.now()
    town.session.commit()
    for what in ("hold", "release", "cancel"):
        with pytest.raises(NotPossible, match="just now"):
            getattr(act(town), what)(invoice.number)


def test_a_buyer_the_register_has_brought_since_is_found_at_the_release(town: Town) -> None:
    invoice = town.invoice(town.plan(hold=Reason.UNKNOWN_BUYER))
    resident = town.resident()
    invoice.resident_id, invoice.buyer_reference = None, resident.customer_number
    town.session.commit()
    act(town).release(invoice.number)
    assert invoice.resident_id == resident.id
    pending = town.session.get_one(Pending, invoice.id, populate_existing=True)
    assert pending.resident_id == resident.id


@pytest.mark.parametrize(("count", "is_found"), [(1, True), (2, False)])
def test_a_buyer_known_by_its_organisation_number_alone_is_found_at_the_release_unless_there_are_two(
    town: Town, count: int, is_found: bool
) -> None:
    invoice = town.invoice(town.plan(hold=Reason.UNKNOWN_BUYER))
    for resident in [town.resident() for _ in range(count)]:
        resident.organisation_number = "974760673"
    invoice.resident_id, invoice.buyer_organisation = None, "974760673"
    town.session.commit()
    act(town).release(invoice.number)
    assert (invoice.resident_id is not None) is is_found
    facts = InvoiceFacts.from_bits(town.session.get_one(Pending, invoice.id, populate_existing=True).facts)
    assert facts.has_buyer or not is_found


def test_everything_a_person_does_is_in_the_record(town: Town) -> None:
    invoice = town.invoice()
    act(town).hold(invoice.number)
    act(town).release(invoice.number)
    act(town).cancel(invoice.number)
    records = town.session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    assert [record.event for record in records] == [
        AuditEvent.INVOICE_HELD,
        AuditEvent.INVOICE_RELEASED,
        AuditEvent.INVOICE_CANCELLED,
    ]
    assert {(record.actor, record.reason) for record in records} == {("staff:1", "because")}
    assert {record.subject for record in records} == {f"invoice:{invoice.public_id}"}


def test_an_unknown_number_is_said_to_be_unknown(town: Town) -> None:
    with pytest.raises(NotFound, match="no invoice X"):
        act(town).hold("X")
