"""Vipps takes an invoice once by the sender's id, validates afterwards, and answers in the swagger file's shapes."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox.keys import SandboxKey
from app.sandbox.world import Faults, write_world
from tests.sandbox.samples import KARI, OLA, PEOPLE, VIPPS, lines, outcomes, vipps_headers, vipps_invoice

ID = "orgno-no.946485764.F-1001"
URL = f"{VIPPS}/invoices/{ID}"


@pytest.fixture
def headers(client: httpx.Client) -> dict[str, str]:
    return vipps_headers(client, **{"X-Witness-Invoice": "F-1001", "X-Witness-Kind": "demand"})


def ask_token(client: httpx.Client, headers: dict[str, str], kind: str, value: str) -> httpx.Response:
    return client.post(f"{VIPPS}/recipients/tokens", json={"type": kind, "value": value}, headers=headers)


def token_for_kari(client: httpx.Client, headers: dict[str, str]) -> str:
    token: str = ask_token(client, headers, "nin-no", str(KARI.national_id)).json()["recipientToken"]
    return token


def put(client: httpx.Client, headers: dict[str, str], **changed: Any) -> httpx.Response:
    return client.put(URL, json=vipps_invoice(token_for_kari(client, headers), **changed), headers=headers)


def problem(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert {"type", "title"} <= error.keys()
    kind: str = error["type"].removeprefix("https://vipps.no/invoice/v1/problems/")
    return kind


def status(client: httpx.Client, headers: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(URL, headers=headers).json()["status"]
    return found


@pytest.mark.parametrize(("kind", "value"), [("nin-no", KARI.national_id), ("msisdn", "4799999991")])
def test_someone_who_accepts_has_a_recipient_token(
    client: httpx.Client, headers: dict[str, str], kind: str, value: str
) -> None:
    answer = ask_token(client, headers, kind, value)
    assert answer.status_code == 200
    assert value not in answer.json()["recipientToken"]


def test_someone_who_does_not_accept_is_not_found(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = ask_token(client, headers, "msisdn", str(OLA.mobile).lstrip("+"))
    assert (answer.status_code, problem(answer)) == (404, "recipient-not-found")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("email", "a@example.com", "unknown-ident-type"),
        ("nin-no", "123", "invalid-recipient-value-nin"),
        ("msisdn", "+4799999991", "invalid-recipient-value-msisdn"),
    ],
)
def test_a_wrong_recipient_value_is_named(
    client: httpx.Client, headers: dict[str, str], kind: str, value: str, expected: str
) -> None:
    answer = ask_token(client, headers, kind, value)
    assert (answer.status_code, problem(answer)) == (400, expected)


def test_without_an_access_token_the_answer_is_401_in_the_gateways_shape(client: httpx.Client) -> None:
    answer = client.get(URL)
    assert answer.status_code == 401
    assert answer.json()["responseInfo"]["responseCode"] == 401
    assert "message" in answer.json()["result"]


def test_equal_content_again_is_200_and_a_repeat_even_with_a_new_token(
    directory: Path, client: httpx.Client, headers: dict[str, str]
) -> None:
    assert put(client, headers).status_code == 200
    assert put(client, headers).status_code == 200
    assert outcomes(directory, ID) == ["accepted", "repeat"]
    [accepted] = lines(directory, id=ID, outcome="accepted")
    assert (accepted["invoice"], accepted["kind"], accepted["service"]) == ("F-1001", "demand", "vipps")


def test_different_content_under_the_same_id_is_409(client: httpx.Client, headers: dict[str, str]) -> None:
    put(client, headers)
    answer = put(client, headers, amount=1, minAmount=1)
    assert (answer.status_code, problem(answer)) == (409, "invoice-conflict")


def test_the_state_goes_from_created_to_pending(directory: Path, client: httpx.Client, headers: dict[str, str]) -> None:
    write_world(directory, PEOPLE, ages={"vipps": {"pending": 3600}})
    put(client, headers)
    assert status(client, headers)["state"] == "created"
    write_world(directory, PEOPLE)
    assert status(client, headers)["state"] == "pending"


def test_an_invoice_is_shown_as_the_swagger_file_says(client: httpx.Client, headers: dict[str, str]) -> None:
    put(client, headers)
    shown = client.get(URL, headers=headers).json()
    assert shown["invoiceId"] == ID
    assert shown["paymentInformation"] == vipps_invoice("")["paymentInformation"]
    assert shown["commercialInvoice"] == [{"mimeType": "application/pdf"}]
    assert shown["providerId"] == {"identType": "orgno-no", "identValue": "946485764"}
    assert set(shown["recipient"]["identValue"]) == {"*"}
    assert {"state", "etag", "lastModified"} <= shown["status"].keys()


def far(days: int) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"due": far(0)}, "invalid-due-date"),
        ({"due": far(400)}, "invalid-due-date"),
        ({"due": "2027-01-15"}, "invalid-due-date"),
        ({"amount": -5}, "amount-negative"),
        ({"minAmount": 200000}, "invalid-min-amount"),
        ({"issuerName": "x" * 41}, "input-validation-failed"),
        ({"invoiceType": "letter"}, "invalid-invoice-type"),
        ({"commercialInvoice": []}, "invalid-commercial-invoice-url"),
        (
            {"commercialInvoice": [{"mimeType": "application/pdf", "url": "http://faktura.example.com"}]},
            "invalid-commercial-invoice-url",
        ),
        (
            {"paymentInformation": {"type": "kid", "value": "123456783", "account": "15038366383"}},
            "invalid-payment-information-kid",
        ),
        (
            {"paymentInformation": {"type": "kid", "value": "123456782", "account": "15038366384"}},
            "invalid-payment-information-account",
        ),
    ],
)
def test_what_is_invalid_is_taken_and_rejected_afterwards(
    directory: Path, client: httpx.Client, headers: dict[str, str], changed: dict[str, Any], expected: str
) -> None:
    assert put(client, headers, **changed).status_code == 200
    assert outcomes(directory, ID) == ["accepted"]
    found = status(client, headers)
    assert found["state"] == "rejected"
    assert found["problems"][0]["type"].endswith(f"/{expected}")
    status(client, headers)
    assert outcomes(directory, ID) == ["accepted", "refused"]


@pytest.mark.parametrize(
    ("invoice_id", "expected"),
    [
        ("F-1001", "invalid-invoice-id-format"),
        ("nin-no.946485764.F-1001", "invalid-invoice-id-issuer-ident-type"),
        ("orgno-no.946485765.F-1001", "invalid-invoice-id-issuer-ident-value"),
        (f"orgno-no.946485764.{'1' * 200}", "invalid-invoice-id-length"),
    ],
)
def test_a_wrong_invoice_id_is_named(
    client: httpx.Client, headers: dict[str, str], invoice_id: str, expected: str
) -> None:
    answer = client.put(f"{VIPPS}/invoices/{invoice_id}", json=vipps_invoice("x"), headers=headers)
    assert (answer.status_code, problem(answer)) == (400, expected)


def test_a_recipient_token_lives_fifteen_minutes(
    directory: Path, client: httpx.Client, headers: dict[str, str]
) -> None:
    content = {"type": "nin-no", "value": str(KARI.national_id)}
    key = SandboxKey(directory)
    for age, expected in ((14, 200), (16, 400)):
        body = vipps_invoice(key.seal(content, time.time() - age * 60))
        answer = client.put(f"{VIPPS}/invoices/orgno-no.946485764.{age}", json=body, headers=headers)
        assert answer.status_code == expected
    assert problem(answer) == "recipient-token-expired"


def test_an_unknown_invoice_is_404(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.get(URL, headers=headers)
    assert (answer.status_code, problem(answer)) == (404, "invoice-not-found")


def test_revoking_needs_the_newest_etag_and_is_idempotent_by_its_key(
    directory: Path, client: httpx.Client, headers: dict[str, str]
) -> None:
    put(client, headers)
    etag = status(client, headers)["etag"]

    def revoke(**more: str) -> httpx.Response:
        return client.put(f"{URL}/status/revoked", headers={**headers, **more})

    assert problem(revoke()) == "missing-header-if-match"
    assert problem(revoke(**{"If-Match": etag})) == "missing-header-idempotency-key"
    stale = revoke(**{"If-Match": "old", "Idempotency-Key": "k"})
    assert (stale.status_code, problem(stale)) == (409, "invoice-status-etag-mismatch")
    assert revoke(**{"If-Match": etag, "Idempotency-Key": "k"}).status_code == 204
    assert revoke(**{"If-Match": etag, "Idempotency-Key": "k"}).status_code == 204
    assert revoke(**{"If-Match": etag, "Idempotency-Key": "other"}).status_code == 409
    assert status(client, headers)["state"] == "revoked"
    assert outcomes(directory, ID) == ["accepted", "refused"]


def test_a_late_refusal_is_pending_no_more_when_it_is_asked_about(
    directory: Path, client: httpx.Client, headers: dict[str, str]
) -> None:
    write_world(directory, PEOPLE, Faults(invoices={"F-1001": {"vipps": "late_refusal"}}))
    assert put(client, headers).status_code == 200
    found = status(client, headers)
    assert found["state"] == "rejected"
    assert found["problems"][0]["type"].endswith("/invoice-rejected-by-partner")
