"""Brakes: what is out of the ordinary stops before the letters leave, and a person lets it go."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.channels.contract import Outcome, Result
from app.core.audit import AuditEvent, AuditRecord
from app.delivery import brakes
from app.delivery.models import Brake, BrakeKind, Delivery, State
from app.delivery.passes import send_due, tidy
from app.delivery.planning import plan_pending
from app.invoices.models import Invoice, Pending
from app.registries.models import Register
from app.routing.channels import Channel, Reason
from tests.delivery.fakes import always
from tests.delivery.town import Town


@pytest.fixture
def town(town: Town) -> Town:
    """A town where ten invoices are enough to tell."""
    town.settings = town.settings.model_copy(update={"brake_minimum": 10})
    return town


def send(town: Town, *, has_brakes: bool = True) -> None:
    """One pass, as the job does it."""
    with town.desk() as desk:
        tidy(desk)
        send_due(desk, has_brakes=has_brakes)


def import_batch(town: Town, *, on_paper: int, by_email: int) -> list[Invoice]:
    """A batch of its own, a minute after the last."""
    town.clock.pass_time(minutes=1)
    town.batch = town.new_batch()
    town.session.flush()
    plans = [town.plan(Channel.PAPER)] * on_paper + [town.plan(Channel.EMAIL, Channel.PAPER)] * by_email
    return [town.invoice(plan) for plan in plans]


def letters(town: Town) -> int:
    """How many letters left."""
    return len(town.channels.files[Channel.PAPER].numbers())


def kinds(town: Town) -> list[tuple[BrakeKind, Channel | None]]:
    """The brakes that are pulled."""
    return [(brake.kind, brake.channel) for brake in brakes.pulled(town.session)]


def test_without_history_the_configured_share_counts(town: Town) -> None:
    import_batch(town, on_paper=7, by_email=4)  # 64 %, and 1.5 times the configured 40 % is 60 %
    send(town)
    assert (letters(town), kinds(town)) == (0, [(BrakeKind.PAPER, Channel.PAPER)])
    assert len(town.channels.messages[Channel.EMAIL].other_side.taken) == 4


def test_a_usual_share_of_paper_leaves(town: Town) -> None:
    import_batch(town, on_paper=6, by_email=4)
    send(town)
    assert (letters(town), kinds(town)) == (6, [])


def test_few_invoices_tell_nothing(town: Town) -> None:
    import_batch(town, on_paper=9, by_email=0)
    send(town)
    assert letters(town) == 9


def test_with_history_the_usual_share_counts(town: Town) -> None:
    import_batch(town, on_paper=1, by_email=9)
    send(town)
    import_batch(town, on_paper=3, by_email=7)
    send(town)
    assert (letters(town), kinds(town)) == (1, [(BrakeKind.PAPER, Channel.PAPER)])
    (brake,) = brakes.pulled(town.session)
    assert (brake.share, brake.usual_share) == (0.3, 0.1)


def test_a_person_lets_the_letters_go_and_the_next_batch_is_judged_anew(town: Town) -> None:
    import_batch(town, on_paper=10, by_email=0)
    send(town)
    assert letters(town) == 0
    town.clock.pass_time(minutes=1)
    released = brakes.release_all(town.session, "staff:1", "a paper-only category", town.clock.now())
    send(town)
    assert (len(released), letters(town), kinds(town)) == (1, 10, [])
    (audit,) = town.session.scalars(select(AuditRecord)).all()
    assert (audit.event, audit.reason) == (AuditEvent.BRAKE_RELEASED, "a paper-only category")
    town.settings = town.settings.model_copy(update={"paper_brake_share": 0.1})
    import_batch(town, on_paper=0, by_email=1)
    import_batch(town, on_paper=12, by_email=0)
    later = town.clock.now() + dt.timedelta(days=91)
    assert brakes.check_paper(town.session, town.settings, later) is not None


def test_a_channel_that_refuses_more_than_usual_is_stopped_and_so_are_the_letters(town: Town) -> None:
    town.channels.messages[Channel.EMAIL].script = always(Result(Outcome.REFUSED))
    import_batch(town, on_paper=0, by_email=120)
    send(town)
    assert kinds(town) == [(BrakeKind.REFUSAL, Channel.EMAIL)]
    assert letters(town) == 0
    refused = town.session.scalars(select(Delivery).where(Delivery.channel == Channel.PAPER)).all()
    assert len(refused) == 50, "the brake is looked at after each group"


def test_a_few_refusals_stop_nothing(town: Town) -> None:
    invoices = import_batch(town, on_paper=0, by_email=40)
    bad = {invoice.number for invoice in invoices[:4]}
    town.channels.messages[Channel.EMAIL].script = lambda one: Result(
        Outcome.REFUSED if one.number in bad else Outcome.ACCEPTED
    )
    send(town)
    assert (letters(town), kinds(town)) == (4, [])


def test_without_brakes_nothing_stops(town: Town) -> None:
    import_batch(town, on_paper=20, by_email=0)
    send(town, has_brakes=False)
    assert (letters(town), kinds(town)) == (20, [])


def test_a_silent_register_pulls_a_brake_only_when_it_holds_something(town: Town) -> None:
    silent = frozenset({Register.VIPPS})
    assert brakes.check_silence(town.session, silent, town.clock.now()) == []
    town.invoice(town.plan(hold=Reason.REGISTER_SILENT))
    assert len(brakes.check_silence(town.session, silent, town.clock.now())) == 1
    assert kinds(town) == [(BrakeKind.SILENCE, Channel.VIPPS)]


def test_a_person_lets_go_what_a_silent_register_holds_for_a_day(town: Town) -> None:
    silent = frozenset({Register.VIPPS})
    invoice = town.invoice(town.plan(hold=Reason.REGISTER_SILENT))
    brakes.check_silence(town.session, silent, town.clock.now())
    brakes.release_all(town.session, "staff:1", "Vipps is down all week", town.clock.now())
    assert town.session.get(Pending, invoice.id) is not None
    assert brakes.count_silence(town.session, silent, town.clock.now()) == frozenset()
    plan_pending(town.session, town.settings, town.clock)
    assert town.part(invoice).state is State.WAITING
    town.clock.pass_time(days=2)
    assert brakes.count_silence(town.session, silent, town.clock.now()) == silent


def test_a_brake_is_pulled_once(town: Town) -> None:
    import_batch(town, on_paper=20, by_email=0)
    send(town)
    send(town)
    assert len(town.session.scalars(select(Brake)).all()) == 1
