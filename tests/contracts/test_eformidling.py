"""What we send to the integrasjonspunkt, and what its stand-in answers, has the shape of the real samples."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from lxml import etree

from app.channels.mailbox import Mailbox
from app.channels.print_service import PrintService
from app.clients.eformidling import Eformidling
from app.clients.http import outside
from app.core.clock import Clock
from app.core.settings import Settings
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Faults, Krr, Person, write_world
from tests.channels.consignments import NATIONAL_ID, consignment
from tests.conftest import TODAY, make_settings
from tests.contracts.published import SHARED, needs_shared, published
from tests.contracts.recording import Exchange, Recording
from tests.contracts.shapes import differences

pytestmark = needs_shared

HEADER = "standardBusinessDocumentHeader"
SAMPLES = {
    "digital": ("api_create_digital_request", "create_digital"),
    "print": ("api_create_print_request", "create_print"),
    "answer digital": ("api_create_digital_response",),
    "answer print": ("api_create_print_response",),
    "capabilities": ("capabilities_individual_response",),
    "statuses": ("statuses_by_messageid_response",),
    "error": ("error_400_constraint_violation", "error_400_service_not_enabled"),
}
DOCS = "docs.digdir.no, eFormidling, dokumenttyper"
# What the samples do not show, and what not every message must have.
KNOWN = {
    "digital.fakturaReferanse": DOCS,
    "digital.metadataFiler?": f"{DOCS}: optional",
    "digital.varsler?": f"{DOCS}: optional",
    "print.printinstruksjoner?": f"{DOCS}: optional",
    "errors[].rejectedValue=null": "Spring: what was rejected may be nothing",
    f"{HEADER}.businessScope.scope[].scopeInformation?": f"{DOCS}: filled in by the access point",
    **{f"print.{whose}.adresselinje{line}?": f"{DOCS}: optional"
       for whose in ("mottaker", "retur.mottaker") for line in (2, 3, 4)},
}  # fmt: skip
LETTER = b"%PDF-1.7 letter"


def samples(name: str) -> list[Any]:
    return [published(f"eformidling/{sample}.json") for sample in SAMPLES[name]]


def check(value: Any, name: str, known: dict[str, str] | None = None) -> None:
    found = list(differences(value, samples(name), KNOWN if known is None else known))
    assert found == []


@dataclass
class Place:
    """Both channels through the recording stand-in."""

    settings: Settings
    mailbox: Mailbox
    paper: PrintService
    recording: Recording

    def fail(self, **invoices: Any) -> None:
        krr = Krr("AKTIV", can_be_notified=True, mailbox="digipost")
        people = [Person(NATIONAL_ID, None, "Kari", krr, address_line_1="Gata 1", postal_code="4100", city="Tau")]
        faults = Faults(invoices={name: {"eformidling": kind} for name, kind in invoices.items()})
        write_world(self.settings.sandbox_dir, people, faults)

    def creations(self, kind: str) -> list[Exchange]:
        made = self.recording.those(lambda asked: asked.method == "POST" and asked.url.path == "/api/messages/out")
        return [one for one in made if kind in json.loads(one.request.content)]

    def to(self, method: str, beginning: str) -> list[Exchange]:
        return self.recording.those(lambda asked: asked.method == method and asked.url.path.startswith(beginning))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    settings = make_settings(tmp_path, eformidling_user="us", eformidling_password="secret")
    recording = Recording(SandboxTransport(settings.sandbox_dir))
    way = outside(settings, recording)
    client = Eformidling(way, settings.eformidling_url, settings.eformidling_user, settings.eformidling_password)
    found = Place(settings, Mailbox(client, settings, Clock.for_day(TODAY)), PrintService(client, settings), recording)
    found.fail()
    with stamina.set_testing(True, attempts=3, cap=True):
        yield found
    client.close()


def test_a_letter_to_the_mailbox_is_created_as_the_samples_are(place: Place) -> None:
    place.mailbox.send([consignment(pdf=LETTER)])
    (created,) = place.creations("digital")
    check(json.loads(created.request.content), "digital")
    assert created.response is not None
    assert created.response.status_code == 200
    check(created.response.json(), "answer digital")
    (asked,) = place.to("GET", "/api/capabilities/")
    assert asked.response is not None
    check(asked.response.json(), "capabilities")


def test_payment_data_is_named_as_the_samples_name_metadata_and_has_digiposts_own_form(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, digipost_payment_data=True)
    write_world(settings.sandbox_dir, [Person(NATIONAL_ID, None, "Kari", Krr("AKTIV", mailbox="digipost"))])
    recording = Recording(SandboxTransport(settings.sandbox_dir))
    client = Eformidling(outside(settings, recording), settings.eformidling_url, "us", "secret")
    place = Place(settings, Mailbox(client, settings, Clock.for_day(TODAY)), PrintService(client, settings), recording)
    place.mailbox.send([consignment(pdf=LETTER, recipient_mailbox_provider="digipost")])
    client.close()
    (created,) = place.creations("digital")
    names = "digital.metadataFiler"
    check(json.loads(created.request.content), "digital", {
        **KNOWN, f"{names}.my.pdf?": "the sample's own letter", f"{names}.faktura-20260001.pdf": "our letter",
    })  # fmt: skip
    _, attached = place.to("PUT", "/api/messages/out/")
    ours, sample = (etree.fromstring(one) for one in (attached.request.content, digipost_invoice()))
    assert ours.tag == sample.tag
    # A link is theirs to show beside it, and optional.
    fields = [part for part in sample if not part.tag.endswith("}link")]
    assert [part.tag for part in ours] == [part.tag for part in fields]
    for part in [*ours, *fields]:
        assert FORMS[etree.QName(part).localname].fullmatch(part.text or "")


FORMS = {
    "due-date": re.compile(r"\d{4}-\d\d-\d\dT00:00:00\+0[12]:00"),
    "sum": re.compile(r"\d+(\.\d\d)?"),
    "creditor-account": re.compile(r"\d{11}"),
    "kid": re.compile(r"\d{1,25}"),
}


def digipost_invoice() -> bytes:
    return (SHARED / "digipost" / "datatype_invoice.xml").read_bytes()


def test_a_letter_to_print_is_created_as_the_samples_are(place: Place) -> None:
    place.paper.send([consignment(pdf=LETTER)])
    (created,) = place.creations("print")
    check(json.loads(created.request.content), "print")
    assert created.response is not None
    check(created.response.json(), "answer print")


@pytest.mark.parametrize("channel", ["mailbox", "paper"])
def test_the_file_is_attached_with_type_and_name_and_then_sent_without_a_body(place: Place, channel: str) -> None:
    one = consignment(pdf=LETTER)
    getattr(place, channel).send([one])
    (attached,) = place.to("PUT", "/api/messages/out/")
    assert attached.request.headers["content-type"] == "application/pdf"
    assert attached.request.content == LETTER
    disposition = Message()
    disposition["content-disposition"] = attached.request.headers["content-disposition"]
    assert disposition.get_content_disposition() == "attachment"
    assert disposition.get_filename() == "faktura-20260001.pdf"
    assert disposition.get_param("name", header="content-disposition") == "faktura-20260001.pdf"
    (sent,) = place.to("POST", f"/api/messages/out/{one.key}")
    assert sent.request.content == b""
    assert sent.request.headers["authorization"].startswith("Basic ")


def test_statuses_are_pages_as_the_sample_is(place: Place) -> None:
    one = consignment(pdf=LETTER)
    place.mailbox.send([one])
    place.mailbox.receipts([one.key])
    (asked,) = place.to("GET", "/api/statuses/")
    assert asked.response is not None
    check(asked.response.json(), "statuses")
    newest = httpx.Client(transport=place.recording).get("http://localhost:9093/api/statuses/peek").json()
    assert list(differences(newest, [published("eformidling/status_peek_response.json")], {})) == []


def test_every_error_is_shaped_as_the_samples_are(place: Place) -> None:
    place.fail(busy=["429"], broken=["500"], refused="refuse")
    one = consignment(pdf=LETTER)
    place.mailbox.send([one])
    place.mailbox.send([one])
    for number in ("busy", "broken", "refused"):
        place.mailbox.send([consignment(number, pdf=LETTER)])
        place.paper.send([consignment(number, key=f"p-{number}", pdf=LETTER)])
    with httpx.Client(transport=place.recording, base_url="http://localhost:9093") as client:
        client.post("/api/messages/out", json={})
        strange = copy.deepcopy(json.loads(place.creations("digital")[0].request.content))
        strange[HEADER]["documentIdentification"] |= {"type": "strange", "instanceIdentifier": "new"}
        client.post("/api/messages/out", json=strange)
    answers = [one.response for one in place.recording.exchanges if one.response is not None]
    errors = [answer for answer in answers if answer.status_code >= 400]
    assert {answer.status_code for answer in errors} >= {400, 429, 500}
    for answer in errors:
        check(answer.json(), "error")
    assert any("errors" in answer.json() for answer in errors)


BREAKS: dict[str, Any] = {
    "no process": lambda message: message[HEADER]["businessScope"]["scope"][0].pop("identifier"),
    "no standard": lambda message: message[HEADER]["documentIdentification"].pop("standard"),
    "a receiver without a value": lambda message: message[HEADER]["receiver"][0]["identifier"].pop("value"),
    "one receiver, not a list": lambda message: message[HEADER].update(receiver=message[HEADER]["receiver"][0]),
    "no title": lambda message: message["digital"].pop("tittel"),
    "the level as text": lambda message: message["digital"].update(sikkerhetsnivaa="4"),
    "a field spelt wrongly": lambda message: message["digital"].update(sikkerhetsnivå=4),
    "the business message elsewhere": lambda message: message[HEADER].update(digital=message.pop("digital")),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_message_that_differs_from_the_samples_fails(place: Place, name: str) -> None:
    place.mailbox.send([consignment(pdf=LETTER)])
    message = json.loads(place.creations("digital")[0].request.content)
    check(message, "digital")
    BREAKS[name](message)
    found: Sequence[str] = list(differences(message, samples("digital"), KNOWN))
    assert found
