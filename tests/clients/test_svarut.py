"""SvarUt: only 200 takes a letter, an unreadable answer is never "nothing", and every question can be asked again."""

from __future__ import annotations

import json
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clients.connect import svarut_client
from app.clients.http import CallFailed, Outside, Witness
from app.clients.http import outside as real_outside
from app.clients.rules import Judgement, Verdict
from app.clients.svarut import STATUSES_A_CALL, SvarUt
from app.clients.svarut_contract import Receiver, Shipment, Status, judge_status
from app.core.settings import Settings
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Faults, write_world
from tests.clients.fakes import Told, answer, maskinporten, outside
from tests.conftest import make_settings

ACCOUNT = "5a7db0c0-0000-4000-8000-000000000001"
ID, OTHER = "d6b23522-ddf3-462a-8140-16e59e1f476d", "d6b23522-ddf3-462a-8140-16e59e1f476e"
SENDING = f"/api/v2/kontoer/{ACCOUNT}/forsendelser"
NATIONAL_ID = "13857410038"
WITNESS = Witness("demand", "20260001")


def error(status: int, **more: Any) -> httpx.Response:
    return answer(status, {"status": status, "message": f"Kari {NATIONAL_ID}", "errorId": ID, **more})


def svarut(replies: Any) -> tuple[SvarUt, Told]:
    """A SvarUt that answers as told."""
    way, told = outside(replies if isinstance(replies, dict) else {"/api/v2": replies})
    return client(way), told


def client(way: Outside) -> SvarUt:
    return SvarUt(
        way,
        "https://svarut.test/api",
        maskinporten()[0],
        account=ACCOUNT,
        integration_id=ACCOUNT,
        integration_password="secret",
    )


def shipment(**changed: Any) -> Shipment:
    usual: dict[str, Any] = {
        "reference": "8f0a3bb2-7d3a-5c47-9c1c-2b0a6c1f1d11",
        "title": "Faktura 20260001, Strand kommune",
        "receiver": Receiver("Kari Nordmann", ("Fjordgata 3",), "4100", "JØRPELAND", national_id=NATIONAL_ID),
        "file_name": "faktura-20260001.pdf",
        "pdf": b"%PDF-1.7 letter",
    }
    return Shipment(**{**usual, **changed})


def parts_of(request: httpx.Request) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file name, type and content of each part of a multipart body."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parts = BytesParser().parsebytes(head + request.content).get_payload()
    assert isinstance(parts, list)
    return [
        (
            str(part.get_param("name", header="content-disposition")),  # type: ignore[union-attr]
            part.get_filename(),  # type: ignore[union-attr]
            part.get_content_type(),  # type: ignore[union-attr]
            part.get_payload(decode=True),  # type: ignore[union-attr, misc]
        )
        for part in parts
    ]


def test_a_letter_is_one_multipart_call_with_token_and_integration() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        request.read()
        return answer(200, {"id": ID})

    known, told = svarut({"/api/v2": reply})
    assert known.send(shipment(giro_pages=(1,)), WITNESS) == (Judgement(Verdict.ACCEPTED, "200"), ID)
    (request,) = told.requests
    assert (request.method, request.url.path) == ("POST", SENDING)
    assert request.headers["authorization"] == "Bearer token-1"
    assert (request.headers["integrasjonid"], request.headers["integrasjonpassord"]) == (ACCOUNT, "secret")
    (name, file_name, kind, content), document = parts_of(request)
    assert (name, file_name, kind) == ("forsendelse", None, "application/json")
    assert document == ("filer_0", "faktura-20260001.pdf", "application/pdf", b"%PDF-1.7 letter")
    assert json.loads(content) == {
        "tittel": "Faktura 20260001, Strand kommune",
        "mottaker": {
            "navn": "Kari Nordmann",
            "digitalId": NATIONAL_ID,
            "adresselinje1": "Fjordgata 3",
            "postnummer": "4100",
            "poststed": "JØRPELAND",
        },
        "avgivendeSystem": "Fakturaportalen",
        "eksternReferanse": "8f0a3bb2-7d3a-5c47-9c1c-2b0a6c1f1d11",
        "utskriftskonfigurasjon": {"utskriftMedFarger": False, "tosidig": False},
        "dokumenter": [
            {"filnavn": "faktura-20260001.pdf", "mimeType": "application/pdf", "giroarkSider": [1]},
        ],
    }


