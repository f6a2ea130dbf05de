"""What we send to SvarUt, and what its stand-in answers, is as KS' published descriptions say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
import typst

from app.channels.svarut import SvarUtLetters
from app.clients.connect import svarut_client
from app.clients.http import outside
from app.clients.svarut import SvarUt
from app.core.clock import Clock
from app.routing.channels import Channel
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Faults, write_world
from tests.channels.consignments import ACCOUNT, ADDRESS, consignment
from tests.conftest import TODAY, make_settings
from tests.contracts.openapi import Broken, Contract
from tests.contracts.published import needs_shared, published
from tests.contracts.recording import Exchange, Recording, parts_of

pytestmark = needs_shared

# Each file describes its own part of the same paths.
FILES = {"POST forsendelser": "send", "GET forsendelser": "eksternref", "POST status-sok": "status",
         "GET hendelser": "hendelser"}  # fmt: skip
SENDING = "POST forsendelser"
SLIP = typst.compile(f"H 1234567897 \\< 1543 34 \\< 5 \\> {ACCOUNT} \\<".encode(), format="pdf")


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return {name: Contract(published(f"svarut/forsendelse-{file}-api-v2.json")) for name, file in FILES.items()}


@dataclass
class Place:
    """SvarUt through the recording stand-in."""

    client: SvarUt
    recording: Recording
    sandbox_dir: Path

    def fail(self, **invoices: Any) -> None:
        """Let the stand-in treat these invoices so."""
        write_world(self.sandbox_dir, [], Faults(invoices={name: {"svarut": kind} for name, kind in invoices.items()}))

    def send(self, number: str, kind: Channel = Channel.MAILBOX, **values: Any) -> str | None:
        one = consignment(number, **{"pdf": SLIP, **values})
        letters = SvarUtLetters(self.client, kind, Clock.for_day(TODAY))
        result = letters.send([one])[one.key]
        letters.find(one)
        if result.provider_reference:
            letters.receipts([result.provider_reference])
        return result.provider_reference

    def calls(self) -> list[Exchange]:
        return self.recording.those(lambda request: request.url.host == "svarut.ks.no")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    settings = make_settings(tmp_path)
    recording = Recording(SandboxTransport(settings.sandbox_dir))
    client = svarut_client(settings, outside(settings, recording))
    with stamina.set_testing(True, attempts=3, cap=True):
        yield Place(client, recording, settings.sandbox_dir)
    client.close()


def name_of(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path.rsplit('/', 1)[-1]}"


def check_letter(contracts: dict[str, Contract], request: httpx.Request) -> None:
    """The multipart body. The files describe its JSON as ``Forsendelse``, and the client the names of the parts."""
    parts = parts_of(request)
    (name, file_name, kind, content), *files = parts
    assert (name, file_name, kind) == ("forsendelse", None, "application/json")
    letter = json.loads(content)
    contracts["POST forsendelser"].check_value(letter, "Forsendelse")
    assert [part[:3] for part in files] == [
        (f"filer_{place}", document["filnavn"], document["mimeType"])
        for place, document in enumerate(letter["dokumenter"])
    ]


def check(contracts: dict[str, Contract], exchanges: list[Exchange]) -> set[tuple[str, int]]:
    """Hold every call to the descriptions; gives which answers there were."""
    seen: set[tuple[str, int]] = set()
    for exchange in exchanges:
        name = name_of(exchange.request)
        contracts[name].check_request(exchange.request)
        assert {"authorization", "integrasjonid", "integrasjonpassord"} <= exchange.request.headers.keys()
        if name == "POST forsendelser":
            check_letter(contracts, exchange.request)
        if exchange.response is not None:
            contracts[name].check_response(exchange.request, exchange.response)
            seen.add((name, exchange.response.status_code))
    return seen


def test_every_call_of_a_letters_life_is_as_described(contracts: dict[str, Contract], place: Place) -> None:
    place.fail(refused="refuse", late="late_refusal", busy=["429"], broken=["500"], lost=["timeout_after"])
    place.send("plain")
    place.send("paper", Channel.PAPER)
    place.send("notice", witness_kind="notice", kid=None, account=None)
    place.send("abroad", Channel.PAPER, recipient_address=ADDRESS.__class__("", "", "1 High St", "", "London", "UK"))
    for number in ("refused", "late", "busy", "broken", "lost"):
        place.send(number)
    assert check(contracts, place.calls()) == {
        ("POST forsendelser", 200),
        ("POST forsendelser", 429),
        ("POST forsendelser", 500),
        ("GET forsendelser", 200),
        ("POST status-sok", 200),
        ("GET hendelser", 200),
    }
    letters = [json.loads(parts_of(one.request)[0][3]) for one in place.calls() if name_of(one.request) == SENDING]
    assert [bool(one["dokumenter"][0].get("giroarkSider")) for one in letters[:3]] == [True, True, False]


def test_errors_are_answered_as_described(contracts: dict[str, Contract], place: Place) -> None:
    place.send("plain")
    sent = place.calls()[0].request
    for headers, expected in (({"Authorization": "Bearer x"}, 401), ({"IntegrasjonId": "x"}, 401)):
        request = httpx.Request("POST", sent.url, headers={**sent.headers, **headers}, content=sent.content)
        response = place.recording.handle_request(request)
        assert response.status_code == expected
        contracts["POST forsendelser"].check_response(request, response)
    empty = httpx.Request("POST", sent.url, headers={**sent.headers, "content-length": "0"}, content=b"")
    response = place.recording.handle_request(empty)
    assert response.status_code == 400
    contracts["POST forsendelser"].check_response(empty, response)


BREAKS: dict[str, Any] = {
    "no title": lambda letter: letter.pop("tittel"),
    "no receiver": lambda letter: letter.pop("mottaker"),
    "a receiver without a name": lambda letter: letter["mottaker"].pop("navn"),
    "a title too long": lambda letter: letter.update(tittel="x" * 1001),
    "a reference too long": lambda letter: letter.update(eksternReferanse="x" * 101),
    "a document without a type": lambda letter: letter["dokumenter"][0].pop("mimeType"),
    "a page number as text": lambda letter: letter["dokumenter"][0].update(giroarkSider=["1"]),
    "a page twice": lambda letter: letter["dokumenter"][0].update(giroarkSider=[1, 1]),
    "a field of version 3": lambda letter: letter["dokumenter"][0].update(giroarkSide=1),
    "a field spelt wrongly": lambda letter: letter["mottaker"].update(postnr="4100"),
    "a yes as text": lambda letter: letter["utskriftskonfigurasjon"].update(tosidig="true"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_letter_that_breaks_its_schema_fails(contracts: dict[str, Contract], place: Place, name: str) -> None:
    place.send("plain")
    letter = json.loads(parts_of(place.calls()[0].request)[0][3])
    contracts["POST forsendelser"].check_value(letter, "Forsendelse")
    BREAKS[name](letter)
    with pytest.raises(Broken):
        contracts["POST forsendelser"].check_value(letter, "Forsendelse")


def test_a_question_that_breaks_its_schema_fails(contracts: dict[str, Contract], place: Place) -> None:
    place.send("plain")
    (asked,) = [one.request for one in place.calls() if name_of(one.request) == "POST status-sok"][:1]
    contract = contracts["POST status-sok"]
    for body in ({}, {"forsendelseIds": "x"}, {"forsendelseIds": ["no uuid"]}, {"forsendelseIds": [], "side": 1}):
        with pytest.raises(Broken):
            contract.check_request(httpx.Request("POST", asked.url, json=body))
    contract.check_request(asked)
    no_account = asked.url.path.replace("5a7db0c0", "strand")
    for change in ({"path": no_account}, {"path": f"{asked.url.path}er"}, {"host": "svarut.example"}):
        url = asked.url.copy_with(**change)
        with pytest.raises(Broken):
            contract.check_request(httpx.Request("POST", url, json={"forsendelseIds": []}))
    (searched,) = [one.request for one in place.calls() if name_of(one.request) == "GET forsendelser"][:1]
    with pytest.raises(Broken):
        contracts["GET forsendelser"].check_request(httpx.Request("GET", searched.url.copy_with(query=b"ref=1")))


def test_an_answer_that_is_not_as_described_fails(contracts: dict[str, Contract], place: Place) -> None:
    place.send("plain")
    for exchange in place.calls():
        for wrong in (httpx.Response(200, json={"id": 1}), httpx.Response(200, json={}), httpx.Response(500, json=[])):
            with pytest.raises(Broken):
                contracts[name_of(exchange.request)].check_response(exchange.request, wrong)
