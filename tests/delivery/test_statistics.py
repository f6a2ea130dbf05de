"""The summary tables say what the rows say, after whatever happened, and in whatever order."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from flask.testing import FlaskCliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from app.channels.contract import Outcome, Result
from app.delivery import statistics
from app.delivery.actions import Act
from app.delivery.models import Delivery, State
from app.delivery.statistics_models import Counting
from app.invoices.models import Closure
from app.residents.models import ContactKind, ContactPoint, Mandate
from app.routing.channels import Channel, Kind, Reason
from tests.delivery.fakes import FakeChannels, always
from tests.delivery.statistics_support import check, tables
from tests.delivery.test_report import chance, one_day, send
from tests.delivery.town import ROUTE, Town

NOVEMBER = 202611


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_every_history_is_counted_as_its_rows_say(town: Town, seed: int) -> None:
    draw = random.Random(seed)
    town.channels = FakeChannels.all()
    plans = [town.plan(*ROUTE), town.plan(Channel.EMAIL, claim="02"), town.plan(claim="02"), town.plan(Channel.PAPER)]
    for _ in range(10):
        invoice = town.invoice(draw.choice(plans))
        invoice.issued_on = draw.choice([dt.date(2026, 10, 31), dt.date(2026, 11, 1), dt.date(2026, 12, 1)])
        invoice.category = draw.choice(["default", "barnehage"])
    town.session.commit()
    chance(town, draw)
    for _ in range(5):
        one_day(town, draw)
        check(town)


def test_only_the_months_that_something_moved_in_are_counted_anew(town: Town) -> None:
    old = town.invoice(town.plan(Channel.EMAIL))
    old.issued_on = dt.date(2026, 9, 30)
    town.session.commit()
    send(town)
    town.clock.pass_time(days=2)
    assert statistics.count(town.session, town.clock).months == (202609,)
    town.clock.pass_time(days=3)
    town.invoice(town.plan(Channel.PAPER))
    town.clock.pass_time(days=2)
    assert statistics.count(town.session, town.clock).months == (NOVEMBER,)
    town.clock.pass_time(days=3)
    assert statistics.count(town.session, town.clock).months == ()


def test_what_was_written_a_little_before_the_last_count_is_counted_all_the_same(town: Town) -> None:
    statistics.count(town.session, town.clock)
    late = town.invoice(town.plan(Channel.EMAIL))
    hour_ago = town.clock.now() - dt.timedelta(hours=1)
    late.imported_at = hour_ago
    town.session.execute(update(Delivery).values(changed_at=hour_ago))
    town.session.commit()
    check(town)


def test_a_clock_that_went_back_makes_everything_be_counted(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL))
    town.clock.pass_time(days=30)
    statistics.count(town.session, town.clock)
    town.clock.pass_time(days=-20)
    invoice.category = "barnehage"
    town.session.commit()
    check(town)


def test_a_bounce_moves_the_invoice_to_the_channel_that_took_it_then(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
    send(town)
    check(town)
    part, attempt = town.part(invoice), town.attempts(invoice)[0]
    attempt.taken_back_at, attempt.detail = town.clock.now(), "5.1.1"
    part.state, part.channel, part.position, part.changed_at = State.WAITING, Channel.PAPER, 1, town.clock.now()
    town.session.commit()
    check(town)
    kept = tables(town.session)
    assert kept["refusal_count"] == {(NOVEMBER, "default", "email", "5.1.1", True, 1)}
    assert [row[2:4] for row in kept["invoice_count"]] == [("waiting", "")]
    send(town)
    check(town)
    assert [row[3] for row in tables(town.session)["invoice_count"]] == ["paper"]


def test_a_claim_that_was_called_back_is_no_refusal(town: Town) -> None:
    invoice = town.invoice(town.plan(claim="02"))
    send(town)
    check(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.CREDITED
    town.session.commit()
    send(town)
    check(town)
    kept = tables(town.session)
    assert kept["refusal_count"] == set()
    assert kept["invoice_count"] == {(NOVEMBER, "default", "closed", "", "", "", 1)}


def test_refusals_are_counted_by_their_codes(town: Town) -> None:
    refused = Result(Outcome.REFUSED, detail="550 5.1.1")
    town.channels.messages[Channel.EMAIL].script = always(refused)
    for _ in range(3):
        town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
    send(town)
    check(town)
    assert tables(town.session)["refusal_count"] == {(NOVEMBER, "default", "email", "550 5.1.1", False, 3)}


def test_what_is_held_is_counted_under_its_reason(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.PAPER))
    Act(town.session, town.clock.now(), "command:test", "as asked").hold(invoice.number)
    check(town)
    town.invoice(town.plan(hold=Reason.DECEASED))
    town.invoice(town.plan(Channel.EMAIL), kind=Kind.CREDIT_NOTE)
    check(town)
    holds = {row[5]: row[6] for row in tables(town.session)["invoice_count"]}
    assert holds == {"held_by_staff": 1, "deceased": 1, "": 1}


def test_an_invoice_nobody_has_planned_yet_is_counted_too(town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL))
    town.session.execute(delete(Delivery).where(Delivery.invoice_id == invoice.id))
    town.session.commit()
    check(town)
    assert tables(town.session)["invoice_count"] == {(NOVEMBER, "default", "unplanned", "", "", "", 1)}


def test_residents_are_counted_by_how_they_can_be_reached(town: Town) -> None:
    confirmed, closed, plain = (town.resident() for _ in range(3))
    now = town.clock.now()
    points = update(ContactPoint)
    town.session.flush()
    town.session.execute(points.where(ContactPoint.resident_id == confirmed.id).values(confirmed_at=now))
    is_email = ContactPoint.kind == ContactKind.EMAIL
    town.session.execute(points.where(ContactPoint.resident_id == closed.id, is_email).values(closed_at=now))
    town.session.commit()
    check(town)
    assert tables(town.session)["resident_count"] == {
        (NOVEMBER, "confirmed", "confirmed", "yes", 1),
        (NOVEMBER, "registered", "none", "yes", 1),
        (NOVEMBER, "registered", "registered", "yes", 1),
    }
    assert plain.id


def test_a_month_that_is_over_stays_as_it_was_last_counted(town: Town) -> None:
    now = town.clock.now()
    town.session.execute(delete(Mandate))
    for number, ended_at in enumerate((None, None, now)):
        town.session.add(
            Mandate(account="86011117947", kid=f"{number:012}", kid_key=f"{number:012}", wants_notice=number == 0,
                    registered_at=now, updated_at=now, ended_at=ended_at)
        )  # fmt: skip
    town.session.commit()
    check(town)
    assert tables(town.session)["mandate_count"] == {(NOVEMBER, True, 1), (NOVEMBER, False, 1)}
    town.clock.pass_time(days=14)
    town.session.execute(update(Mandate).values(ended_at=now))
    town.session.commit()
    statistics.count(town.session, town.clock)
    assert tables(town.session)["mandate_count"] == {(NOVEMBER, True, 1), (NOVEMBER, False, 1)}
    assert statistics.counted_at(town.session) == town.clock.now()


def test_a_count_that_dies_leaves_the_tables_as_they_were(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.invoice(town.plan(Channel.EMAIL))
    statistics.count(town.session, town.clock)
    before = tables(town.session)
    town.invoice(town.plan(Channel.PAPER))

    def die(_month: int) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as broken:
        broken.setattr(statistics, "_mandates", die)
        with pytest.raises(RuntimeError, match="power"):
            statistics.count(town.session, town.clock)
    assert tables(town.session) == before
    check(town)


def test_the_run_counts_what_it_did(town: Town, runner: FlaskCliRunner) -> None:
    town.invoice(town.plan(Channel.PAPER))
    assert runner.invoke(args=["invoices", "receipts"]).exit_code == 0
    assert tables(town.session)["invoice_count"] == {(NOVEMBER, "default", "waiting", "", "", "", 1)}
    assert town.session.get_one(Counting, 1).counted_at
