"""Credit notes meet their invoices before either is planned."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery import credits, work
from app.delivery.credits import claims_to_recall
from app.delivery.models import Attempt, Delivery, Part, State
from app.delivery.planning import PlanningReport, plan_pending
from app.delivery.replans import replan
from app.delivery.workers import working
from app.invoices.models import Closure, Invoice
from app.routing.channels import Channel, Kind, Reason
from app.routing.facts import InvoiceFacts
from tests.conftest import several_writers
from tests.delivery.planning_support import NOW, PlanningTown

KID = "1234567897"


@pytest.fixture
def town(session: Session, settings: Settings, clock: Clock) -> PlanningTown:
    return PlanningTown(session, settings, clock)


def plan(town: PlanningTown) -> PlanningReport:
    return plan_pending(town.session, town.settings, town.clock)


def credit(town: PlanningTown, original: Invoice, amount_ore: int, **values: Any) -> Invoice:
    chosen = {"kind": Kind.CREDIT_NOTE, "kid": "", "original_number": original.number, **values}
    resident = town.resident()
    return town.invoice(resident, amount_ore=amount_ore, **chosen)


def leave(town: PlanningTown, invoice: Invoice, part: Part, state: State = State.DELIVERED) -> None:
    """As sending would: one attempt that was taken."""
    delivery = town.parts(invoice)[part]
    delivery.state = state
    town.session.add(Attempt(
        delivery_id=delivery.id, channel=delivery.channel or Channel.PAPER, key=f"{delivery.id}-1", number=1,
        is_notice=delivery.is_notice, opened_at=NOW, closed_at=NOW, outcome=Outcome.ACCEPTED,
    ))  # fmt: skip
    town.session.commit()


def to_recall(town: PlanningTown) -> list[int]:
    return list(town.session.scalars(claims_to_recall()))


@pytest.mark.parametrize("is_planned_first", [False, True])
def test_a_full_credit_of_an_unsent_invoice_closes_both_with_a_record(
    town: PlanningTown, is_planned_first: bool
) -> None:
    town.mandate(KID)
    original = town.invoice(town.resident(email="a@example.com"), kid=KID)
    if is_planned_first:
        plan(town)
    note = credit(town, original, original.amount_ore)
    report = plan(town)
    assert report.credits.closed == 1
    for invoice in (original, note):
        assert {part.state for part in town.parts(invoice).values()} == {State.CLOSED}
        assert invoice.closed_reason is Closure.CREDITED
        assert not town.is_pending(invoice)
    subjects = town.session.scalars(select(AuditRecord.subject).filter_by(event=AuditEvent.INVOICE_CREDITED)).all()
    assert set(subjects) == {f"invoice:{invoice.public_id}" for invoice in (original, note)}


def test_a_held_invoice_is_unsent_too(town: PlanningTown) -> None:
    original = town.invoice(town.resident(), facts={"has_wrong_kid": True})
    plan(town)
    credit(town, original, original.amount_ore)
    plan(town)
    assert town.parts(original)[Part.DOCUMENT].state is State.CLOSED
    assert town.parts(original)[Part.DOCUMENT].hold is None


@pytest.mark.parametrize("is_planned_first", [False, True])
def test_a_partial_credit_holds_the_invoice_and_its_credit_note(town: PlanningTown, is_planned_first: bool) -> None:
    original = town.invoice(town.resident(email="a@example.com"))
    if is_planned_first:
        plan(town)
    note = credit(town, original, original.amount_ore - 1)
    assert plan(town).credits.held == 1
    for invoice in (original, note):
        document = town.parts(invoice)[Part.DOCUMENT]
        assert (document.state, document.hold) == (State.HELD, Reason.PARTLY_CREDITED)
        assert invoice.closed_at is None


def test_a_person_may_release_what_is_partly_credited_and_it_stays_released(town: PlanningTown) -> None:
    original = town.invoice(town.resident(email="a@example.com"))
    credit(town, original, 1)
    plan(town)
    replan(town.session, original, town.plan(original), NOW, add=InvoiceFacts.weight("is_released"))
    for _ in range(2):
        plan(town)
        document = town.parts(original)[Part.DOCUMENT]
        assert (document.state, document.channel, document.hold) == (State.WAITING, Channel.EMAIL, None)


def test_partial_credits_that_add_up_close_everything(town: PlanningTown) -> None:
    original = town.invoice(town.resident())
    first = credit(town, original, 20_000)
    plan(town)
    second = credit(town, original, original.amount_ore - 20_000)
    plan(town)
    for invoice in (original, first, second):
        assert {part.state for part in town.parts(invoice).values()} == {State.CLOSED}


def test_a_credit_note_that_came_before_its_invoice_counts(town: PlanningTown) -> None:
    note = town.invoice(town.resident(), kind=Kind.CREDIT_NOTE, original_number="late", amount_ore=50_000)
    plan(town)
    original = town.invoice(town.resident(), number="late", amount_ore=50_000)
    plan(town)
    assert {part.state for part in town.parts(original).values()} == {State.CLOSED}
    assert {part.state for part in town.parts(note).values()} == {State.CLOSED}


def test_a_full_credit_of_a_sent_invoice_goes_as_information(town: PlanningTown) -> None:
    original = town.invoice(town.resident(email="a@example.com"))
    plan(town)
    leave(town, original, Part.DOCUMENT)
    note = credit(town, original, original.amount_ore)
    assert plan(town).credits.settled == 1
    assert town.parts(original)[Part.DOCUMENT].state is State.DELIVERED
    assert original.closed_reason is Closure.CREDITED
    assert town.parts(note)[Part.DOCUMENT].state is State.WAITING
    assert town.plan(note).passed_over["efaktura"] == "not_a_demand"


def test_a_sent_claim_is_to_be_recalled_and_its_waiting_notice_is_closed(town: PlanningTown) -> None:
    town.mandate(KID)
    original = town.invoice(town.resident(email="a@example.com"), kid=KID)
    plan(town)
    leave(town, original, Part.CLAIM)
    assert to_recall(town) == []
    credit(town, original, original.amount_ore)
    plan(town)
    parts = town.parts(original)
    assert to_recall(town) == [parts[Part.CLAIM].id]
    assert parts[Part.DOCUMENT].state is State.CLOSED


@pytest.mark.parametrize("wants_notice", [True, False])
def test_a_partial_credit_of_a_sent_claim_recalls_it_and_holds_the_invoice(
    town: PlanningTown, wants_notice: bool
) -> None:
    town.mandate(KID, wants_notice)
    original = town.invoice(town.resident(email="a@example.com"), kid=KID)
    plan(town)
    leave(town, original, Part.CLAIM)
    credit(town, original, 100)
    for _ in range(2):
        plan(town)
        parts = town.parts(original)
        assert to_recall(town) == [parts[Part.CLAIM].id]
        assert (parts[Part.DOCUMENT].state, parts[Part.DOCUMENT].hold) == (State.HELD, Reason.PARTLY_CREDITED)


def test_an_attempt_left_open_counts_as_sent(town: PlanningTown) -> None:
    """What may have arrived is not closed quietly."""
    original = town.invoice(town.resident(email="a@example.com"))
    plan(town)
    leave(town, original, Part.DOCUMENT, State.WAITING)
    town.session.scalars(select(Attempt)).one().outcome = None
    note = credit(town, original, original.amount_ore)
    assert plan(town).credits.settled == 1
    assert town.parts(note)[Part.DOCUMENT].state is State.WAITING


def test_a_credit_note_of_another_supplier_or_of_nothing_known_touches_nothing(town: PlanningTown) -> None:
    original = town.invoice(town.resident())
    foreign = credit(town, original, original.amount_ore, source="999999999")
    stray = town.invoice(town.resident(), kind=Kind.CREDIT_NOTE, original_number="gone")
    plan(town)
    for invoice in (original, foreign, stray):
        assert town.parts(invoice)[Part.DOCUMENT].state is State.WAITING
    assert town.session.scalars(select(Delivery).filter_by(state=State.CLOSED)).all() == []


@several_writers
def test_no_worker_takes_an_invoice_between_the_look_at_it_and_its_credit(
    town: PlanningTown, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL: what is taken in between would leave as a demand, and its credit note would be closed unsent."""
    original = town.invoice(town.resident(email="a@example.com"))
    plan(town)
    credit(town, original, original.amount_ore)
    session.commit()
    look, taken = credits._has_left, []

    def look_and_be_slow(own: Session, invoice: Invoice) -> bool:
        has_left = look(own, invoice)
        with Session(session.get_bind()) as other, working() as worker:
            taken.extend(work.take(other, worker, Channel.EMAIL, 10, NOW + dt.timedelta(days=1)))
        return has_left

    monkeypatch.setattr(credits, "_has_left", look_and_be_slow)
    assert plan(town).credits.closed == 1
    assert taken == []
    assert {part.state for part in town.parts(original).values()} == {State.CLOSED}