def test_a_letter_without_a_giro_form_is_printed_on_both_sides() -> None:
    content = shipment().as_json()
    assert content["utskriftskonfigurasjon"]["tosidig"]
    assert "giroarkSider" not in content["dokumenter"][0]


@pytest.mark.parametrize(
    ("reply", "verdict", "needs_alarm"),
    [
        (error(400), Verdict.UNAVAILABLE, True),
        (error(401), Verdict.UNAVAILABLE, True),
        (error(403), Verdict.UNAVAILABLE, True),
        (error(404), Verdict.UNAVAILABLE, True),
        (error(409), Verdict.UNAVAILABLE, True),
        (error(413), Verdict.UNAVAILABLE, True),
        (error(429), Verdict.UNAVAILABLE, False),
        (error(500), Verdict.UNCERTAIN, False),
        (error(503), Verdict.UNCERTAIN, False),
        (answer(201, {"id": ID}), Verdict.UNCERTAIN, True),
        (answer(302), Verdict.UNAVAILABLE, True),
        (answer(200, {"id": "1"}), Verdict.UNCERTAIN, False),
        (answer(200, {}), Verdict.UNCERTAIN, False),
        (httpx.Response(200, text="<html>"), Verdict.UNCERTAIN, False),
        (httpx.ConnectTimeout("x"), Verdict.UNAVAILABLE, False),
        (httpx.ReadTimeout("x"), Verdict.UNCERTAIN, False),
        (httpx.RemoteProtocolError("x"), Verdict.UNCERTAIN, False),
    ],
)
def test_each_answer_to_a_letter(reply: Any, verdict: Verdict, needs_alarm: bool) -> None:
    judgement, reference = svarut(reply)[0].send(shipment(), WITNESS)
    assert (judgement.verdict, judgement.needs_alarm, reference) == (verdict, needs_alarm, None)
    assert NATIONAL_ID not in judgement.detail


def test_the_code_of_an_error_is_kept_and_its_text_is_not() -> None:
    assert svarut(error(400, errorCode="ugyldig.tittel"))[0].send(shipment(), WITNESS)[0].detail == "400 ugyldig.tittel"
    assert svarut(error(400, errorCode=f"Kari {NATIONAL_ID}"))[0].send(shipment(), WITNESS)[0].detail == "400"


def test_a_letter_is_never_sent_twice_by_itself() -> None:
    for reply in (error(500), httpx.ReadTimeout("x"), error(429)):
        known, told = svarut(reply)
        known.send(shipment(), WITNESS)
        assert len(told.requests) == 1


def test_without_a_token_nothing_is_sent() -> None:
    way, told = outside({"/api/v2": answer(200, {"id": ID})})
    refused = maskinporten(answer(400, {"error": "invalid_grant", "error_description": "(MP-110)"}))[0]
    known = SvarUt(way, "https://svarut.test/api", refused, account=ACCOUNT, integration_id="", integration_password="")
    judgement, _ = known.send(shipment(), WITNESS)
    assert (judgement.verdict, judgement.needs_alarm) == (Verdict.UNAVAILABLE, True)
    assert "MP-110" in judgement.detail
    assert told.requests == []


def test_a_search_by_reference_gives_every_id() -> None:
    known, told = svarut(answer(200, {"forsendelseIds": [ID, OTHER]}))
    assert known.find("key-1") == (ID, OTHER)
    assert dict(told.requests[0].url.params) == {"eksternRef": "key-1"}
    assert svarut(answer(200, {"forsendelseIds": []}))[0].find("key-1") == ()


