"""The integrasjonspunkt takes a message when it is sent, once, and tells its way in Spring's pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import SandboxTransport
from app.sandbox.world import Faults, write_world
from tests.sandbox.samples import (
    DELETED,
    INFO,
    KARI,
    OLA,
    PEOPLE,
    POINT,
    UNKNOWN,
    VEDTAK,
    attach,
    digital,
    lines,
    message_id,
    outcomes,
    printed,
    send_message,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "eformidling"
NAMES = "no.difi.meldingsutveksling.exceptions"


def create(client: httpx.Client, document: dict[str, Any]) -> httpx.Response:
    return client.post(f"{POINT}/messages/out", json=document)


def steps(client: httpx.Client, identifier: str) -> list[str]:
    return [one["status"] for one in client.get(f"{POINT}/statuses/{identifier}").json()["content"]]


def kinds(client: httpx.Client, national_id: str | None, process: str | None = None) -> list[str]:
    answer = client.get(f"{POINT}/capabilities/{national_id}", params={"process": process} if process else {})
    return [one["documentTypes"][0]["type"] for one in answer.json()["capabilities"]]


def test_the_process_vedtak_honours_a_reservation_and_info_does_not(client: httpx.Client) -> None:
    assert kinds(client, KARI.national_id, VEDTAK) == ["digital"]
    assert kinds(client, OLA.national_id, VEDTAK) == ["print"]
    assert kinds(client, OLA.national_id, INFO) == ["digital"]
    assert kinds(client, UNKNOWN.national_id) == ["print", "print"]
    assert kinds(client, DELETED.national_id, VEDTAK) == ["print"]


def test_sending_is_what_takes_a_message(directory: Path, client: httpx.Client) -> None:
    document = digital()
    identifier = message_id(document)
    answer = create(client, document)
    assert answer.status_code == 200
    header = answer.json()["standardBusinessDocumentHeader"]
    assert header["documentIdentification"]["instanceIdentifier"] == identifier
    assert header["documentIdentification"]["creationDateAndTime"]
    assert header["sender"]
    attach(client, identifier)
    assert (lines(directory), steps(client, identifier)) == ([], ["OPPRETTET"])
    assert client.post(f"{POINT}/messages/out/{identifier}").status_code == 200
    assert outcomes(directory, identifier) == ["accepted"]
    assert steps(client, identifier) == ["OPPRETTET", "SENDT", "MOTTATT", "LEVERT"]


def test_what_the_witness_counts_stands_on_the_line(directory: Path, client: httpx.Client) -> None:
    identifier = send_message(client, printed(), invoice="Ærfugl-7", kind="notice")
    [entry] = lines(directory, id=identifier)
    assert (entry["service"], entry["invoice"], entry["kind"], entry["type"]) == (
        "eformidling",
        "Ærfugl-7",
        "notice",
        "print",
    )


@pytest.mark.parametrize("is_sent", [False, True])
def test_an_id_is_used_once(directory: Path, client: httpx.Client, is_sent: bool) -> None:
    document = digital()
    identifier = message_id(document)
    if is_sent:
        send_message(client, document)
    else:
        create(client, document)
    again = create(client, document)
    assert again.status_code == 400
    assert again.json()["exception"] == f"{NAMES}.MessageAlreadyExistsException"
    assert again.json()["message"] == f"Message with messageId = {identifier} already exists"
    assert outcomes(directory, identifier) == (["accepted", "repeat"] if is_sent else [])


def test_sending_again_is_a_repeat_and_takes_nothing(directory: Path, client: httpx.Client) -> None:
    identifier = send_message(client, digital())
    assert client.post(f"{POINT}/messages/out/{identifier}").status_code == 400
    assert outcomes(directory, identifier) == ["accepted", "repeat"]


def test_a_message_waits_through_a_restart_of_the_sandbox(directory: Path, client: httpx.Client) -> None:
    document = digital()
    create(client, document)
    attach(client, message_id(document))
    other = httpx.Client(transport=SandboxTransport(directory))
    assert other.post(f"{POINT}/messages/out/{message_id(document)}").status_code == 200
    assert outcomes(directory, message_id(document)) == ["accepted"]


def test_what_a_killed_process_left_unfinished_was_never_there(directory: Path, client: httpx.Client) -> None:
    document = digital()
    create(client, document)
    [waiting] = directory.glob("eformidling/*/*.jsonl")
    waiting.write_bytes(waiting.read_bytes() + b'{"filename": "fak')
    assert attach(client, message_id(document)).status_code == 200
    assert client.post(f"{POINT}/messages/out/{message_id(document)}").status_code == 200
    torn = digital()
    create(client, torn)
    [waiting] = directory.glob("eformidling/*/*.jsonl")
    waiting.write_bytes(waiting.read_bytes()[:-40])
    assert steps(client, message_id(torn)) == []
    assert create(client, torn).status_code == 200


def test_a_main_document_must_be_attached_under_a_name_of_its_own(directory: Path, client: httpx.Client) -> None:
    document = digital()
    identifier = message_id(document)
    create(client, document)
    assert client.post(f"{POINT}/messages/out/{identifier}").status_code == 400
    attach(client, identifier)
    assert attach(client, identifier).json()["exception"] == f"{NAMES}.DuplicateFilenameException"
    assert lines(directory) == []


def test_an_unknown_or_discarded_message_is_404(client: httpx.Client) -> None:
    document = digital()
    create(client, document)
    assert client.delete(f"{POINT}/messages/out/{message_id(document)}").status_code == 200
    for answer in (attach(client, message_id(document)), client.post(f"{POINT}/messages/out/{message_id(document)}")):
        assert (answer.status_code, answer.json()["exception"]) == (404, f"{NAMES}.MessageNotFoundException")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"tittel": "x" * 256}, "digital.tittel"),
        ({"tittel": ""}, "digital.tittel"),
        ({"sikkerhetsnivaa": 2}, "digital.sikkerhetsnivaa"),
        ({"fakturaReferanse": "1" * 41}, "digital.fakturaReferanse"),
        ({"varsler": {"smsTekst": "x" * 161}}, "digital.varsler.smsTekst"),
        ({"varsler": {"epostTekst": "x" * 501}}, "digital.varsler.epostTekst"),
        ({"digitalPostInfo": {"virkningsdato": "2026-11-24"}}, "digital.digitalPostInfo.aapningskvittering"),
    ],
)
def test_a_broken_constraint_names_its_field(client: httpx.Client, changed: dict[str, Any], field: str) -> None:
    body = create(client, digital(**changed)).json()
    assert body["exception"].endswith("ConstraintViolationException")
    assert body["errors"][0]["field"] == field
    assert {"timestamp", "status", "error", "exception", "message", "path", "errors"} == body.keys()


def test_a_reserved_person_is_not_sent_to_a_mailbox(directory: Path, client: httpx.Client) -> None:
    document = digital(str(OLA.national_id))
    assert create(client, document).status_code == 400
    assert outcomes(directory, message_id(document)) == ["refused"]


@pytest.mark.parametrize(
    ("address", "missing"),
    [
        ({"navn": "A", "land": "Norge"}, "mottaker.adresselinje1, mottaker.postnummer, mottaker.poststed"),
        ({"navn": "A", "adresselinje1": "B", "land": "norway"}, "mottaker.postnummer, mottaker.poststed"),
        ({"navn": "A", "land": "NO"}, "mottaker.adresselinje1"),
    ],
)
def test_a_letter_without_an_address_is_refused(client: httpx.Client, address: dict[str, str], missing: str) -> None:
    body = create(client, printed(mottaker=address)).json()
    assert body["exception"] == f"{NAMES}.MissingAddressInformationException"
    assert body["message"].endswith(missing)


def test_the_registers_address_is_glued_on_field_by_field(client: httpx.Client) -> None:
    address = {"navn": "Kari", "adresselinje1": "Nyvegen 2", "land": "Norge"}
    body = create(client, printed(str(KARI.national_id), mottaker=address)).json()
    assert body["print"]["mottaker"] == {**address, "postnummer": "4100", "poststed": "JØRPELAND"}


def test_states_pass_by_age(directory: Path, client: httpx.Client) -> None:
    write_world(directory, PEOPLE, ages={"eformidling": {"LEVERT": 3600}})
    identifier = send_message(client, digital())
    assert steps(client, identifier) == ["OPPRETTET", "SENDT", "MOTTATT"]
    write_world(directory, PEOPLE, ages={"eformidling": {"LEST": 0}})
    assert steps(client, identifier)[-2:] == ["LEVERT", "LEST"]


def test_a_late_refusal_is_feil_sometimes_after_levert_and_takes_back(directory: Path, client: httpx.Client) -> None:
    write_world(directory, PEOPLE, Faults(invoices={"F-1001": {"eformidling": "late_refusal"}}))
    sent = [send_message(client, digital()) for _ in range(12)]
    assert all(outcomes(directory, one) == ["accepted"] for one in sent)
    ends = {tuple(steps(client, one)[-2:]) for one in sent}
    assert ends == {("LEVERT", "FEIL"), ("MOTTATT", "FEIL")}
    assert all(outcomes(directory, one) == ["accepted", "refused"] for one in sent)


def test_a_letter_that_is_no_pdf_ends_in_feil(client: httpx.Client) -> None:
    document = printed()
    create(client, document)
    attach(client, message_id(document), content=b"plain text")
    client.post(f"{POINT}/messages/out/{message_id(document)}")
    assert steps(client, message_id(document))[-1] == "FEIL"


def test_statuses_come_ten_to_a_page_and_every_one_once(client: httpx.Client) -> None:
    sent = [send_message(client, digital()) for _ in range(6)]
    first = client.get(f"{POINT}/statuses").json()
    assert (first["size"], first["numberOfElements"], first["totalElements"], first["totalPages"]) == (10, 10, 24, 3)
    found = []
    for number in range(first["totalPages"]):
        page = client.get(f"{POINT}/statuses", params={"page": number}).json()
        assert page["last"] is (number == 2)
        found += [(one["messageId"], one["status"]) for one in page["content"]]
    assert len(set(found)) == len(found) == 24
    assert {one for one, _ in found} == set(sent)


def test_statuses_are_filtered_by_state_and_moment(client: httpx.Client) -> None:
    identifier = send_message(client, digital())
    only = client.get(f"{POINT}/statuses", params={"status": "LEVERT"}).json()["content"]
    assert [(one["messageId"], one["status"]) for one in only] == [(identifier, "LEVERT")]
    later = client.get(f"{POINT}/statuses", params={"fromDateTime": "2999-01-01T00:00:00+01:00"}).json()
    assert later["content"] == []


def test_peek_shows_the_newest_or_204(client: httpx.Client) -> None:
    assert client.get(f"{POINT}/statuses/peek").status_code == 204
    identifier = send_message(client, digital())
    assert client.get(f"{POINT}/statuses/peek").json()["messageId"] == identifier


def test_a_conversation_is_found_by_message_or_404(client: httpx.Client) -> None:
    identifier = send_message(client, digital())
    found = client.get(f"{POINT}/conversations/messageId/{identifier}").json()
    assert (found["direction"], found["finished"], len(found["messageStatuses"])) == ("OUTGOING", False, 4)
    assert client.get(f"{POINT}/conversations/messageId/unknown").status_code == 404
    assert client.get(f"{POINT}/conversations/queue").json()["totalElements"] == 1


@pytest.mark.skipif(not SHARED.exists(), reason="the collected sample files are not on this machine")
@pytest.mark.parametrize("name", ["create_digital.json", "create_print.json"])
def test_documents_of_the_public_guide_are_taken(client: httpx.Client, directory: Path, name: str) -> None:
    document = json.loads((SHARED / name).read_text(encoding="utf-8"))
    receiver = {"value": str(KARI.national_id), "authority": "iso6523-actorid-upis"}
    document["standardBusinessDocumentHeader"]["receiver"] = [{"identifier": receiver}]
    answer = create(client, document)
    assert answer.status_code == 200
    identifier = message_id(answer.json())
    attach(client, identifier, name="my.pdf").raise_for_status()
    client.post(f"{POINT}/messages/out/{identifier}").raise_for_status()
    assert outcomes(directory, identifier) == ["accepted"]


@pytest.mark.skipif(not SHARED.exists(), reason="the collected sample files are not on this machine")
def test_answers_have_the_keys_of_the_public_samples(client: httpx.Client) -> None:
    def keys_of(name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((SHARED / name).read_text(encoding="utf-8"))
        return content

    identifier = send_message(client, digital())
    page, sample = client.get(f"{POINT}/statuses/{identifier}").json(), keys_of("statuses_by_messageid_response.json")
    assert page.keys() == sample.keys()
    assert page["content"][0].keys() == sample["content"][0].keys()
    assert page["pageable"].keys() == sample["pageable"].keys()
    found = client.get(f"{POINT}/capabilities/{KARI.national_id}").json()["capabilities"]
    wanted = keys_of("capabilities_individual_response.json")["capabilities"]
    assert [one.keys() for one in found] == [one.keys() for one in wanted]
    assert [one["documentTypes"] for one in found] == [one["documentTypes"] for one in wanted]
    error = create(client, digital(sikkerhetsnivaa=9)).json()
    wrong = keys_of("error_400_constraint_violation.json")
    assert error.keys() == wrong.keys()
    assert error["errors"][0].keys() == wrong["errors"][0].keys()
