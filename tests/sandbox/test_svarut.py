"""SvarUt takes a consignment under an id of its own, finds its way, and recognises no repeat."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox.received import read_log
from app.sandbox.witness import count
from app.sandbox.world import Faults, write_world
from tests.sandbox.samples import DELETED, KARI, OLA, PDF, PEOPLE, ask_for_token, lines, outcomes, register_key

ACCOUNT = "5a7db0c0-0000-4000-8000-000000000001"
SENDING = f"https://svarut.ks.no/api/v2/kontoer/{ACCOUNT}/forsendelser"
NOBODY = {"navn": "Kari Nordmann", "adresselinje1": "Utsikten 1", "postnummer": "4100", "poststed": "JØRPELAND"}


@pytest.fixture
def headers(directory: Path, client: httpx.Client) -> dict[str, str]:
    answer = ask_for_token(client, register_key(directory), scope="ks:fiks")
    return {
        "Authorization": f"Bearer {answer.json()['access_token']}",
        "IntegrasjonId": ACCOUNT,
        "IntegrasjonPassord": "x",
        "X-Witness-Invoice": "F-1001",
        "X-Witness-Kind": "demand",
    }


def to(national_id: str | None, **changed: Any) -> dict[str, Any]:
    receiver = {**NOBODY, **({"digitalId": national_id} if national_id else {})}
    return {
        "tittel": "Faktura",
        "mottaker": receiver,
        "eksternReferanse": "key-1",
        "dokumenter": [{"filnavn": "faktura.pdf", "mimeType": "application/pdf"}],
        **changed,
    }


def post(client: httpx.Client, headers: dict[str, str], content: Any, pdf: bytes = PDF) -> httpx.Response:
    parts: list[tuple[str, Any]] = [
        ("forsendelse", (None, json.dumps(content).encode(), "application/json")),
        ("filer_0", ("faktura.pdf", pdf, "application/pdf")),
    ]
    return client.post(SENDING, files=parts, headers=headers)


def sent(client: httpx.Client, headers: dict[str, str], content: Any, pdf: bytes = PDF) -> str:
    answer = post(client, headers, content, pdf)
    assert answer.status_code == 200, answer.text
    identifier: str = answer.json()["id"]
    return identifier


def status(client: httpx.Client, headers: dict[str, str], *ids: str) -> list[str]:
    answer = client.post(f"{SENDING}/status-sok", json={"forsendelseIds": ids}, headers=headers)
    return [one["status"] for one in answer.json()["statuser"]]


def search(
    client: httpx.Client, headers: dict[str, str], reference: str = "key-1", address: str = SENDING
) -> list[str]:
    answer = client.get(address, params={"eksternRef": reference}, headers=headers)
    ids: list[str] = answer.json()["forsendelseIds"]
    return ids


def events(client: httpx.Client, headers: dict[str, str], identifier: str) -> list[str]:
    answer = client.get(f"https://svarut.ks.no/api/v2/forsendelser/{identifier}/hendelser", headers=headers)
    return [one["hendelse"] for one in answer.json()["hendelser"]]


@pytest.mark.parametrize(
    ("national_id", "expected", "kind"),
    [
        (KARI.national_id, "LEVERT_SDP", "digital"),
        (OLA.national_id, "PRINTET", "print"),
        (DELETED.national_id, "PRINTET", "print"),
        (None, "PRINTET", "print"),
    ],
    ids=["mailbox", "reserved", "deleted", "no national id"],
)
def test_it_prints_by_itself_for_whom_no_mailbox_takes_it(
    directory: Path, client: httpx.Client, headers: dict[str, str], national_id: str | None, expected: str, kind: str
) -> None:
    identifier = sent(client, headers, to(national_id))
    assert status(client, headers, identifier) == [expected]
    (taken,) = lines(directory, id=identifier)
    assert (taken["outcome"], taken["type"], taken["invoice"], taken["kind"]) == ("accepted", kind, "F-1001", "demand")
    assert NOBODY["navn"] not in json.dumps(taken)
    assert str(national_id) not in json.dumps(taken)


def test_without_a_mailbox_and_not_reserved_a_notice_comes_first_and_paper_later(
    directory: Path, client: httpx.Client, headers: dict[str, str]
) -> None:
    no_box = replace(KARI, krr=replace(KARI.krr, mailbox=None))
    write_world(directory, [no_box], ages={"svarut": {"SENDT_PRINT": 3600, "PRINTET": 7200}})
    assert status(client, headers, sent(client, headers, to(KARI.national_id))) == ["VARSLET"]


def test_the_same_reference_again_is_a_second_letter(
    directory: Path, client: httpx.Client, headers: dict[str, str]
) -> None:
    first, second = (sent(client, headers, to(KARI.national_id)) for _ in range(2))
    assert first != second
    assert search(client, headers) == [first, second]
    shown = client.get(f"{SENDING}/metadata", params={"eksternRef": "key-1"}, headers=headers).json()["forsendelser"]
    assert [one["id"] for one in shown] == [first, second]
    assert "F-1001" in count(directory, directory / "nowhere").doubles()


def test_nothing_is_found_under_another_reference_or_account(client: httpx.Client, headers: dict[str, str]) -> None:
    identifier = sent(client, headers, to(KARI.national_id))
    assert search(client, headers, "key-2") == []
    other = SENDING.replace(ACCOUNT, str(uuid.uuid4()))
    assert search(client, headers, "key-1", other) == []
    asked = client.post(f"{other}/status-sok", json={"forsendelseIds": [identifier]}, headers=headers)
    assert asked.json() == {"statuser": []}


@pytest.mark.parametrize(
    ("changed", "pdf", "event"),
    [
        ({"mottaker": {**NOBODY, "postnummer": ""}}, PDF, "Avvist: postnummer mangler eller er ugyldig"),
        ({"mottaker": {**NOBODY, "poststed": ""}}, PDF, "Avvist: poststed mangler"),
        ({"mottaker": {**NOBODY, "digitalId": "123"}}, PDF, "Avvist: ugyldig fødselsnummer eller organisasjonsnummer"),
        ({}, b"MZ", "Avvist: dokument kan ikke skrives ut"),
        (
            {"dokumenter": [{"filnavn": "faktura.pdf", "mimeType": "application/pdf", "giroarkSider": [0]}]},
            PDF,
            "Avvist: giroarkSider er ikke sidetall i dokumentet",
        ),
    ],
)
def test_what_cannot_be_printed_is_taken_and_refused_afterwards(
    directory: Path, client: httpx.Client, headers: dict[str, str], changed: dict[str, Any], pdf: bytes, event: str
) -> None:
    identifier = sent(client, headers, to(None, **changed), pdf)
    assert status(client, headers, identifier) == ["AVVIST"]
    assert events(client, headers, identifier) == ["Forsendelse mottatt", event]
    assert outcomes(directory, identifier) == ["accepted", "refused"]


def test_a_foreign_address_needs_no_norwegian_postal_code(client: httpx.Client, headers: dict[str, str]) -> None:
    abroad = {"navn": "Kari", "adresselinje1": "1 High Street", "poststed": "London SW1", "land": "Storbritannia"}
    assert status(client, headers, sent(client, headers, to(None, mottaker=abroad))) == ["PRINTET"]


@pytest.mark.parametrize(
    "content",
    [
        {"mottaker": NOBODY},
        {"tittel": "Faktura"},
        {"tittel": "x" * 1001, "mottaker": NOBODY, "dokumenter": [{"filnavn": "faktura.pdf"}]},
        {"tittel": "Faktura", "mottaker": NOBODY, "dokumenter": [{"filnavn": "annet.pdf"}]},
        [],
    ],
)
def test_what_is_no_consignment_is_not_taken(directory: Path, client: httpx.Client, headers: Any, content: Any) -> None:
    answer = post(client, headers, content)
    assert answer.status_code == 400
    assert answer.json()["errorId"]
    assert not lines(directory, service="svarut")


def test_a_caller_shows_a_token_of_maskinporten_and_the_integration(
    directory: Path, client: httpx.Client, headers: dict[str, str]
) -> None:
    other_scope = ask_for_token(client, register_key(directory)).json()["access_token"]
    for changed, expected in (
        ({"Authorization": "Bearer x"}, 401),
        ({"Authorization": ""}, 401),
        ({"IntegrasjonId": "us"}, 401),
        ({"IntegrasjonPassord": None}, 401),
        ({"Authorization": f"Bearer {other_scope}"}, 403),
    ):
        tried = {name: value for name, value in {**headers, **changed}.items() if value is not None}
        assert post(client, tried, to(None)).status_code == expected, changed
    assert not lines(directory, service="svarut")


def test_a_lost_answer_is_found_by_reference(directory: Path, client: httpx.Client, headers: dict[str, str]) -> None:
    write_world(directory, PEOPLE, Faults(invoices={"F-1001": {"svarut": ["timeout_before", "timeout_after"]}}))
    with pytest.raises(httpx.ConnectTimeout):
        post(client, headers, to(KARI.national_id))
    assert search(client, headers) == []
    with pytest.raises(httpx.ReadTimeout):
        post(client, headers, to(KARI.national_id))
    assert len(search(client, headers)) == 1


@pytest.mark.parametrize("fault", ["refuse", "late_refusal"])
def test_a_refusal_on_demand_is_said_by_the_status(
    directory: Path, client: httpx.Client, headers: dict[str, str], fault: str
) -> None:
    write_world(directory, PEOPLE, Faults(invoices={"F-1001": {"svarut": fault}}))
    identifier = sent(client, headers, to(KARI.national_id))
    assert outcomes(directory, identifier) == (["accepted", "refused"] if fault == "refuse" else ["accepted"])
    assert status(client, headers, identifier) == ["AVVIST"]
    assert [entry["outcome"] for entry in read_log(directory) if entry["id"] == identifier] == ["accepted", "refused"]
    assert not count(directory, directory / "nowhere").of("F-1001", "demand")
