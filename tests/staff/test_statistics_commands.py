"""``flask stats``: the keys other programs rely on, counted from the rows, never suppressed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.delivery.statistics_models import InvoiceCount
from app.residents.models import ContactKind, ContactPoint
from app.routing.channels import Channel, Reason
from tests.delivery.test_report import send
from tests.delivery.town import Town


@pytest.fixture
def town(session: Session, settings: Settings) -> Town:
    """A municipality with nothing in it."""
    return Town(session, settings)


def told(runner: FlaskCliRunner, *arguments: str) -> dict[str, Any]:
    answer = runner.invoke(args=["stats", "--format", "json", *arguments])
    assert answer.exit_code == 0, answer.output
    found: dict[str, Any] = json.loads(answer.output)
    return found


def test_the_figures_are_those_of_the_rows_small_groups_too(town: Town, runner: FlaskCliRunner) -> None:
    for route in (Channel.EMAIL, Channel.EMAIL, Channel.EFAKTURA, Channel.PAPER):
        town.invoice(town.plan(route))
    town.invoice(town.plan(Channel.EMAIL, claim="02"))
    town.invoice(town.plan(hold=Reason.DECEASED))
    send(town)
    now = town.clock.now()
    town.session.execute(update(ContactPoint).where(ContactPoint.kind == ContactKind.EMAIL).values(confirmed_at=now))
    town.session.commit()
    found = told(runner)
    assert found["by_channel"] == {"avtalegiro": 1, "efaktura": 1, "vipps": 0, "mailbox": 0, "email": 2, "paper": 1}
    assert found["digital_share"] == 0.8
    assert found["contact"] == {
        "mobile": {"registered": 6, "confirmed": 0}, "email": {"registered": 6, "confirmed": 6},
    }  # fmt: skip
    assert (found["residents"], found["held"]) == (6, {"deceased": 1})
    assert found["agreements"] == {"avtalegiro": 1, "efaktura": 6}
    assert found["offers"] == dict.fromkeys(("sent", "delivered", "bounced", "answered", "yes", "active"), 0)
    assert dt.datetime.fromisoformat(found["counted_at"]).tzinfo
    report = json.loads(runner.invoke(args=["invoices", "report", "--format", "json"]).output)
    assert report["by_channel"] == found["by_channel"]


def test_an_empty_municipality_has_no_share(runner: FlaskCliRunner) -> None:
    assert told(runner)["digital_share"] == 0.0


def test_a_recount_puts_right_what_somebody_changed(town: Town, runner: FlaskCliRunner) -> None:
    town.invoice(town.plan(Channel.PAPER)).issued_on = dt.date(2020, 1, 1)
    town.session.commit()
    send(town)
    assert told(runner)["by_channel"]["paper"] == 1
    town.session.execute(update(InvoiceCount).values(count=7))
    town.session.commit()
    assert told(runner, "--recount")["by_channel"]["paper"] == 1


def test_people_read_it_in_lines(town: Town, runner: FlaskCliRunner) -> None:
    town.invoice(town.plan(Channel.PAPER))
    send(town)
    lines = runner.invoke(args=["stats"]).output.splitlines()
    assert "       1  paper" in lines
    assert "    0.0%  went digitally" in lines
