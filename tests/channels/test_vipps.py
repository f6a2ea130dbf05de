"""Vipps keeps the channel contract: who takes no invoices there leads on, everything else waits or is asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from app.channels.contract import MessageChannel, Outcome, ReceiptNote, ReceiptStatus
from app.channels.vipps import VippsChannel
from app.clients.connect import vipps_client
from app.clients.http import outside as real_outside
from app.clients.vipps import Vipps
from app.core.clock import OSLO
from app.core.settings import Settings, load_settings
from app.sandbox.received import read_log
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Faults, Person, ServiceFaults, write_world
from app.sandbox.world import Vipps as Known
from tests.channels.consignments import NATIONAL_ID, consignment
from tests.clients.fakes import Told, answer, outside

ISSUER = "946485764"
MOBILE = "+4790000017"
PROBLEMS = "https://vipps.no/invoice/v1/problems"


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def made(number: str = "20260001", **values: Any) -> Any:
    return consignment(number, **{"presentation_url": "https://us.test/presentasjon/x", **values})


def problem(status: int, kind: str) -> httpx.Response:
    return answer(status, {"error": {"type": f"{PROBLEMS}/{kind}"}})


def channel(**replies: Any) -> tuple[VippsChannel, Told]:
    paths = {
        "access": "/accesstoken/get",
        "tokens": "/vipps-isp/v1/recipients/tokens",
        "invoices": "/vipps-isp/v1/invoices",
    }
    usual = {
        "access": answer(200, {"access_token": "access-1", "expires_in": "3600"}),
        "tokens": answer(200, {"recipientToken": "recipient-1"}),
        "invoices": answer(200),
    }
    way, told = outside({paths[name]: reply for name, reply in {**usual, **replies}.items()})
    client = Vipps(way, "https://vipps.test", client_id="us", client_secret="secret", subscription_key="sub")
    return VippsChannel(client, ISSUER, 2), told


def test_it_keeps_the_contract() -> None:
    kept: MessageChannel = channel()[0]
    assert (kept.channel.value, kept.provider, kept.batch_size, kept.commit_each) == ("vipps", "vipps", 1, False)


def test_the_invoice_id_derives_from_the_attempt_and_is_the_reference() -> None:
    vipps, told = channel()
    one = made()
    result = vipps.send([one])[one.key]
    assert (result.outcome, result.provider_reference) == (Outcome.ACCEPTED, f"orgno-no.{ISSUER}.{one.key}")
    assert told.paths()[-1] == f"/vipps-isp/v1/invoices/orgno-no.{ISSUER}.{one.key}"
    assert MOBILE not in repr(told.paths())


@pytest.mark.parametrize(
    ("reply", "outcome", "needs_alarm"),
    [
        (problem(404, "recipient-not-found"), Outcome.REFUSED, False),
        (answer(404), Outcome.UNAVAILABLE, True),
        (answer(401), Outcome.UNAVAILABLE, True),
        (answer(403), Outcome.UNAVAILABLE, True),
        (httpx.Response(429), Outcome.UNAVAILABLE, False),
        (answer(500), Outcome.UNAVAILABLE, False),
        (httpx.ConnectTimeout("x"), Outcome.UNAVAILABLE, False),
        (httpx.ReadTimeout("x"), Outcome.UNAVAILABLE, False),
        (httpx.Response(200, text="x"), Outcome.UNAVAILABLE, False),
    ],
)
def test_however_the_recipient_question_ends_nothing_was_sent(reply: Any, outcome: Outcome, needs_alarm: bool) -> None:
    vipps, told = channel(tokens=reply)
    one = made()
    result = vipps.send([one])[one.key]
    assert (result.outcome, result.needs_alarm, result.provider_reference) == (outcome, needs_alarm, None)
    assert not [path for path in told.paths() if "/invoices/" in path]


@pytest.mark.parametrize(
    ("reply", "outcome", "needs_alarm"),
    [
        (answer(200), Outcome.ACCEPTED, False),
        (problem(400, "invoice-rejected-by-partner"), Outcome.REFUSED, False),
        (problem(400, "invalid-json"), Outcome.UNAVAILABLE, True),
        (answer(403), Outcome.UNAVAILABLE, True),
        (httpx.Response(429, headers={"Retry-After": "3"}), Outcome.UNAVAILABLE, False),
        (answer(500), Outcome.UNCERTAIN, False),
        (httpx.ConnectError("x"), Outcome.UNAVAILABLE, False),
        (httpx.ReadTimeout("x"), Outcome.UNCERTAIN, False),
        (httpx.ReadError("reset"), Outcome.UNCERTAIN, False),
    ],
)
def test_each_answer_to_the_invoice(reply: Any, outcome: Outcome, needs_alarm: bool) -> None:
    one = made()
    result = channel(invoices=reply)[0].send([one])[one.key]
    assert (result.outcome, result.needs_alarm) == (outcome, needs_alarm)
    has_reference = outcome in {Outcome.ACCEPTED, Outcome.UNCERTAIN}
    assert (result.provider_reference is not None) == has_reference
    if isinstance(reply, httpx.Response) and reply.status_code == 429:
        assert result.retry_after == dt.timedelta(seconds=3)


def test_whoever_has_no_mobile_any_more_is_refused_without_a_call() -> None:
    vipps, told = channel()
    gone, unlinked = made("1", recipient_mobile=None), made("2", presentation_url="")
    results = vipps.send([gone, unlinked])
    assert results[gone.key].outcome is Outcome.REFUSED
    assert (results[unlinked.key].outcome, results[unlinked.key].needs_alarm) == (Outcome.UNAVAILABLE, True)
    assert not told.requests


def shown(state: str, problems: Any = None) -> httpx.Response:
    return answer(200, {"status": {"state": state, "etag": "e", "problems": problems}})


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (shown("created"), Outcome.ACCEPTED),
        (shown("pending"), Outcome.ACCEPTED),
        (shown("approved"), Outcome.ACCEPTED),
        (shown("rejected"), Outcome.REFUSED),
        (problem(404, "invoice-not-found"), Outcome.UNAVAILABLE),
        (shown("something-new"), Outcome.UNCERTAIN),
        (answer(500), Outcome.UNCERTAIN),
        (httpx.ConnectTimeout("x"), Outcome.UNCERTAIN),
    ],
)
def test_an_open_attempt_is_settled_by_asking(reply: Any, outcome: Outcome) -> None:
    found = channel(invoices=reply)[0].find(made())
    assert found.outcome is outcome
    if outcome is Outcome.UNAVAILABLE:
        assert not found.needs_alarm


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("created", ReceiptStatus.IN_TRANSIT),
        ("pending", ReceiptStatus.DELIVERED),
        ("approved", ReceiptStatus.READ),
        ("deleted", ReceiptStatus.READ),
        ("expired", ReceiptStatus.DELIVERED),
        ("rejected", ReceiptStatus.FAILED),
        ("revoked", ReceiptStatus.SETTLED_BY_HAND),
    ],
)
def test_each_state_as_a_receipt(state: str, status: ReceiptStatus) -> None:
    vipps, _ = channel(invoices=shown(state))
    assert vipps.receipts(["orgno-no.1.x"]) == [ReceiptNote("orgno-no.1.x", status, state)]


def test_a_rejected_receipt_says_why() -> None:
    why = [{"type": f"{PROBLEMS}/invoice-rejected-by-partner"}]
    [note] = channel(invoices=shown("rejected", why))[0].receipts(["orgno-no.1.x"])
    assert note.detail == "invoice-rejected-by-partner"


def test_a_receipt_that_cannot_be_read_now_is_left_out() -> None:
    for reply in (answer(500), problem(404, "invoice-not-found"), httpx.ReadTimeout("x")):
        assert channel(invoices=reply)[0].receipts(["a", "b"]) == []


@pytest.fixture
def development(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, instance_dir=tmp_path / "instance")


def stand_in(settings: Settings, faults: Faults) -> VippsChannel:
    write_world(settings.sandbox_dir, [Person(NATIONAL_ID, MOBILE, "Kari", vipps=Known(True))], faults)
    way = real_outside(settings, SandboxTransport(settings.sandbox_dir))
    return VippsChannel(vipps_client(settings, way), ISSUER, 2)


def due(number: str) -> Any:
    return made(number, due_on=dt.datetime.now(OSLO).date() + dt.timedelta(days=20))


def demands(settings: Settings, number: str) -> list[str]:
    lines = [line for line in read_log(settings.sandbox_dir) if line["invoice"] == number]
    return [f"{line['kind']} {line['outcome']}" for line in lines if line["kind"] != "lookup"]


@pytest.mark.parametrize("fault", ["timeout_after", "500_after"])
def test_the_stand_in_loses_its_answer_and_the_invoice_is_demanded_once(development: Settings, fault: str) -> None:
    vipps, one = stand_in(development, Faults(invoices={"F-1": {"vipps": [fault]}})), due("F-1")
    assert vipps.send([one])[one.key].outcome is Outcome.UNCERTAIN
    found = vipps.find(one)
    assert found.outcome is Outcome.ACCEPTED
    assert vipps.send([one])[one.key].outcome is Outcome.ACCEPTED
    assert demands(development, "F-1").count("demand accepted") == 1
    assert [note.status for note in vipps.receipts([found.provider_reference or ""])] == [ReceiptStatus.DELIVERED]


def test_the_stand_in_refuses_at_once_or_later(development: Settings) -> None:
    vipps = stand_in(development, Faults(invoices={"F-1": {"vipps": "refuse"}, "F-2": {"vipps": ["late_refusal"]}}))
    at_once, later = due("F-1"), due("F-2")
    results = vipps.send([at_once, later])
    assert results[at_once.key].outcome is Outcome.REFUSED
    reference = results[later.key].provider_reference or ""
    assert vipps.receipts([reference]) == [ReceiptNote(reference, ReceiptStatus.FAILED, "invoice-rejected-by-partner")]


def test_the_same_attempt_with_another_link_is_still_the_same_invoice(development: Settings) -> None:
    vipps, one = stand_in(development, Faults()), due("F-1")
    vipps.send([one])
    other = made("F-1", due_on=one.due_on, presentation_url="https://us.test/presentasjon/y")
    assert vipps.send([other])[one.key].outcome is Outcome.ACCEPTED
    wrong = made("F-1", due_on=one.due_on, amount_ore=1)
    result = vipps.send([wrong])[one.key]
    assert (result.outcome, result.needs_alarm) == (Outcome.UNCERTAIN, True)


def test_no_invoice_is_lost_or_demanded_twice_by_a_vipps_that_fails_half_the_time(development: Settings) -> None:
    kinds = ("429", "500", "timeout_before", "timeout_after", "500_after")
    vipps = stand_in(development, Faults(services={"vipps": ServiceFaults(0.5, kinds)}))
    waiting = {one.key: one for one in (due(f"F-{number}") for number in range(12))}
    for _ in range(60):
        for key, result in vipps.send(list(waiting.values())).items():
            settled = vipps.find(waiting[key]) if result.outcome is Outcome.UNCERTAIN else result
            assert settled.outcome is not Outcome.REFUSED
            if settled.outcome is Outcome.ACCEPTED:
                del waiting[key]
        if not waiting:
            break
    assert not waiting
    for number in range(12):
        assert demands(development, f"F-{number}").count("demand accepted") == 1
