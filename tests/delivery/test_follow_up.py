"""Claims that were never paid are listed for a person; whatever was paid, credited or called back is not."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from flask.testing import FlaskCliRunner

from app.delivery.follow_up import UnpaidClaim, unpaid_claims
from app.delivery.models import Part
from app.delivery.passes import send_due, tidy
from app.delivery.recalls import recall_claims
from app.invoices.models import Closure, Invoice
from app.residents.models import Mandate
from app.routing.channels import Channel
from tests.delivery.town import DUE_ON, Town


def send(town: Town) -> None:
    with town.desk() as desk:
        tidy(desk)
        send_due(desk)


def claimed(town: Town, count: int = 1) -> list[Invoice]:
    """Invoices whose claims the bank has."""
    invoices = [town.invoice(town.plan(claim="02")) for _ in range(count)]
    send(town)
    return invoices


def listed(town: Town, days_after: int) -> list[UnpaidClaim]:
    town.session.rollback()
    return unpaid_claims(town.session, DUE_ON + dt.timedelta(days=days_after), 5)


@pytest.mark.parametrize(("days_after", "count"), [(-3, 0), (4, 0), (5, 1), (40, 1)])
def test_a_claim_is_listed_from_so_many_days_after_its_due_date_on(town: Town, days_after: int, count: int) -> None:
    claimed(town)
    assert [claim.late_days for claim in listed(town, days_after)] == [days_after] * count


def test_what_is_listed_tells_what_a_person_needs(town: Town) -> None:
    (invoice,) = claimed(town)
    (claim,) = listed(town, 9)
    (attempt,) = town.attempts(invoice, Part.CLAIM)
    assert (claim.number, claim.amount_ore, claim.kid, claim.has_mandate) == (
        invoice.number,
        100_00,
        invoice.kid,
        False,
    )
    assert claim.customer_number == "K3"
    assert claim.file in town.channels.files[Channel.AVTALEGIRO].outbox
    assert claim.handed_over_at is not None
    assert attempt.handover_id is not None


def test_a_mandate_that_still_stands_is_told_from_one_that_ended(town: Town) -> None:
    first, second = claimed(town, 2)
    now = town.clock.now()
    for invoice, kid, ended_at in ((first, "111", None), (second, "222", now)):
        invoice.kid_key = kid
        # Two that fix the same part of the KID list the claim once.
        for end in ("1", "2"):
            town.session.add(Mandate(account="86011117947", kid=kid + end, kid_key=kid, wants_notice=False,
                                     registered_at=now, updated_at=now, ended_at=ended_at))  # fmt: skip
    town.session.commit()
    assert [(claim.number, claim.has_mandate) for claim in listed(town, 9)] == [
        (first.number, True), (second.number, False),
    ]  # fmt: skip


@pytest.mark.parametrize("reason", list(Closure))
def test_what_is_no_longer_owed_is_not_listed(town: Town, reason: Closure) -> None:
    (invoice,) = claimed(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), reason
    town.session.commit()
    assert listed(town, 9) == []


def test_a_claim_that_was_called_back_or_never_left_is_not_listed(town: Town) -> None:
    (invoice,) = claimed(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.CANCELLED
    town.session.commit()
    with town.desk() as desk:
        recall_claims(desk)
    invoice.closed_at = invoice.closed_reason = None
    town.session.commit()
    town.invoice(town.plan(claim="02"))
    assert listed(town, 9) == []


def test_the_command_lists_them_and_says_that_somebody_should_look(town: Town, runner: FlaskCliRunner) -> None:
    (invoice,) = claimed(town)
    assert runner.invoke(args=["invoices", "follow-up"]).exit_code == 0
    invoice.due_on = dt.date(2026, 11, 10)
    town.session.commit()
    text = runner.invoke(args=["invoices", "follow-up"])
    assert (text.exit_code, invoice.number in text.stdout) == (1, True)
    found = json.loads(runner.invoke(args=["invoices", "follow-up", "--format", "json", "--days", "14"]).stdout)
    assert found["days"] == 14
    assert [(claim["number"], claim["late_days"]) for claim in found["unpaid"]] == [(invoice.number, 14)]
    assert runner.invoke(args=["invoices", "follow-up", "--days", "15"]).exit_code == 0