@pytest.mark.parametrize(
    "reply",
    [
        error(401), error(404), error(500), error(429), httpx.ReadTimeout("x"), answer(200, {}),
        answer(200, {"forsendelseIds": None}), answer(200, {"forsendelseIds": ["x"]}), httpx.Response(200, text="[]"),
    ],
)  # fmt: skip
def test_a_search_that_fails_is_never_taken_for_nothing(reply: Any) -> None:
    with pytest.raises(CallFailed):
        svarut(reply)[0].find("key-1")


def statuses(*entries: tuple[str, str]) -> httpx.Response:
    found = [{"id": one, "status": word, "sisteStatusEndring": "2026-11-24T08:00:00Z"} for one, word in entries]
    return answer(200, {"statuser": found})


def test_many_are_asked_about_at_once() -> None:
    known, told = svarut(statuses((ID, "LEVERT_SDP"), (OTHER, "NOE_NYTT")))
    assert known.statuses([ID, OTHER]).answers == {ID: Status.IN_MAILBOX}
    assert told.bodies(f"{SENDING}/status-sok") == [{"forsendelseIds": [ID, OTHER]}]
    with pytest.raises(ValueError, match="at most"):
        known.statuses([ID] * (STATUSES_A_CALL + 1))


def test_one_bad_id_does_not_spoil_the_answers_about_others() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        ids = json.loads(request.content)["forsendelseIds"]
        return error(400) if OTHER in ids else statuses(*((one, "PRINTET") for one in ids))

    assert svarut({"/api/v2": reply})[0].statuses([ID, OTHER]).answers == {ID: Status.PRINTED}


def test_nobody_is_answered_for_when_the_question_fails() -> None:
    known = svarut(error(403))[0].statuses([ID])
    assert (dict(known.answers), known.answered_calls, known.needs_alarm) == ({}, 0, True)


@pytest.mark.parametrize("status", Status)
def test_only_a_refusal_before_any_delivery_leads_on(status: Status) -> None:
    is_refusal = status in (Status.REFUSED, Status.NOT_DELIVERED)
    assert judge_status(status).verdict is (Verdict.REFUSED if is_refusal else Verdict.ACCEPTED)


def test_the_log_of_a_letter_is_read() -> None:
    known, told = svarut(answer(200, {"hendelser": [{"tidspunkt": "x", "hendelse": "Akseptert for ekspedering"}]}))
    assert known.events(ID) == ("Akseptert for ekspedering",)
    assert told.paths() == [f"/api/v2/forsendelser/{ID}/hendelser"]
    with pytest.raises(CallFailed):
        svarut(answer(200, {}))[0].events(ID)


def test_a_repr_shows_neither_person_nor_letter() -> None:
    shown = repr(shipment())
    assert NATIONAL_ID not in shown
    assert "Kari" not in shown
    assert "%PDF" not in shown
    assert NATIONAL_ID not in repr(shipment().receiver)


def test_the_stand_in_takes_what_we_send(tmp_path: Path) -> None:
    settings: Settings = make_settings(tmp_path)
    write_world(settings.sandbox_dir, [], Faults(invoices={"20260002": {"svarut": "timeout_after"}}))
    way = real_outside(settings, SandboxTransport(settings.sandbox_dir))
    known = svarut_client(settings, way)
    judgement, reference = known.send(shipment(receiver=shipment().receiver), WITNESS)
    assert judgement.verdict is Verdict.ACCEPTED
    assert known.find(shipment().reference) == (reference,)
    assert reference is not None
    assert set(known.statuses([reference]).answers) == {reference}
    assert known.events(reference)[0] == "Forsendelse mottatt"
    lost, _ = known.send(shipment(reference="lost"), Witness("demand", "20260002"))
    assert lost.verdict is Verdict.UNCERTAIN
    assert len(known.find("lost")) == 1
    known.close()
