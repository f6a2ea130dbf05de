"""The tables: each row of each provider gives its verdict, and what no row knows never leads to the next channel."""

from __future__ import annotations

import datetime as dt

import pytest

from app.channels.answers import result
from app.channels.contract import Outcome
from app.clients.efaktura_contract import SHIPMENT_RULES, TRANSACTION_RULES
from app.clients.http import Answered, AnswerLost, NotSent
from app.clients.rules import GENERAL, Judgement, Rule, Verdict, judge, judge_failure
from app.clients.vipps_contract import INVOICE_RULES, RECIPIENT_RULES, REVOKE_RULES

TABLES = {
    "general": GENERAL,
    "efaktura shipment": SHIPMENT_RULES,
    "efaktura transaction": TRANSACTION_RULES,
    "vipps recipient": RECIPIENT_RULES,
    "vipps invoice": INVOICE_RULES,
    "vipps revoke": REVOKE_RULES,
}


def answered(status: int, retry_after: str | None = None) -> Answered:
    return Answered("bank", status, {"retry-after": retry_after} if retry_after else {}, b"")


@pytest.mark.parametrize(
    ("rules", "row"),
    [pytest.param(rules, row, id=f"{name} {row.lowest} {row.code}") for name, rules in TABLES.items() for row in rules],
)
def test_no_row_is_hidden_by_an_earlier_one(rules: tuple[Rule, ...], row: Rule) -> None:
    statuses = range(row.lowest, row.highest + 1)
    assert row in {next(one for one in rules if one.fits(status, row.code)) for status in statuses}
    assert row.source


@pytest.mark.parametrize(
    ("status", "verdict", "needs_alarm"),
    [
        (100, Verdict.UNCERTAIN, True),
        (202, Verdict.UNCERTAIN, True),
        (302, Verdict.UNAVAILABLE, True),
        (400, Verdict.UNAVAILABLE, True),
        (401, Verdict.UNAVAILABLE, True),
        (403, Verdict.UNAVAILABLE, True),
        (404, Verdict.UNAVAILABLE, True),
        (408, Verdict.UNCERTAIN, False),
        (422, Verdict.UNAVAILABLE, True),
        (429, Verdict.UNAVAILABLE, False),
        (500, Verdict.UNCERTAIN, False),
        (503, Verdict.UNCERTAIN, False),
        (999, Verdict.UNCERTAIN, False),
    ],
)
def test_an_answer_that_the_provider_did_not_document(status: int, verdict: Verdict, needs_alarm: bool) -> None:
    judgement = judge((), answered(status))
    assert (judgement.verdict, judgement.needs_alarm) == (verdict, needs_alarm)


def test_no_undocumented_answer_is_a_refusal_or_a_success() -> None:
    verdicts = {judge((), answered(status)).verdict for status in range(100, 600)}
    assert verdicts == {Verdict.UNAVAILABLE, Verdict.UNCERTAIN}


def test_a_code_counts_only_in_its_own_row() -> None:
    assert judge(RECIPIENT_RULES, answered(404), "recipient-not-found").verdict is Verdict.REFUSED
    moved = judge(RECIPIENT_RULES, answered(404), None)
    assert (moved.verdict, moved.needs_alarm) == (Verdict.UNAVAILABLE, True)


def test_retry_after_is_kept_for_what_is_to_be_sent_again() -> None:
    assert judge((), answered(429, "30")).retry_after == dt.timedelta(seconds=30)
    assert judge((), answered(503, "30")).retry_after is None


def test_a_call_that_never_left_is_unavailable_and_a_lost_answer_uncertain() -> None:
    assert judge_failure(NotSent("bank", "no connection")).verdict is Verdict.UNAVAILABLE
    assert judge_failure(NotSent("bank", "certificate", needs_alarm=True)).needs_alarm
    assert judge_failure(AnswerLost("bank", "reset")).verdict is Verdict.UNCERTAIN


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_an_outcome_by_the_same_word(verdict: Verdict) -> None:
    said = result(Judgement(verdict, "x" * 500, True, dt.timedelta(1)), "reference")
    assert said.outcome is Outcome(verdict.value)
    assert (said.provider_reference, said.needs_alarm, said.retry_after) == ("reference", True, dt.timedelta(1))
    assert said.detail == "x" * 200
