"""eFaktura keeps the channel contract: one result a key, repeats recognised, receipts by what their state means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stamina

from app.channels.contract import MessageChannel, Outcome, ReceiptStatus
from app.channels.efaktura import EfakturaChannel
from app.clients.efaktura import Efaktura
from tests.channels.efaktura_support import made
from tests.clients.fakes import Told, answer, outside


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


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
