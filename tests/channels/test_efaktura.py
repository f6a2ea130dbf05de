"""eFaktura keeps the channel contract: one result a key, repeats recognised, receipts by what their state means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from app.channels.contract import MessageChannel, Outcome, ReceiptNote, ReceiptStatus
from app.channels.efaktura import EfakturaChannel
from app.clients.connect import efaktura_client
from app.clients.efaktura import Efaktura
from app.clients.http import outside as real_outside
from app.core.ids import derived_id
from app.core.links import presentation_links, presentation_signer
from app.core.settings import Settings, load_settings
from app.sandbox.received import read_log
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Efaktura as Known
from app.sandbox.world import Faults, Person, ServiceFaults, write_world
from tests.channels.consignments import NATIONAL_ID, consignment
from tests.clients.fakes import Told, answer, outside

IDENTIFIER = "EF000000000000001"


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def made(number: str = "20260001", **values: Any) -> Any:
    usual = {"recipient_efaktura_identifier": IDENTIFIER, "presentation_url": "https://us.test/presentasjon/x"}
    return consignment(number, **{**usual, **values})


def channel(replies: Any) -> tuple[EfakturaChannel, Told]:
    way, told = outside(replies)
    return EfakturaChannel(Efaktura(way, "https://gateway.test", "946485764"), 2), told


def taken(request: httpx.Request) -> httpx.Response:
    """Take everything."""
    body = json.loads(request.content)
    entries = [{"transactionId": one["transactionId"], "code": None} for one in body["transactions"]]
    return answer(200, {"shipmentId": body["shipmentId"], "transactions": entries})


def test_it_keeps_the_contract() -> None:
    kept: MessageChannel = channel({})[0]
    assert (kept.channel.value, kept.provider, kept.batch_size, kept.commit_each) == (
        "efaktura",
        "efaktura",
        1000,
        False,
    )


def test_a_batch_is_one_shipment_under_ids_of_our_own() -> None:
    efaktura, told = channel({"/v1/shipments": taken})
    batch = [made("1"), made("2", pays_by_avtalegiro=True)]
    results = efaktura.send(batch)
    [body] = told.bodies("/v1/shipments")
    assert [one["transactionId"] for one in body["transactions"]] == [one.key for one in batch]
    assert [one["paymentType"] for one in body["transactions"]] == ["EFAKTURA", "EFAKTURA_AND_EXTERNAL_AVTALEGIRO"]
    assert [one["amount"] for one in body["transactions"]] == [154334, 154334]
    assert {one.outcome for one in results.values()} == {Outcome.ACCEPTED}
    assert results[batch[0].key].provider_reference == f"{body['shipmentId']}/{batch[0].key}"


def test_the_same_batch_has_the_same_shipment_id_in_whatever_order() -> None:
    efaktura, told = channel({"/v1/shipments": taken})
    batch = [made("1"), made("2")]
    efaktura.send(batch)
    efaktura.send(batch[::-1])
    efaktura.send(batch[:1])
    ids = [body["shipmentId"] for body in told.bodies("/v1/shipments")]
    assert ids[0] == ids[1] != ids[2]


def test_more_than_a_thousand_go_in_several_shipments() -> None:
    efaktura, told = channel({"/v1/shipments": taken})
    results = efaktura.send([made(str(number)) for number in range(1001)])
    assert [len(body["transactions"]) for body in told.bodies("/v1/shipments")] == [1000, 1]
    assert len(results) == 1001


def test_whoever_has_no_identifier_any_more_is_refused_without_a_call() -> None:
    efaktura, told = channel({"/v1/shipments": taken})
    gone, here, unlinked = made("1", recipient_efaktura_identifier=None), made("2"), made("3", presentation_url="")
    results = efaktura.send([gone, here, unlinked])
    assert results[gone.key].outcome is Outcome.REFUSED
    assert results[here.key].outcome is Outcome.ACCEPTED
    assert (results[unlinked.key].outcome, results[unlinked.key].needs_alarm) == (Outcome.UNAVAILABLE, True)
    [body] = told.bodies("/v1/shipments")
    assert len(body["transactions"]) == 1


def test_one_refusal_is_of_one_invoice() -> None:
    first, second = made("1"), made("2")
    entries = [{"transactionId": first.key, "code": 5002}, {"transactionId": second.key, "code": None}]
    results = channel({"/v1/shipments": answer(200, {"transactions": entries})})[0].send([first, second])
    assert (results[first.key].outcome, results[first.key].detail) == (Outcome.REFUSED, "200 5002")
    assert results[first.key].provider_reference is None
    assert results[second.key].outcome is Outcome.ACCEPTED


def status(one: Any, state: str, code: int | None = None, shipment: str = "s-1") -> dict[str, Any]:
    return {"transactionId": one.key, "shipmentId": shipment, "status": state, "code": code}


def test_a_shipment_that_is_there_already_is_asked_about() -> None:
    batch = [made(str(number)) for number in range(4)]
    there = [status(batch[0], "IN_PROGRESS"), status(batch[1], "STOPPED", 5002), status(batch[2], "STOPPED", 5006)]
    replies = {"/v1/shipments/": answer(200, {"transactions": there}), "/v1/shipments": answer(409, {"code": 3002})}
    results = channel(replies)[0].send(batch)
    said = [(results[one.key].outcome, results[one.key].needs_alarm) for one in batch]
    assert said == [
        (Outcome.ACCEPTED, False),
        (Outcome.REFUSED, False),
        (Outcome.UNAVAILABLE, True),
        (Outcome.UNCERTAIN, True),
    ]
    assert results[batch[0].key].provider_reference == f"s-1/{batch[0].key}"


@pytest.mark.parametrize("reply", [answer(500), httpx.ReadTimeout("x"), answer(401), answer(404, {"code": 201})])
def test_a_known_shipment_without_a_status_stays_uncertain(reply: Any) -> None:
    one = made()
    replies = {"/v1/shipments/": reply, "/v1/shipments": answer(409, {"code": 3002})}
    assert channel(replies)[0].send([one])[one.key].outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (lambda one: answer(200, status(one, "PROCESSED")), Outcome.ACCEPTED),
        (lambda one: answer(200, status(one, "STOPPED", 5002)), Outcome.REFUSED),
        (lambda _one: answer(404, {"code": 201}), Outcome.UNCERTAIN),
        (lambda _one: answer(500), Outcome.UNCERTAIN),
    ],
)
def test_a_transaction_that_is_there_already_is_asked_about(reply: Any, outcome: Outcome) -> None:
    one = made()
    known = answer(200, {"transactions": [{"transactionId": one.key, "code": 3003}]})
    results = channel({"/v1/transactions/": reply(one), "/v1/shipments": known})[0].send([one])
    assert results[one.key].outcome is outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (lambda one: answer(200, status(one, "IN_PROGRESS")), Outcome.ACCEPTED),
        (lambda one: answer(200, status(one, "CANCELLED")), Outcome.ACCEPTED),
        (lambda one: answer(200, status(one, "STOPPED", 5002)), Outcome.REFUSED),
        (lambda _one: answer(404, {"code": 201}), Outcome.UNAVAILABLE),
        (lambda _one: answer(404), Outcome.UNCERTAIN),
        (lambda _one: answer(500), Outcome.UNCERTAIN),
        (lambda _one: httpx.ConnectTimeout("x"), Outcome.UNCERTAIN),
        (lambda _one: httpx.Response(200, text="x"), Outcome.UNCERTAIN),
    ],
)
def test_an_open_attempt_is_settled_by_asking(reply: Any, outcome: Outcome) -> None:
    one = made()
    found = channel({"/v1/transactions/": reply(one)})[0].find(one)
    assert found.outcome is outcome
    assert found.provider_reference == (f"s-1/{one.key}" if outcome in {Outcome.ACCEPTED, Outcome.REFUSED} else None)


def test_receipts_are_read_a_shipment_at_a_time() -> None:
    batch = [made(str(number)) for number in range(6)]
    states = ["IN_PROGRESS", "PENDING", "PROCESSED", "STOPPED", "CANCELLED"]
    there = [
        status(one, state, 5002 if state == "STOPPED" else None) for one, state in zip(batch[:5], states, strict=True)
    ]
    alone = status(batch[5], "PROCESSED", shipment="s-2")
    efaktura, told = channel(
        {"/v1/shipments/s-1": answer(200, {"transactions": there}), "/v1/transactions/": answer(200, alone)}
    )
    references = [f"s-1/{one.key}" for one in batch[:5]] + [f"s-2/{batch[5].key}"]
    notes = {note.provider_reference: note for note in efaktura.receipts(references)}
    assert [notes[reference].status for reference in references] == [
        ReceiptStatus.IN_TRANSIT,
        ReceiptStatus.IN_TRANSIT,
        ReceiptStatus.DELIVERED,
        ReceiptStatus.FAILED,
        ReceiptStatus.SETTLED_BY_HAND,
        ReceiptStatus.DELIVERED,
    ]
    assert notes[references[3]].detail == "5002"
    assert len(told.requests) == 2


@pytest.mark.parametrize("reply", [answer(500), answer(404, {"code": 201}), httpx.ReadTimeout("x")])
def test_a_receipt_that_cannot_be_read_now_is_left_out(reply: Any) -> None:
    references = [f"s-1/{made(str(number)).key}" for number in range(2)]
    assert channel({"/v1/shipments/": reply})[0].receipts(references) == []
    assert channel({"/v1/transactions/": reply})[0].receipts(references[:1]) == []


@pytest.fixture
def development(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, instance_dir=tmp_path / "instance")


def stand_in(settings: Settings, faults: Faults) -> EfakturaChannel:
    write_world(settings.sandbox_dir, [Person(NATIONAL_ID, None, "Kari", efaktura=Known(IDENTIFIER, True))], faults)
    way = real_outside(settings, SandboxTransport(settings.sandbox_dir))
    return EfakturaChannel(efaktura_client(settings, way), 2)


def demands(settings: Settings, number: str) -> list[str]:
    lines = [line for line in read_log(settings.sandbox_dir) if line["invoice"] == number]
    return [f"{line['kind']} {line['outcome']}" for line in lines]


@pytest.mark.parametrize("fault", ["timeout_after", "500_after"])
def test_the_stand_in_loses_its_answer_and_the_invoice_is_demanded_once(development: Settings, fault: str) -> None:
    efaktura, one = stand_in(development, Faults(invoices={"F-1": {"efaktura": [fault]}})), made("F-1")
    assert efaktura.send([one])[one.key].outcome is Outcome.UNCERTAIN
    found = efaktura.find(one)
    assert found.outcome is Outcome.ACCEPTED
    again = efaktura.send([one])[one.key]
    assert (again.outcome, again.provider_reference) == (Outcome.ACCEPTED, found.provider_reference)
    regrouped = efaktura.send([one, made("F-2")])
    assert {result.outcome for result in regrouped.values()} == {Outcome.ACCEPTED}
    assert demands(development, "F-1").count("demand accepted") == 1
    assert [note.status for note in efaktura.receipts([found.provider_reference or ""])] == [ReceiptStatus.DELIVERED]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("timeout_before", Outcome.UNAVAILABLE), ("429", Outcome.UNAVAILABLE), ("500", Outcome.UNCERTAIN)],
)
def test_the_stand_in_takes_nothing_and_the_next_try_does(development: Settings, fault: str, outcome: Outcome) -> None:
    efaktura, one = stand_in(development, Faults(invoices={"F-1": {"efaktura": [fault]}})), made("F-1")
    assert efaktura.send([one])[one.key].outcome is outcome
    assert efaktura.find(one).outcome is Outcome.UNAVAILABLE
    assert efaktura.send([one])[one.key].outcome is Outcome.ACCEPTED
    assert demands(development, "F-1") == ["demand failed", "demand accepted"]


def test_the_stand_in_refuses_at_once_or_later(development: Settings) -> None:
    efaktura = stand_in(
        development, Faults(invoices={"F-1": {"efaktura": "refuse"}, "F-2": {"efaktura": "late_refusal"}})
    )
    at_once, later = made("F-1"), made("F-2")
    results = efaktura.send([at_once, later])
    assert results[at_once.key].outcome is Outcome.REFUSED
    assert efaktura.find(at_once).outcome is Outcome.REFUSED
    reference = results[later.key].provider_reference or ""
    assert efaktura.receipts([reference]) == [ReceiptNote(reference, ReceiptStatus.FAILED, "5002")]


def test_the_stand_in_sees_a_notice_as_a_notice(development: Settings) -> None:
    efaktura = stand_in(development, Faults())
    efaktura.send([made("F-1", pays_by_avtalegiro=True, witness_kind="notice")])
    efaktura.send([made("F-2", pays_by_avtalegiro=True, witness_kind="notice"), made("F-3")])
    assert demands(development, "F-1") == ["notice accepted"]
    assert demands(development, "F-2") == ["notice accepted"]
    assert demands(development, "F-3") == ["demand accepted"]


def test_no_invoice_is_lost_or_demanded_twice_by_a_gateway_that_fails_half_the_time(development: Settings) -> None:
    kinds = ("429", "500", "timeout_before", "timeout_after", "500_after")
    efaktura = stand_in(development, Faults(services={"efaktura": ServiceFaults(0.5, kinds)}))
    waiting = {one.key: one for one in (made(f"F-{number}") for number in range(20))}
    for _ in range(60):
        for key, result in efaktura.send(list(waiting.values())[:7]).items():
            settled = efaktura.find(waiting[key]) if result.outcome is Outcome.UNCERTAIN else result
            if settled.outcome is Outcome.ACCEPTED:
                del waiting[key]
        if not waiting:
            break
    assert not waiting
    for number in range(20):
        assert demands(development, f"F-{number}").count("demand accepted") == 1


def test_a_presentation_link_is_ours_and_names_the_invoice(development: Settings) -> None:
    public_id = str(derived_id("invoice"))
    url = presentation_links(development)(public_id)
    base, _, token = url.rpartition("/")
    assert base == "http://127.0.0.1:8000/presentasjon"
    assert presentation_signer(development).read(token) == {"invoice": public_id}
