"""Vipps: each answer means what its row says, and the same invoice again is no conflict."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.clients.http import CallFailed, NotSent
from app.clients.rules import Verdict
from tests.clients.fakes import answer
from tests.clients.vipps_support import (
    MOBILE,
    RECIPIENT,
    TOKENS,
    invoice,
    problem,
    vipps,
)


def test_a_recipient_token_is_asked_for_by_number_without_plus() -> None:
    client, told = vipps(tokens=RECIPIENT)
    judgement, token = client.recipient_token(MOBILE)
    assert (judgement.verdict, token) == (Verdict.ACCEPTED, "recipient-1")
    assert told.bodies(TOKENS) == [{"type": "msisdn", "value": "4740040040"}]
    login, question = told.requests
    assert (login.headers["client_id"], login.headers["client_secret"]) == ("us", "secret")
    assert question.headers["authorization"] == "Bearer access-1"
    assert "client_secret" not in question.headers
    for request in told.requests:
        assert request.headers["ocp-apim-subscription-key"] == "sub"
        assert "40040040" not in str(request.url)


@pytest.mark.parametrize(
    ("reply", "verdict", "needs_alarm"),
    [
        (problem(404, "recipient-not-found"), Verdict.REFUSED, False),
        (problem(400, "invalid-recipient-value-msisdn"), Verdict.REFUSED, False),
        (problem(400, "unknown-ident-type"), Verdict.UNAVAILABLE, True),
        (answer(404), Verdict.UNAVAILABLE, True),
        (httpx.Response(404, text="<html>"), Verdict.UNAVAILABLE, True),
        (answer(401), Verdict.UNAVAILABLE, True),
        (answer(403), Verdict.UNAVAILABLE, True),
        (httpx.Response(429), Verdict.UNAVAILABLE, False),
        (answer(500), Verdict.UNCERTAIN, False),
    ],
)
def test_each_answer_to_a_recipient_question(reply: Any, verdict: Verdict, needs_alarm: bool) -> None:
    judgement, token = vipps(tokens=reply)[0].recipient_token(MOBILE)
    assert (judgement.verdict, judgement.needs_alarm, token) == (verdict, needs_alarm, "")
    assert "40040040" not in judgement.detail


@pytest.mark.parametrize("reply", [answer(200), answer(200, {"recipientToken": ""}), httpx.Response(200, text="x")])
def test_a_recipient_answer_without_a_token_is_a_failure(reply: httpx.Response) -> None:
    with pytest.raises(CallFailed):
        vipps(tokens=reply)[0].recipient_token(MOBILE)


@pytest.mark.parametrize(
    ("reply", "needs_alarm"),
    [
        (answer(401), True),
        (answer(500), False),
        (answer(429), False),
        (answer(200), False),
        (answer(200, {"access_token": "x", "expires_in": "soon"}), False),
        (httpx.ReadTimeout("x"), False),
        (httpx.ConnectError("x"), False),
    ],
)
def test_without_an_access_token_nothing_is_sent(reply: Any, needs_alarm: bool) -> None:
    client, told = vipps(access=reply)
    with pytest.raises(NotSent) as caught:
        client.recipient_token(MOBILE)
    assert caught.value.needs_alarm == needs_alarm
    assert client.put(invoice(), "recipient-1").verdict is Verdict.UNAVAILABLE
    assert set(told.paths()) == {"/accesstoken/get"}


def test_an_access_token_is_kept_and_renewed_after_401() -> None:
    client, told = vipps(tokens=[RECIPIENT, RECIPIENT, answer(401), RECIPIENT])
    for _ in range(3):
        assert client.recipient_token(MOBILE)[1] == "recipient-1"
    assert told.paths().count("/accesstoken/get") == 2
    assert told.paths().count(TOKENS) == 4
