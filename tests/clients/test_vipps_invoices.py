"""Each answer to an invoice means what its row says, and the same invoice again is no conflict."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clients.connect import connect
from app.clients.http import CallFailed, Witness
from app.clients.rules import Judgement, Verdict
from app.clients.vipps_contract import State, VippsStatus, judge_status
from app.core.clock import OSLO, Clock
from app.core.settings import Settings, load_settings
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Faults, Person, write_world
from app.sandbox.world import Vipps as Known
from tests.clients.fakes import answer
from tests.clients.vipps_support import (
    INVOICE_ID,
    INVOICES,
    MOBILE,
    PROBLEMS,
    invoice,
    problem,
    shown,
    vipps,
)


def test_an_invoice_says_what_the_swagger_file_wants() -> None:
    client, told = vipps(invoices=answer(200))
    long = "Interkommunalt renovasjonsselskap for Ryfylke IKS"
    assert client.put(invoice(issuer_name=long), "recipient-1", Witness("demand", "F-1")).verdict is Verdict.ACCEPTED
    assert told.bodies(INVOICES) == [
        {
            "recipientToken": "recipient-1",
            "paymentInformation": {"type": "kid", "value": "1234567897", "account": "12345678911"},
            "invoiceType": "invoice",
            "due": "2026-12-21T12:00:00+01:00",
            "amount": 154334,
            "minAmount": 154334,
            "subject": "Faktura 1",
            "issuerName": long[:40],
            "commercialInvoice": [{"mimeType": "application/pdf", "url": "https://us.test/presentasjon/x"}],
        }
    ]


@pytest.mark.parametrize(
    ("due_on", "due"),
    [
        (dt.date(2027, 1, 15), "2027-01-15T12:00:00+01:00"),
        (dt.date(2027, 3, 28), "2027-03-28T12:00:00+02:00"),
        (dt.date(2027, 7, 15), "2027-07-15T12:00:00+02:00"),
        (dt.date(2027, 10, 31), "2027-10-31T12:00:00+01:00"),
    ],
)
def test_the_due_date_has_the_offset_of_its_own_day(due_on: dt.date, due: str) -> None:
    found = invoice(due_on=due_on).due
    assert found == due
    assert dt.datetime.fromisoformat(found).astimezone(dt.UTC).date() == due_on


@pytest.mark.parametrize(
    ("reply", "verdict", "needs_alarm"),
    [
        (answer(200), Verdict.ACCEPTED, False),
        (problem(400, "invoice-rejected-by-partner"), Verdict.REFUSED, False),
        (problem(400, "recipient-token-expired"), Verdict.UNAVAILABLE, False),
        (problem(400, "invalid-invoice-id"), Verdict.UNAVAILABLE, True),
        (answer(401), Verdict.UNAVAILABLE, True),
        (problem(403, "forbidden"), Verdict.UNAVAILABLE, True),
        (answer(404), Verdict.UNAVAILABLE, True),
        (httpx.Response(429, headers={"Retry-After": "2"}), Verdict.UNAVAILABLE, False),
        (answer(500), Verdict.UNCERTAIN, False),
        (httpx.Response(502, text="<html>"), Verdict.UNCERTAIN, False),
        (answer(204), Verdict.UNCERTAIN, True),
        (httpx.ConnectTimeout("x"), Verdict.UNAVAILABLE, False),
        (httpx.ReadTimeout("x"), Verdict.UNCERTAIN, False),
        (httpx.ReadError("reset"), Verdict.UNCERTAIN, False),
        (httpx.RemoteProtocolError("malformed"), Verdict.UNCERTAIN, False),
    ],
)
def test_each_answer_to_an_invoice(reply: Any, verdict: Verdict, needs_alarm: bool) -> None:
    client, told = vipps(invoices=reply)
    judgement = client.put(invoice(), "recipient-1")
    assert (judgement.verdict, judgement.needs_alarm) == (verdict, needs_alarm)
    # After 401 once more with a new token; otherwise an invoice is put once.
    assert told.paths().count(INVOICES) == (2 if getattr(reply, "status_code", 0) == 401 else 1)


def test_too_many_calls_say_when_to_come_back() -> None:
    client, _ = vipps(invoices=httpx.Response(429, headers={"Retry-After": "2"}))
    assert client.put(invoice(), "recipient-1").retry_after == dt.timedelta(seconds=2)


CONFLICT = problem(409, "invoice-conflict")


def test_a_conflict_with_the_same_invoice_is_no_conflict() -> None:
    client, told = vipps(invoices=[CONFLICT, answer(200, shown())])
    assert client.put(invoice(), "recipient-1").verdict is Verdict.ACCEPTED
    assert [request.method for request in told.requests if request.url.path == INVOICES] == ["PUT", "GET"]


@pytest.mark.parametrize(
    "there",
    [
        answer(200, shown(amount=1)),
        answer(200, shown(due="2026-12-22T11:00:00Z")),
        answer(200, shown(due="2026-12-21T11:00:00")),
        answer(200, shown(paymentInformation={"value": "1234567897", "account": "86011117947"})),
        answer(200, shown(paymentInformation={"value": "2345676", "account": "12345678911"})),
        answer(200, shown(paymentInformation=None)),
        answer(404),
        answer(500),
        httpx.ReadTimeout("x"),
    ],
)
def test_a_conflict_with_anything_else_is_our_fault_and_uncertain(there: Any) -> None:
    client, _ = vipps(invoices=[CONFLICT, there])
    judgement = client.put(invoice(), "recipient-1")
    assert (judgement.verdict, judgement.needs_alarm) == (Verdict.UNCERTAIN, True)


@pytest.mark.parametrize("state", list(State))
def test_each_state_is_read(state: State) -> None:
    client, _ = vipps(invoices=answer(200, shown(state.value)))
    found = client.get(INVOICE_ID)
    assert found is not None
    assert (found.state, found.etag, found.problem) == (state, "etag-1", None)


def test_a_rejected_invoice_says_why_without_free_text() -> None:
    why = [{"type": f"{PROBLEMS}/invoice-rejected-by-partner"}, {"type": "second"}]
    status = {"state": "rejected", "etag": "old", "problems": why}
    found = vipps(invoices=answer(200, shown(status=status, etag=None)))[0].get(INVOICE_ID)
    assert found is not None
    assert (found.problem, found.etag) == ("invoice-rejected-by-partner", "old")
    assert judge_status(found) == Judgement(Verdict.REFUSED, "rejected invoice-rejected-by-partner")
    told = {**status, "problems": [{"type": "Kari Nordmann, 4740040040"}]}
    hidden = vipps(invoices=answer(200, shown(status=told)))[0].get(INVOICE_ID)
    assert hidden is not None
    assert hidden.problem is None


def test_an_invoice_that_vipps_never_had() -> None:
    for reply in (problem(404, "invoice-not-found"), httpx.Response(404)):
        assert vipps(invoices=reply)[0].get(INVOICE_ID) is None
    assert judge_status(None).verdict is Verdict.UNAVAILABLE
    assert not judge_status(None).needs_alarm


@pytest.mark.parametrize(
    "reply",
    [answer(500), answer(401), problem(404, "moved"), answer(200, shown("new")), answer(200), httpx.ReadTimeout("x")],
)
def test_a_state_that_cannot_be_read_is_a_failure(reply: Any) -> None:
    with pytest.raises(CallFailed):
        vipps(invoices=reply)[0].get(INVOICE_ID)


@pytest.mark.parametrize("state", [state for state in State if state is not State.REJECTED])
def test_an_invoice_that_is_there_was_taken(state: State) -> None:
    assert judge_status(VippsStatus(state, "etag")) == Judgement(Verdict.ACCEPTED, state.value)


@pytest.mark.parametrize(
    ("reply", "verdict", "needs_alarm"),
    [
        (httpx.Response(204), Verdict.ACCEPTED, False),
        (problem(404, "invoice-not-found"), Verdict.REFUSED, False),
        (problem(409, "state-transition-not-allowed"), Verdict.REFUSED, False),
        (problem(409, "invoice-status-etag-mismatch"), Verdict.UNAVAILABLE, False),
        (answer(400), Verdict.UNAVAILABLE, True),
        (answer(500), Verdict.UNCERTAIN, False),
        (httpx.ReadTimeout("x"), Verdict.UNCERTAIN, False),
        (httpx.ConnectTimeout("x"), Verdict.UNAVAILABLE, False),
    ],
)
def test_each_answer_to_a_revocation(reply: Any, verdict: Verdict, needs_alarm: bool) -> None:
    client, told = vipps(invoices=reply)
    judgement = client.revoke(INVOICE_ID, "etag-1", "key-1")
    assert (judgement.verdict, judgement.needs_alarm) == (verdict, needs_alarm)
    request = told.requests[-1]
    assert request.url.path == f"{INVOICES}/status/revoked"
    assert (request.headers["if-match"], request.headers["idempotency-key"]) == ("etag-1", "key-1")


@pytest.fixture
def development(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, instance_dir=tmp_path / "instance")


def test_the_stand_in_takes_shows_repeats_and_gives_back(development: Settings) -> None:
    people = [
        Person("20914695016", MOBILE, "Kari", vipps=Known(True)),
        Person("22885399316", "+4740040041", "Ola", vipps=Known(False)),
    ]
    write_world(development.sandbox_dir, people, Faults())
    clients = connect(development, Clock(), SandboxTransport(development.sandbox_dir))
    sent = invoice(due_on=dt.datetime.now(OSLO).date() + dt.timedelta(days=20))
    assert clients.vipps.recipient_token("+4740040041")[0].verdict is Verdict.REFUSED
    _, token = clients.vipps.recipient_token(MOBILE)
    assert clients.vipps.get(INVOICE_ID) is None
    for _ in range(2):
        assert clients.vipps.put(sent, token, Witness("demand", "F-1")).verdict is Verdict.ACCEPTED
    found = clients.vipps.get(INVOICE_ID)
    assert found is not None
    assert found.state is State.PENDING
    assert sent.is_shown_as(found.content)
    elsewhere = clients.vipps.put(invoice(due_on=sent.due_on, document_url="https://us.test/presentasjon/y"), token)
    assert elsewhere.verdict is Verdict.ACCEPTED
    other = clients.vipps.put(invoice(due_on=sent.due_on, amount_ore=1), token)
    assert (other.verdict, other.needs_alarm) == (Verdict.UNCERTAIN, True)
    for _ in range(2):
        assert clients.vipps.revoke(INVOICE_ID, found.etag, "key-1").verdict is Verdict.ACCEPTED
    again = clients.vipps.get(INVOICE_ID)
    clients.close()
    assert again is not None
    assert again.state is State.REVOKED
