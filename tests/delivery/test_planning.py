"""Planning: the outbox becomes parts of deliveries, by the plans of the policy."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Delivery, Part, PlanRow, State
from app.delivery.planning import dry_run, plan_pending
from app.invoices.models import Closure, Pending
from app.registries.models import Register, RegistryAnswer
from app.residents.models import StaleResident
from app.routing.channels import Answer, Channel, Kind, Reason
from tests.delivery.planning_support import NOW, PlanningTown

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


@pytest.fixture
def town(session: Session, settings: Settings, clock: Clock) -> PlanningTown:
    return PlanningTown(session, settings, clock)


def plan(town: PlanningTown, silent: frozenset[Register] = frozenset()) -> None:
    plan_pending(town.session, town.settings, town.clock, silent)


def test_a_document_waits_at_the_first_channel_of_its_route(town: PlanningTown) -> None:
    invoice = town.invoice(town.resident(email="a@example.com", answers={"mailbox": YES}))
    plan(town)
    parts = town.parts(invoice)
    assert set(parts) == {Part.DOCUMENT}
    document = parts[Part.DOCUMENT]
    assert (document.state, document.channel, document.position) == (State.WAITING, Channel.MAILBOX, 0)
    assert not document.is_notice
    assert town.plan(invoice).route == ["mailbox", "email", "paper"]
    assert not town.is_pending(invoice)


def test_a_held_invoice_has_a_held_document_with_its_reason(town: PlanningTown) -> None:
    invoice = town.invoice(None)
    plan(town)
    document = town.parts(invoice)[Part.DOCUMENT]
    assert (document.state, document.hold, document.channel) == (State.HELD, Reason.UNKNOWN_BUYER, None)


def test_a_silent_mandate_gives_a_claim_alone(town: PlanningTown) -> None:
    invoice = town.invoice(town.resident(), kid="1234567897")
    town.mandate("1234567897", wants_notice=False)
    plan(town)
    parts = town.parts(invoice)
    assert set(parts) == {Part.CLAIM}
    assert (parts[Part.CLAIM].state, parts[Part.CLAIM].channel) == (State.WAITING, Channel.AVTALEGIRO)


def test_a_mandate_that_notifies_gives_a_claim_and_a_notice(town: PlanningTown) -> None:
    invoice = town.invoice(town.resident(email="a@example.com"), kid="1234567897")
    town.mandate("1234567897")
    plan(town)
    parts = town.parts(invoice)
    assert parts[Part.CLAIM].channel is Channel.AVTALEGIRO
    assert (parts[Part.DOCUMENT].channel, parts[Part.DOCUMENT].is_notice) == (Channel.EMAIL, True)


@pytest.mark.parametrize("change", [{"account": "86011117947"}, {"ended_at": NOW}])
def test_a_mandate_that_ended_or_names_another_account_gives_no_claim(
    town: PlanningTown, change: dict[str, Any]
) -> None:
    invoice = town.invoice(town.resident(), kid="1234567897")
    town.mandate("1234567897", **change)
    plan(town)
    assert set(town.parts(invoice)) == {Part.DOCUMENT}
    assert town.plan(invoice).passed_over["avtalegiro"] == "no_mandate"


def test_a_claim_too_near_the_due_date_is_a_normal_invoice(town: PlanningTown) -> None:
    invoice = town.invoice(town.resident(), kid="1234567897", due_in=8)
    town.mandate("1234567897")
    plan(town)
    assert town.plan(invoice).passed_over["avtalegiro"] == "claim_too_late"


def test_one_claim_a_kid_and_due_date(town: PlanningTown) -> None:
    resident = town.resident(email="a@example.com")
    town.mandate("1234567897")
    first, second, other_day = (town.invoice(resident, kid="1234567897", due_in=days) for days in (30, 30, 31))
    plan(town)
    assert Part.CLAIM in town.parts(first)
    assert Part.CLAIM not in town.parts(second)
    assert Part.CLAIM in town.parts(other_day)
    assert town.plan(second).passed_over["avtalegiro"] == "claim_exists"
    assert not town.parts(second)[Part.DOCUMENT].is_notice

    third = town.invoice(resident, kid="1234567897")
    plan(town)
    assert town.plan(third).passed_over["avtalegiro"] == "claim_exists", "a claim of an earlier run counts too"


def test_the_second_may_claim_when_the_first_is_held(town: PlanningTown) -> None:
    town.mandate("1234567897")
    held = town.invoice(town.resident(deceased_on=dt.date(2026, 1, 1)), kid="1234567897")
    second = town.invoice(town.resident(), kid="1234567897")
    plan(town)
    assert Part.CLAIM not in town.parts(held)
    assert Part.CLAIM in town.parts(second)


def test_the_mandate_fixes_the_customer_part_of_the_kid(town: PlanningTown) -> None:
    town.settings = town.settings.model_copy(update={"avtalegiro_kid_fixed": "1-6"})
    town.mandate("123456000011")
    same, other = (town.invoice(town.resident(), kid=kid) for kid in ("123456777718", "654321777718"))
    plan(town)
    assert Part.CLAIM in town.parts(same)
    assert Part.CLAIM not in town.parts(other)


def test_a_changed_kid_setting_is_taken_up_by_itself(town: PlanningTown) -> None:
    mandate = town.mandate("123456000011")
    invoice = town.invoice(town.resident(), kid="123456777718")
    short = town.invoice(town.resident(), kid="12344")
    town.settings = town.settings.model_copy(update={"avtalegiro_kid_fixed": "1-6"})
    plan(town)
    assert Part.CLAIM in town.parts(invoice)
    assert Part.CLAIM not in town.parts(short)
    assert (mandate.kid_key, invoice.kid_key, short.kid_key) == ("123456", "123456", " 12344")


def test_what_waits_for_an_answer_stays_in_the_outbox(town: PlanningTown) -> None:
    resident = town.resident(email="a@example.com", answers={"mailbox": UNKNOWN})
    invoice = town.invoice(resident)
    report = plan_pending(town.session, town.settings, town.clock)
    assert town.is_pending(invoice)
    assert not town.parts(invoice)
    assert report.forecast.waiting == 1

    town.answers(resident, mailbox=YES)
    plan(town)
    assert town.parts(invoice)[Part.DOCUMENT].channel is Channel.MAILBOX


def test_past_the_safe_day_unknown_goes_on_but_silence_is_held(town: PlanningTown) -> None:
    resident = town.resident(email="a@example.com", answers={"mailbox": UNKNOWN})
    alone, in_silence = town.invoice(resident, due_in=13), None
    plan(town)
    assert town.parts(alone)[Part.DOCUMENT].channel is Channel.EMAIL
    in_silence = town.invoice(resident, due_in=13)
    plan(town, frozenset({Register.MAILBOX}))
    assert town.parts(in_silence)[Part.DOCUMENT].hold is Reason.REGISTER_SILENT


def test_who_was_never_asked_is_unknown(town: PlanningTown) -> None:
    resident = town.resident()
    for answer in town.session.scalars(select(RegistryAnswer).filter_by(resident_id=resident.id)):
        town.session.delete(answer)
    town.touch(resident)
    invoice = town.invoice(resident)
    plan(town)
    assert town.is_pending(invoice)


@pytest.mark.parametrize("closure", Closure)
def test_what_is_no_longer_owed_is_closed_before_a_plan_is_made(town: PlanningTown, closure: Closure) -> None:
    invoice = town.invoice(town.resident())
    invoice.closed_at, invoice.closed_reason = NOW, closure
    report = plan_pending(town.session, town.settings, town.clock)
    document = town.parts(invoice)[Part.DOCUMENT]
    assert (document.state, document.plan_id) == (State.CLOSED, None)
    assert report.forecast.closed == 1


def test_equal_facts_share_one_stored_plan(town: PlanningTown) -> None:
    for _ in range(5):
        town.invoice(town.resident())
    plan(town)
    assert town.session.scalar(select(func.count()).select_from(PlanRow)) == 1
    assert town.session.scalar(select(func.count(Delivery.plan_id.distinct()))) == 1


def test_a_changed_setting_gives_new_plans_and_leaves_the_old(town: PlanningTown) -> None:
    resident = town.resident(email="a@example.com", answers={"mailbox": YES})
    before = town.invoice(resident)
    plan(town)
    order = ("avtalegiro", "efaktura", "vipps", "email", "mailbox", "paper")
    town.settings = town.settings.model_copy(update={"routing_order": order})
    after = town.invoice(resident)
    plan(town)
    assert town.plan(before).route == ["mailbox", "email", "paper"]
    assert town.plan(after).route == ["email", "mailbox", "paper"]


def test_many_batches_plan_everything_once(town: PlanningTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.delivery.planning.BATCH", 7)
    residents = [town.resident(answers={"mailbox": UNKNOWN if number % 3 == 0 else YES}) for number in range(10)]
    invoices = [town.invoice(resident) for resident in residents for _ in range(3)]
    seen: list[int] = []
    report = plan_pending(town.session, town.settings, town.clock, progress=seen.append)
    assert sum(seen) == len(invoices)
    assert len(seen) == 5
    assert report.forecast.planned + report.forecast.waiting == len(invoices)
    assert town.session.scalar(select(func.count()).select_from(Delivery)) == report.forecast.planned == 18
    assert town.session.scalar(select(func.count()).select_from(Pending)) == report.forecast.waiting == 12


def test_facts_nobody_gathered_are_gathered_on_the_way(town: PlanningTown) -> None:
    """A room that forgot to say that a resident changed costs nobody their invoice."""
    resident = town.resident()
    for row in town.session.scalars(select(StaleResident)):
        town.session.delete(row)
    invoice = town.invoice(resident)
    report = plan_pending(town.session, town.settings, town.clock)
    assert Part.DOCUMENT in town.parts(invoice)
    assert report.residents_gathered == 1


def test_a_dry_run_counts_what_the_run_then_does_and_stores_nothing(town: PlanningTown) -> None:
    town.mandate("1234567897")
    town.invoice(town.resident(email="a@example.com"), kid="1234567897")
    town.invoice(town.resident(email="b@example.com"), kid="1234567897")
    town.invoice(town.resident(answers={"efaktura": YES}))
    town.invoice(town.resident(answers={"mailbox": UNKNOWN}))
    town.invoice(None)
    town.invoice(town.resident(), kind=Kind.CREDIT_NOTE)
    forecast = dry_run(town.session, town.settings, town.clock)
    for table in (Delivery, PlanRow):
        assert town.session.scalar(select(func.count()).select_from(table)) == 0
    assert town.session.scalar(select(func.count()).select_from(Pending)) == 6
    assert forecast.by_channel == {Channel.AVTALEGIRO: 1, Channel.EMAIL: 1, Channel.EFAKTURA: 1, Channel.PAPER: 1}
    assert forecast.notices_by_channel == {Channel.EMAIL: 1}
    assert forecast.holds == {Reason.UNKNOWN_BUYER: 1}
    assert forecast.waiting == 1
    assert forecast.reasons[Channel.AVTALEGIRO, Reason.CLAIM_EXISTS] == 1
    assert forecast.cost_ore(town.settings) == 150 + 5 + 5 + 300 + 2200
    done = plan_pending(town.session, town.settings, town.clock).forecast
    forecast.reasons.clear()
    assert done == forecast
