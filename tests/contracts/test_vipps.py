"""What we send to Vipps, and what its stand-in answers, is as the published swagger file says."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from app.channels.vipps import VippsChannel
from app.clients.connect import vipps_client
from app.clients.http import outside
from app.clients.vipps import PREFIX, Vipps
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Faults, Person, write_world
from app.sandbox.world import Vipps as Known
from tests.channels.consignments import consignment
from tests.conftest import make_settings
from tests.contracts.openapi import Broken, Contract, from_swagger_2
from tests.contracts.published import needs_shared, published
from tests.contracts.recording import Recording

pytestmark = needs_shared

TAKES, REFUSES = "+4790000017", "+4790000018"
ISSUER = "946485764"


@pytest.fixture(scope="module")
def contract() -> Contract:
    description = from_swagger_2(published("vipps/swagger-isp.yaml"))
    # The file names the test host; production is the same interface at another one (guide for senders).
    description["servers"].append({"url": f"https://invoice-api.vipps.no{PREFIX}"})
    return Contract(description)


@dataclass
class Place:
    """Vipps through the recording stand-in."""

    client: Vipps
    channel: VippsChannel
    recording: Recording
    sandbox_dir: Path

    def fail(self, **invoices: Any) -> None:
        """Let the stand-in treat these invoices so."""
        people = [Person(None, number, "Kari", vipps=Known(number == TAKES)) for number in (TAKES, REFUSES)]
        write_world(
            self.sandbox_dir, people, Faults(invoices={name: {"vipps": kind} for name, kind in invoices.items()})
        )

    def send(self, number: str, **values: Any) -> str:
        one = consignment(number, **{"presentation_url": "https://us.test/x", "recipient_mobile": TAKES, **values})
        self.channel.send([one])
        return f"orgno-no.{ISSUER}.{one.key}"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    settings = make_settings(tmp_path)
    recording = Recording(SandboxTransport(settings.sandbox_dir))
    client = vipps_client(settings, outside(settings, recording))
    found = Place(client, VippsChannel(client, ISSUER, 2), recording, settings.sandbox_dir)
    found.fail()
    with stamina.set_testing(True, attempts=3, cap=True):
        yield found
    client.close()


def check(contract: Contract, place: Place) -> set[tuple[str, int]]:
    """Hold every call to the description; gives which answers there were."""
    seen: set[tuple[str, int]] = set()
    for exchange in place.recording.those(lambda request: request.url.path.startswith(PREFIX)):
        contract.check_request(exchange.request)
        if exchange.response is not None:
            contract.check_response(exchange.request, exchange.response)
            name = "tokens" if exchange.request.url.path.endswith("/tokens") else exchange.request.method
            seen.add((name, exchange.response.status_code))
    return seen


def test_every_call_of_an_invoices_life_is_as_described(contract: Contract, place: Place) -> None:
    place.fail(refused="refuse", late="late_refusal", busy=["429"], broken=["500"], lost=["timeout_after"])
    sent = place.send("plain")
    place.send("plain")
    place.send("nobody", recipient_mobile=REFUSES)
    place.send("nobody", recipient_mobile="+123")
    for number in ("refused", "late", "busy", "broken", "lost"):
        place.send(number)
    # The same id with another content, found to be another.
    place.send("plain", amount_ore=1)
    status = place.client.get(sent)
    assert status is not None
    place.client.get(place.send("late"))
    assert place.client.get(f"orgno-no.{ISSUER}.nowhere") is None
    place.client.revoke(sent, "old", "key-1")
    place.client.revoke(sent, status.etag, "key-1")
    place.client.revoke(f"orgno-no.{ISSUER}.nowhere", "x", "key-2")
    assert check(contract, place) == {
        ("tokens", 200), ("tokens", 404), ("tokens", 400),
        ("PUT", 200), ("PUT", 400), ("PUT", 409), ("PUT", 429), ("PUT", 500), ("PUT", 204), ("PUT", 404),
        ("GET", 200), ("GET", 404),
    }  # fmt: skip


def test_a_token_that_is_not_theirs_is_answered_as_described(contract: Contract, place: Place) -> None:
    place.send("plain")
    request = place.recording.those(lambda request: request.method == "PUT")[0].request
    request.headers["Authorization"] = "Bearer x"
    response = place.recording.handle_request(request)
    assert response.status_code == 401
    contract.check_response(request, response)


@pytest.fixture
def put(contract: Contract, place: Place) -> httpx.Request:
    """An invoice as we send it, which the description takes."""
    place.send("plain")
    (exchange,) = place.recording.those(lambda request: request.method == "PUT")
    contract.check_request(exchange.request)
    return exchange.request


BREAKS: dict[str, Any] = {
    "a required field is missing": lambda body: body.pop("due"),
    "a nested required field is missing": lambda body: body["paymentInformation"].pop("account"),
    "the amount is a text": lambda body: body.update(amount="1543.34"),
    "the amount is in kroner": lambda body: body.update(amount=1543.34),
    "the day has no time": lambda body: body.update(due="2026-12-21"),
    "the issuer's name is too long": lambda body: body.update(issuerName="x" * 41),
    "the kind of payment is unknown": lambda body: body["paymentInformation"].update(type="giro"),
    "there is no document": lambda body: body.update(commercialInvoice=[]),
    "a field is spelt wrongly": lambda body: body.update(minamount=1),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_request_that_breaks_its_schema_fails(contract: Contract, put: httpx.Request, name: str) -> None:
    body = json.loads(put.content)
    BREAKS[name](body)
    with pytest.raises(Broken):
        contract.check_request(changed(put, json=body))


@pytest.mark.parametrize("header", ["Authorization", "Ocp-Apim-Subscription-Key"])
def test_a_request_without_its_headers_fails(contract: Contract, put: httpx.Request, header: str) -> None:
    headers = copy.copy(put.headers)
    del headers[header]
    with pytest.raises(Broken):
        contract.check_request(httpx.Request(put.method, put.url, headers=headers, content=put.content))


@pytest.mark.parametrize("path", ["/invoices/F-1", "/invoice/orgno-no.946485764.x", "/recipients/token"])
def test_a_request_to_an_address_that_is_not_described_fails(contract: Contract, put: httpx.Request, path: str) -> None:
    url = put.url.copy_with(path=PREFIX + path)
    with pytest.raises(Broken):
        contract.check_request(httpx.Request(put.method, url, headers=put.headers, content=put.content))


def test_an_answer_that_is_not_as_described_fails(contract: Contract, put: httpx.Request) -> None:
    for wrong in (
        httpx.Response(418),
        httpx.Response(400, json={"error": {"title": "no type"}}),
        httpx.Response(400, json={"error": {"type": "x", "title": "y", "extra": 1}}),
        httpx.Response(409, text="conflict"),
    ):
        with pytest.raises(Broken):
            contract.check_response(put, wrong)


def changed(request: httpx.Request, **content: Any) -> httpx.Request:
    """The same request with another body."""
    headers = {name: value for name, value in request.headers.items() if name not in {"content-length", "content-type"}}
    return httpx.Request(request.method, request.url, headers=headers, **content)
