"""Faults come on demand, the same at every run, and the log tells taken from not taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import SandboxTransport, create_sandbox
from app.sandbox.faults import SLOW_SECONDS, WHILE_SENDING, draw
from app.sandbox.world import FAULT_KINDS, Faults, ServiceFaults, WorldInvalid, faults_from_json, write_world
from tests.sandbox.samples import (
    EFAKTURA,
    KARI,
    PEOPLE,
    POINT,
    VIPPS,
    ask_for_token,
    attach,
    digital,
    lines,
    message_id,
    outcomes,
    register_key,
    send_message,
    shipment,
    transaction,
    vipps_headers,
    vipps_invoice,
)

ID = "orgno-no.946485764.F-1001"


def put(client: httpx.Client, invoice: str = "F-1001") -> httpx.Response:
    headers = vipps_headers(client, **{"X-Witness-Invoice": invoice, "X-Witness-Kind": "demand"})
    asked = {"type": "nin-no", "value": KARI.national_id}
    token = client.post(f"{VIPPS}/recipients/tokens", json=asked, headers=headers).json()["recipientToken"]
    body = vipps_invoice(token)
    return client.put(f"{VIPPS}/invoices/orgno-no.946485764.{invoice}", json=body, headers=headers)


def with_faults(directory: Path, **faults: Any) -> None:
    write_world(directory, PEOPLE, Faults(**faults))


def test_the_same_seed_id_and_try_draw_the_same_fault_and_another_seed_another() -> None:
    def drawn(seed: int) -> list[str]:
        faults = Faults(seed, {"vipps": ServiceFaults(0.3)})
        return [draw(faults, "vipps", "send", str(number), 0, WHILE_SENDING) for number in range(500)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(1)) == {"", *FAULT_KINDS}
    assert 100 < sum(bool(kind) for kind in drawn(1)) < 200


def test_only_kinds_that_fit_the_step_are_drawn() -> None:
    faults = Faults(0, {"vipps": ServiceFaults(1.0)})
    assert {draw(faults, "vipps", "status", str(one), 0, {"429", "slow"}) for one in range(100)} == {"429", "slow"}
    assert draw(faults, "vipps", "status", "1", 0, set()) == ""
    assert draw(faults, "sms", "send", "1", 0, WHILE_SENDING) == ""


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500)])
def test_what_fails_is_not_taken_and_a_repeat_succeeds(
    directory: Path, client: httpx.Client, kind: str, status: int
) -> None:
    with_faults(directory, invoices={"F-1001": {"vipps": [kind]}})
    answer = put(client)
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) is (kind == "429")
    assert put(client).status_code == 200
    assert outcomes(directory, ID) == ["failed", "accepted"]


def test_a_refusal_comes_with_the_token_and_with_the_invoice(directory: Path, client: httpx.Client) -> None:
    headers = vipps_headers(client, **{"X-Witness-Invoice": "F-1001"})
    asked = {"type": "nin-no", "value": KARI.national_id}
    token = client.post(f"{VIPPS}/recipients/tokens", json=asked, headers=headers).json()["recipientToken"]
    with_faults(directory, invoices={"F-1001": {"vipps": "refuse"}})
    assert client.post(f"{VIPPS}/recipients/tokens", json=asked, headers=headers).status_code == 404
    answer = client.put(f"{VIPPS}/invoices/{ID}", json=vipps_invoice(token), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"].endswith("/invoice-rejected-by-partner")
    assert outcomes(directory, ID) == ["refused"]


def test_a_time_out_before_is_no_connection_and_nothing_is_taken(directory: Path, client: httpx.Client) -> None:
    with_faults(directory, invoices={"F-1001": {"vipps": ["timeout_before"]}})
    with pytest.raises(httpx.ConnectTimeout):
        put(client)
    assert outcomes(directory, ID) == ["failed"]
    assert put(client).status_code == 200
    assert outcomes(directory, ID) == ["failed", "accepted"]


@pytest.mark.parametrize("kind", ["timeout_after", "500_after"])
def test_an_answer_that_is_lost_was_taken_and_a_repeat_is_recognised(
    directory: Path, client: httpx.Client, kind: str
) -> None:
    with_faults(directory, invoices={"F-1001": {"vipps": [kind]}})
    if kind == "timeout_after":
        with pytest.raises(httpx.ReadTimeout):
            put(client)
    else:
        assert put(client).status_code == 500
    assert outcomes(directory, ID) == ["accepted"]
    assert put(client).status_code == 200
    assert outcomes(directory, ID) == ["accepted", "repeat"]


def test_a_message_that_was_taken_is_never_refused_by_a_draw(directory: Path, client: httpx.Client) -> None:
    put(client)
    asked = {"type": "nin-no", "value": KARI.national_id}
    token = client.post(f"{VIPPS}/recipients/tokens", json=asked, headers=vipps_headers(client)).json()[
        "recipientToken"
    ]
    kinds = ("refuse", "late_refusal")
    with_faults(directory, services={"vipps": ServiceFaults(1.0, kinds)})
    headers = vipps_headers(client)
    assert client.put(f"{VIPPS}/invoices/{ID}", json=vipps_invoice(token), headers=headers).status_code == 200
    assert client.get(f"{VIPPS}/invoices/{ID}", headers=headers).json()["status"]["state"] == "pending"
    assert outcomes(directory, ID) == ["accepted", "repeat"]


def test_tries_are_counted_across_restarts(directory: Path) -> None:
    with_faults(directory, invoices={"F-1001": {"vipps": ["500", "500"]}})
    answers = [put(httpx.Client(transport=SandboxTransport(directory))).status_code for _ in range(3)]
    assert answers == [500, 500, 200]


def test_a_shipment_whose_answer_is_lost_is_known_by_its_status(directory: Path, client: httpx.Client) -> None:
    with_faults(directory, invoices={"F-1001": {"efaktura": ["timeout_after"]}})
    body = shipment(transaction())
    with pytest.raises(httpx.ReadTimeout):
        client.post(f"{EFAKTURA}/shipments", json=body)
    assert client.post(f"{EFAKTURA}/shipments", json=body).json()["code"] == 3002
    assert client.get(f"{EFAKTURA}/shipments/{body['shipmentId']}").json()["transactions"][0]["code"] is None


def test_a_shipment_that_did_not_arrive_can_be_sent_again(directory: Path, client: httpx.Client) -> None:
    with_faults(directory, invoices={"F-1001": {"efaktura": ["timeout_before"]}})
    body = shipment(transaction())
    with pytest.raises(httpx.ConnectTimeout):
        client.post(f"{EFAKTURA}/shipments", json=body)
    assert client.get(f"{EFAKTURA}/shipments/{body['shipmentId']}").status_code == 404
    assert client.post(f"{EFAKTURA}/shipments", json=body).json()["transactions"][0]["code"] is None


def test_a_letter_whose_answer_is_lost_was_sent(directory: Path, client: httpx.Client) -> None:
    with_faults(directory, invoices={"F-1001": {"eformidling": ["timeout_after"]}})
    document = digital()
    with pytest.raises(httpx.ReadTimeout):
        send_message(client, document)
    assert outcomes(directory, message_id(document)) == ["accepted"]
    again = client.post(f"{POINT}/messages/out", json=document).json()
    assert again["exception"].endswith(".MessageAlreadyExistsException")


def test_every_step_of_a_letter_can_fail_and_is_taken_once_in_the_end(directory: Path, client: httpx.Client) -> None:
    kinds = ("429", "500", "timeout_before", "timeout_after", "500_after")
    with_faults(directory, seed=3, services={"eformidling": ServiceFaults(0.4, kinds)})
    documents = [digital() for _ in range(15)]

    def insist(call: Any) -> None:
        for _ in range(60):
            try:
                answer = call()
            except httpx.TimeoutException:
                continue
            if answer.status_code == 200 or (answer.status_code == 400 and "xception" in answer.text):
                return
        pytest.fail("the fault never ends")

    for document in documents:
        identifier = message_id(document)
        insist(lambda document=document: client.post(f"{POINT}/messages/out", json=document))
        insist(lambda identifier=identifier: attach(client, identifier))
        insist(lambda identifier=identifier: client.post(f"{POINT}/messages/out/{identifier}"))
    accepted = [one["id"] for one in lines(directory, outcome="accepted", kind="demand")]
    assert sorted(accepted) == sorted(message_id(one) for one in documents)
    assert lines(directory, outcome="failed")


def test_a_refusal_by_person_closes_the_mailbox(directory: Path, client: httpx.Client) -> None:
    with_faults(directory, people={str(KARI.national_id): {"eformidling": "refuse"}})
    found = client.get(f"{POINT}/capabilities/{KARI.national_id}").json()["capabilities"]
    assert {one["documentTypes"][0]["type"] for one in found} == {"print"}
    assert client.post(f"{POINT}/messages/out", json=digital()).status_code == 400


def test_look_ups_fail_too_and_a_token_can_be_refused(directory: Path, client: httpx.Client) -> None:
    key = register_key(directory)
    with_faults(directory, services={"maskinporten": ServiceFaults(1.0, ("500",))})
    assert ask_for_token(client, key).status_code == 500
    with_faults(directory, services={"efaktura": ServiceFaults(1.0, ("429",))})
    asked = {"issuer": "946485764", "people": [{"ref": "1", "nationalId": KARI.national_id}]}
    assert client.post(f"{EFAKTURA}/identifiers", json=asked).status_code == 429
    assert [one["outcome"] for one in lines(directory, service="efaktura")] == ["failed"]


def test_slow_takes_its_time_and_then_the_message(
    directory: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("app.sandbox.standin.time.sleep", waits.append)
    with_faults(directory, invoices={"F-1001": {"vipps": "slow"}})
    assert put(client).status_code == 200
    assert waits == [SLOW_SECONDS]


@pytest.mark.parametrize(
    "entry",
    [
        {"services": {"fax": {"rate": 1}}},
        {"services": {"vipps": {"kinds": ["explode"]}}},
        {"people": {"20914695016": {"vipps": "explode"}}},
        {"invoices": {"F": {"fax": ["500"]}}},
    ],
)
def test_an_unknown_service_or_kind_is_an_error_without_a_number(entry: dict[str, Any]) -> None:
    with pytest.raises(WorldInvalid, match=r"fax|explode") as caught:
        faults_from_json(entry)
    assert "20914695016" not in str(caught.value)


def test_the_plain_wsgi_transport_reaches_the_stand_ins_too(directory: Path) -> None:
    client = httpx.Client(transport=httpx.WSGITransport(app=create_sandbox(directory)))
    assert put(client).status_code == 200


def test_a_host_without_a_stand_in_is_421(client: httpx.Client) -> None:
    assert client.get("https://example.com/").status_code == 421
