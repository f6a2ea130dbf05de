"""Invoices that had a plan before: what changes, and what is with somebody already and stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Delivery, Part, State
from app.delivery.planning import plan_pending
from app.delivery.replans import bits_of, replan
from app.invoices.models import Invoice
from app.residents.models import Mandate
from app.routing.channels import Answer, Channel, Reason
from tests.delivery.planning_support import NOW, PlanningTown

KID = "1234567897"


@pytest.fixture
def town(session: Session, settings: Settings, clock: Clock) -> PlanningTown:
    return PlanningTown(session, settings, clock)


def plan(town: PlanningTown) -> None:
    plan_pending(town.session, town.settings, town.clock)


def again(town: PlanningTown, invoice: Invoice, *add: str, **states: State) -> dict[Part, Delivery]:
    """Put *invoice* back with facts added, its parts first brought into *states*, and plan."""
    stored = town.plan(invoice)
    replan(town.session, invoice, stored, NOW, add=bits_of(*add))
    for name, state in states.items():
        town.parts(invoice)[Part(name)].state = state
    plan(town)
    return town.parts(invoice)


def claimed(town: PlanningTown, wants_notice: bool = True, **values: Any) -> Invoice:
    town.mandate(KID, wants_notice)
    invoice = town.invoice(town.resident(email="a@example.com", **values), kid=KID)
    plan(town)
    return invoice


def test_a_refused_channel_leads_to_a_new_plan_of_the_same_part(town: PlanningTown) -> None:
    invoice = town.invoice(town.resident(email="a@example.com"))
    plan(town)
    before = town.parts(invoice)[Part.DOCUMENT]
    before.tries, before.position = 3, 1
    document = again(town, invoice, "refused_email")[Part.DOCUMENT]
    assert document.id == before.id
    assert (document.state, document.channel, document.position, document.tries) == (
        State.WAITING, Channel.PAPER, 0, 0,
    )  # fmt: skip
    assert town.plan(invoice).passed_over["email"] == "refused"
    assert town.session.scalar(select(func.count()).select_from(Delivery)) == 1


def test_nothing_left_is_held(town: PlanningTown) -> None:
    invoice = town.invoice(town.resident(email="a@example.com"))
    plan(town)
    document = again(town, invoice, "refused_email", "refused_paper")[Part.DOCUMENT]
    assert (document.state, document.hold, document.channel) == (State.HELD, Reason.NOTHING_LEFT, None)


def test_a_claim_with_the_bank_stands_though_it_would_be_too_late_today(town: PlanningTown) -> None:
    """Its notice bounced three days before the due date: another notice, never a second demand."""
    invoice = claimed(town)
    invoice.due_on = town.clock.today() + dt.timedelta(days=3)
    parts = again(town, invoice, "refused_email", claim=State.DELIVERED)
    assert parts[Part.CLAIM].state is State.DELIVERED
    assert (parts[Part.DOCUMENT].channel, parts[Part.DOCUMENT].is_notice) == (Channel.PAPER, True)


def test_a_claim_with_the_bank_stands_though_the_mandate_ended(town: PlanningTown) -> None:
    invoice = claimed(town)
    town.session.scalars(select(Mandate)).one().ended_at = NOW
    parts = again(town, invoice, "refused_email", claim=State.IN_TRANSIT)
    assert parts[Part.CLAIM].state is State.IN_TRANSIT
    assert parts[Part.DOCUMENT].is_notice


def test_a_claim_not_sent_yet_goes_when_the_mandate_has_ended(town: PlanningTown) -> None:
    invoice = claimed(town)
    town.session.scalars(select(Mandate)).one().ended_at = NOW
    parts = again(town, invoice)
    assert parts[Part.CLAIM].state is State.CLOSED
    assert (parts[Part.DOCUMENT].state, parts[Part.DOCUMENT].is_notice) == (State.WAITING, False)


def test_a_lost_claim_makes_a_delivered_notice_a_demand_again(town: PlanningTown) -> None:
    invoice = claimed(town)
    parts = again(town, invoice, "has_lost_claim", document=State.DELIVERED, claim=State.HELD)
    assert parts[Part.CLAIM].state is State.CLOSED
    assert (parts[Part.DOCUMENT].state, parts[Part.DOCUMENT].is_notice) == (State.WAITING, False)


def test_a_lost_claim_that_stood_alone_gets_a_document(town: PlanningTown) -> None:
    invoice = claimed(town, wants_notice=False)
    assert set(town.parts(invoice)) == {Part.CLAIM}
    parts = again(town, invoice, "has_lost_claim", claim=State.HELD)
    assert parts[Part.CLAIM].state is State.CLOSED
    assert (parts[Part.DOCUMENT].channel, parts[Part.DOCUMENT].is_notice) == (Channel.EMAIL, False)


def test_efaktura_refused_beside_a_silent_mandate_leaves_the_claim_alone(town: PlanningTown) -> None:
    invoice = claimed(town, wants_notice=False, answers={"efaktura": Answer.YES})
    assert town.parts(invoice)[Part.DOCUMENT].channel is Channel.EFAKTURA
    parts = again(town, invoice, "refused_efaktura", claim=State.DELIVERED)
    assert parts[Part.DOCUMENT].state is State.CLOSED
    assert parts[Part.CLAIM].state is State.DELIVERED


def test_what_is_delivered_as_it_should_be_is_not_sent_again(town: PlanningTown) -> None:
    invoice = town.invoice(town.resident(email="a@example.com"))
    plan(town)
    document = again(town, invoice, document=State.DELIVERED)[Part.DOCUMENT]
    assert document.state is State.DELIVERED


def test_a_mandate_that_came_meanwhile_adds_a_claim(town: PlanningTown) -> None:
    invoice = town.invoice(town.resident(email="a@example.com"), kid=KID)
    plan(town)
    town.mandate(KID)
    parts = again(town, invoice)
    assert parts[Part.CLAIM].state is State.WAITING
    assert parts[Part.DOCUMENT].is_notice


def test_an_unanswered_question_keeps_the_part_waiting_without_a_channel(town: PlanningTown) -> None:
    resident = town.resident(email="a@example.com", answers={"efaktura": Answer.YES, "mailbox": Answer.UNKNOWN})
    invoice = town.invoice(resident)
    plan(town)
    document = again(town, invoice, "refused_efaktura")[Part.DOCUMENT]
    assert (document.state, document.channel) == (State.WAITING, None)
    assert town.is_pending(invoice)
    town.answers(resident, mailbox=Answer.NO)
    plan(town)
    assert town.parts(invoice)[Part.DOCUMENT].channel is Channel.EMAIL
