"""The eFaktura gateway keeps its contract: consumers by exact hit, transactions by their own ids and codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox.world import Efaktura, Faults, Person, write_world
from tests.sandbox.samples import EFAKTURA, ISSUER, KARI, OLA, PEOPLE, lines, outcomes, shipment, transaction

NAMESAKE = Person(
    None, "+4799999993", "Kari Nordmann", efaktura=Efaktura("EF000000000000009", True), postal_code="4100"
)


def find(client: httpx.Client, *people: dict[str, Any], issuer: str = ISSUER) -> list[dict[str, Any]]:
    asked = [{"ref": str(number), **person} for number, person in enumerate(people)]
    answer = client.post(f"{EFAKTURA}/identifiers", json={"issuer": issuer, "people": asked})
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["people"]
    assert [one["ref"] for one in found] == [one["ref"] for one in asked]
    return found


def send(client: httpx.Client, body: dict[str, Any], **witness: str) -> httpx.Response:
    return client.post(f"{EFAKTURA}/shipments", json=body, headers=witness)


def code_of(client: httpx.Client, one: dict[str, Any]) -> int | None:
    answer = send(client, shipment(one))
    assert answer.status_code == 200
    code: int | None = answer.json()["transactions"][0]["code"]
    return code


def state(client: httpx.Client, one: dict[str, Any]) -> tuple[str, int | None]:
    answer = client.get(f"{EFAKTURA}/transactions/{one['transactionId']}").json()
    return answer["status"], answer["code"]


def test_a_consumer_is_found_by_national_id_identifier_or_name_and_address(client: httpx.Client) -> None:
    keys: tuple[dict[str, Any], ...] = (
        {"nationalId": KARI.national_id},
        {"efakturaIdentifier": "EF000000000000001"},
        {"name": "kari  NORDMANN", "postalCode": "4100"},
    )
    for one in find(client, *keys):
        assert (one["result"], one["identifier"], one["accepts"]) == ("match", "EF000000000000001", True)


def test_a_blocked_issuer_is_not_accepted_and_another_is(client: httpx.Client) -> None:
    ola = {"nationalId": OLA.national_id}
    assert find(client, ola)[0]["accepts"] is False
    assert find(client, ola, issuer="123456785")[0]["accepts"] is True


def test_two_of_one_name_are_multiple_until_another_key_tells_them_apart(directory: Path, client: httpx.Client) -> None:
    write_world(directory, [*PEOPLE, NAMESAKE])
    name = {"name": "Kari Nordmann", "postalCode": "4100"}
    alike, told_apart, other = find(
        client, name, {**name, "mobile": NAMESAKE.mobile}, {**name, "addressLine": "Utsikten 1"}
    )
    assert (alike["result"], alike["identifier"]) == ("multiple", None)
    assert told_apart["identifier"] == "EF000000000000009"
    assert other["identifier"] == "EF000000000000001"


def test_nobody_is_made_up_from_a_name(client: httpx.Client) -> None:
    assert find(client, {"name": "Ingen Slik", "postalCode": "4100"})[0]["result"] == "none"


@pytest.mark.parametrize(
    "body",
    [
        {"issuer": ISSUER, "people": []},
        {"issuer": ISSUER, "people": [{"ref": "1", "nationalId": "1"}]},
        {"issuer": ISSUER, "people": [{"ref": "1"}]},
        {"issuer": ISSUER, "people": [{"ref": "1", "nationalId": "20914695016"}] * 1001},
        {"issuer": "1", "people": [{"ref": "1", "nationalId": "20914695016"}]},
        [],
    ],
)
def test_a_look_up_that_breaks_the_contract_is_400_and_names_no_number(client: httpx.Client, body: Any) -> None:
    answer = client.post(f"{EFAKTURA}/identifiers", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 4000)
    assert "2091469" not in answer.text


def test_transactions_are_taken_or_refused_one_by_one(directory: Path, client: httpx.Client) -> None:
    good, bad = transaction(invoiceNumber="F-1"), transaction(invoiceNumber="F-2", efakturaIdentifier="EFX")
    answer = send(client, shipment(good, bad))
    assert answer.json()["status"] == "IN_PROGRESS"
    assert [one["code"] for one in answer.json()["transactions"]] == [None, 5002]
    assert (outcomes(directory, good["transactionId"]), outcomes(directory, bad["transactionId"])) == (
        ["accepted"],
        ["refused"],
    )
    assert [one["invoice"] for one in lines(directory, service="efaktura")] == ["F-1", "F-2"]
    assert state(client, good) == ("PROCESSED", None)
    assert state(client, bad) == ("STOPPED", 5002)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"kid": ""}, 3020),
        ({"account": "15038366384"}, 5006),
        ({"efakturaIdentifier": None}, 5003),
        ({"documentType": "CREDIT_NOTE"}, 3100),
        ({"paymentType": "EFAKTURA_AND_AVTALEGIRO"}, 3101),
        ({"paymentType": None}, 3010),
        ({"amount": "1050.00"}, 3011),
        ({"dueDate": "15.12.2026"}, 3011),
        ({"presentationUrl": ""}, 3011),
        ({"efakturaIdentifier": "EF000000000000002"}, 5002),
        ({}, None),
    ],
)
def test_each_fault_of_a_transaction_has_its_code(
    client: httpx.Client, changed: dict[str, Any], code: int | None
) -> None:
    assert code_of(client, transaction(**changed)) == code


def test_a_shipment_that_exists_is_409_and_its_status_tells_what_was_taken(
    directory: Path, client: httpx.Client
) -> None:
    one = transaction()
    body = shipment(one)
    send(client, body)
    again = send(client, body)
    assert (again.status_code, again.json()["code"]) == (409, 3002)
    assert outcomes(directory, one["transactionId"]) == ["accepted", "repeat"]
    answer = client.get(f"{EFAKTURA}/shipments/{body['shipmentId']}").json()
    assert answer["status"] == "PROCESSED"
    assert [each["transactionId"] for each in answer["transactions"]] == [one["transactionId"]]


def test_a_transaction_that_exists_is_3003_in_another_shipment(directory: Path, client: httpx.Client) -> None:
    one = transaction()
    assert [code_of(client, one), code_of(client, one)] == [None, 3003]
    assert outcomes(directory, one["transactionId"]) == ["accepted", "repeat"]


@pytest.mark.parametrize(
    "changed",
    [
        {"shipmentId": "5B1CC3FB-B776-4730-B017-1028B86A8B8B"},
        {"transactions": []},
        {"transactions": [transaction()] * 2},
        {"transactions": [transaction() for _ in range(1001)]},
        {"issuer": None},
    ],
)
def test_a_shipment_that_breaks_the_contract_takes_nothing(
    directory: Path, client: httpx.Client, changed: dict[str, Any]
) -> None:
    answer = send(client, shipment(**changed))
    assert (answer.status_code, answer.json()["code"]) == (400, 4000)
    assert lines(directory) == []


def test_what_goes_beside_an_external_claim_is_a_notice_and_the_header_wins_for_one(
    directory: Path, client: httpx.Client
) -> None:
    claim = "EFAKTURA_AND_EXTERNAL_AVTALEGIRO"
    send(
        client,
        shipment(transaction(paymentType=claim, invoiceNumber="A"), transaction(invoiceNumber="B")),
        **{"X-Witness-Kind": "demand"},
    )
    send(client, shipment(transaction(invoiceNumber="C")), **{"X-Witness-Kind": "notice"})
    kinds = {one["invoice"]: one["kind"] for one in lines(directory, outcome="accepted")}
    assert kinds == {"A": "notice", "B": "demand", "C": "notice"}


def test_states_pass_by_age(directory: Path, client: httpx.Client) -> None:
    write_world(directory, PEOPLE, ages={"efaktura": {"PROCESSED": 3600}})
    one = transaction()
    send(client, shipment(one))
    assert state(client, one) == ("IN_PROGRESS", None)
    write_world(directory, PEOPLE)
    assert state(client, one) == ("PROCESSED", None)


def test_a_late_refusal_stops_a_transaction_and_takes_it_back_in_the_log(directory: Path, client: httpx.Client) -> None:
    write_world(directory, PEOPLE, Faults(people={str(KARI.national_id): {"efaktura": "late_refusal"}}))
    one = transaction()
    assert code_of(client, one) is None
    assert [state(client, one), state(client, one)] == [("STOPPED", 5002)] * 2
    assert outcomes(directory, one["transactionId"]) == ["accepted", "refused"]


def test_a_consumer_who_withdrew_after_the_look_up_is_refused(directory: Path, client: httpx.Client) -> None:
    withdrawn = replace(KARI, efaktura=replace(KARI.efaktura, accepts=False))
    write_world(directory, [withdrawn])
    assert code_of(client, transaction()) == 5002


def test_cancelling_takes_back_once(directory: Path, client: httpx.Client) -> None:
    one = transaction()
    send(client, shipment(one))
    address = f"{EFAKTURA}/transactions/{one['transactionId']}"
    assert [client.delete(address).json()["code"] for _ in range(2)] == [None, 205]
    assert state(client, one) == ("CANCELLED", None)
    assert outcomes(directory, one["transactionId"]) == ["accepted", "refused"]


def test_unknown_ids_are_201(client: httpx.Client) -> None:
    for address in ("transactions/x", "shipments/x"):
        answer = client.get(f"{EFAKTURA}/{address}")
        assert (answer.status_code, answer.json()["code"]) == (404, 201)
