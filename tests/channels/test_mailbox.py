from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.channels.contract import Address, Consignment, Outcome, ReceiptNote, ReceiptStatus, Result
from app.channels.eformidling import RECEIPTS, EformidlingLetters
from app.channels.mailbox import Mailbox
from app.channels.print_service import PrintService, own_address
from app.clients.eformidling import Eformidling
from app.clients.eformidling_contract import State
from app.clients.http import Outside
from app.core.clock import Clock
from app.core.errors import SettingsInvalid
from app.sandbox.received import read_log
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Krr, Person, write_world
from tests.channels.consignments import ADDRESS, NATIONAL_ID, RECIPIENT, consignment
from tests.clients.access_point import AccessPoint, capabilities, error, statuses
from tests.clients.fakes import answer
from tests.conftest import TODAY, make_settings

CLOCK = Clock.for_day(TODAY)
PDF = b"%PDF-1.7 made up"


def invoice(number: str = "20260001", **values: Any) -> Consignment:
    return consignment(number, **{"pdf": PDF, **values})


@pytest.fixture
def mailbox_of(tmp_path: Path) -> Callable[[AccessPoint], Mailbox]:
    return lambda point: Mailbox(point.client, make_settings(tmp_path), CLOCK)


@pytest.fixture
def printer_of(tmp_path: Path) -> Callable[[AccessPoint], PrintService]:
    return lambda point: PrintService(point.client, make_settings(tmp_path))


MailboxOf = Callable[[AccessPoint], Mailbox]
PrinterOf = Callable[[AccessPoint], PrintService]


def only(channel: EformidlingLetters, one: Consignment) -> Result:
    results = channel.send([one])
    assert list(results) == [one.key]
    return results[one.key]


def created(point: AccessPoint) -> dict[str, Any]:
    [document] = point.told.bodies("/api/messages/out")
    assert isinstance(document, dict)
    return document


# The mailbox


def test_a_letter_to_the_mailbox_says_nothing_sensitive_on_the_outside(mailbox_of: MailboxOf) -> None:
    point, one = AccessPoint(), invoice(subject="Faktura 20260001, Strand kommune")
    result = only(mailbox_of(point), one)
    assert (result.outcome, result.provider_reference) == (Outcome.ACCEPTED, one.key)
    assert point.steps == ["capabilities", "create", "attach", "send"]
    assert created(point)["digital"] == {
        "sikkerhetsnivaa": 4,
        "hoveddokument": "faktura-20260001.pdf",
        "tittel": "Faktura 20260001, Strand kommune",
        "spraak": "nb",
        "digitalPostInfo": {"virkningsdato": "2026-11-24", "aapningskvittering": False},
        "fakturaReferanse": "20260001",
    }
    header = created(point)["standardBusinessDocumentHeader"]
    assert header["documentIdentification"]["instanceIdentifier"] == one.key
    assert header["receiver"] == [{"identifier": {"value": NATIONAL_ID, "authority": "iso6523-actorid-upis"}}]


def test_a_repeat_carries_the_same_ids(mailbox_of: MailboxOf) -> None:
    first, second = AccessPoint(), AccessPoint()
    for point in (first, second):
        only(mailbox_of(point), invoice())
    assert created(first) == created(second)


@pytest.mark.parametrize(("length", "is_kept"), [(40, True), (41, False)])
def test_a_number_too_long_for_the_reference_is_left_out(mailbox_of: MailboxOf, length: int, is_kept: bool) -> None:
    point = AccessPoint()
    only(mailbox_of(point), invoice("9" * length))
    assert ("fakturaReferanse" in created(point)["digital"]) is is_kept


def test_title_and_file_name_stay_within_their_bounds(mailbox_of: MailboxOf) -> None:
    point = AccessPoint()
    only(mailbox_of(point), invoice("Ø" * 100, subject="x " * 200))
    content = created(point)["digital"]
    assert len(content["tittel"]) <= 255
    assert content["hoveddokument"].isascii()
    assert len(content["hoveddokument"]) <= 60


def test_without_a_mailbox_the_next_channel_takes_over_and_nothing_is_created(mailbox_of: MailboxOf) -> None:
    point = AccessPoint(capabilities=capabilities("print"))
    assert only(mailbox_of(point), invoice()).outcome is Outcome.REFUSED
    assert point.steps == ["capabilities"]


def test_without_a_national_id_nobody_is_asked(mailbox_of: MailboxOf) -> None:
    point = AccessPoint()
    assert only(mailbox_of(point), invoice(recipient_national_id=None)).detail == "no_national_id"
    assert point.steps == []


def test_a_mailbox_that_cannot_be_asked_about_waits(mailbox_of: MailboxOf) -> None:
    assert only(mailbox_of(AccessPoint(capabilities=answer(500))), invoice()).outcome is Outcome.UNAVAILABLE


def test_an_invoice_without_its_document_never_leaves(mailbox_of: MailboxOf) -> None:
    point = AccessPoint()
    assert only(mailbox_of(point), invoice(pdf=b"")).needs_alarm
    assert point.steps == []


# Attempts left open, and receipts


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ((), Outcome.UNAVAILABLE),
        (("OPPRETTET",), Outcome.UNAVAILABLE),
        (("OPPRETTET", "SENDT"), Outcome.ACCEPTED),
        (("LEVERT",), Outcome.ACCEPTED),
        (("LEVERT", "FEIL"), Outcome.REFUSED),
        (("LEVETID_UTLOPT",), Outcome.ACCEPTED),
    ],
)
def test_an_attempt_left_open_is_settled_by_asking(
    mailbox_of: MailboxOf, words: tuple[str, ...], outcome: Outcome
) -> None:
    one = invoice(pdf=b"")
    found = mailbox_of(AccessPoint(statuses=statuses(*words, message_id=one.key))).find(one)
    assert found.outcome is outcome
    assert found.provider_reference == (one.key if outcome is Outcome.ACCEPTED else None)


@pytest.mark.parametrize("answered", [answer(500), httpx.ReadTimeout("…"), answer(401)])
def test_an_attempt_that_cannot_be_asked_about_stays_uncertain(
    mailbox_of: MailboxOf, answered: httpx.Response | Exception
) -> None:
    assert mailbox_of(AccessPoint(statuses=answered)).find(invoice()).outcome is Outcome.UNCERTAIN


def test_a_receipt_is_the_last_word_by_meaning(mailbox_of: MailboxOf) -> None:
    said = statuses("LEVERT", "FEIL", "MOTTATT", message_id="a")
    assert mailbox_of(AccessPoint(statuses=said)).receipts(["a"]) == [ReceiptNote("a", ReceiptStatus.FAILED, "FEIL")]


def test_what_cannot_be_asked_now_or_is_unknown_gives_no_receipt(mailbox_of: MailboxOf) -> None:
    assert mailbox_of(AccessPoint(statuses=answer(500))).receipts(["a"]) == []
    assert mailbox_of(AccessPoint(statuses=statuses())).receipts(["a"]) == []


def test_every_state_has_its_receipt() -> None:
    assert set(RECEIPTS) == set(State)


# Print


def test_a_printed_letter_says_its_address_and_return_in_full(printer_of: PrinterOf) -> None:
    point, one = AccessPoint(), invoice()
    assert only(printer_of(point), one).outcome is Outcome.ACCEPTED
    assert point.steps == ["create", "attach", "send"]
    assert created(point)["print"] == {
        "hoveddokument": "faktura-20260001.pdf",
        "mottaker": {"navn": "Kari Nordmann", "adresselinje1": "Fjordgata 3", "postnummer": "4100",
                     "poststed": "JØRPELAND", "land": "Norge"},
        "utskriftsfarge": "SORT_HVIT",
        "posttype": "B_OEKONOMI",
        "retur": {
            "mottaker": {"navn": "Strand kommune", "adresselinje1": "Postboks 115", "postnummer": "4126",
                         "poststed": "Jørpeland", "land": "Norge"},
            "returhaandtering": "DIREKTE_RETUR",
        },
    }  # fmt: skip


@pytest.mark.parametrize(("country", "expected"), [("", "Norge"), ("NO", "Norge"), ("norway", "Norge"), ("SE", "SE")])
def test_norway_is_written_as_the_service_knows_it(printer_of: PrinterOf, country: str, expected: str) -> None:
    point = AccessPoint()
    address = Address("Kari", "Gata 1", "", "4100", "JØRPELAND", country)
    only(printer_of(point), invoice(recipient_address=address))
    assert created(point)["print"]["mottaker"]["land"] == expected


def test_the_first_address_line_is_never_empty(printer_of: PrinterOf) -> None:
    point = AccessPoint()
    address = Address("", "", "Postboks 7", "4100", "JØRPELAND", "")
    only(printer_of(point), invoice(recipient_address=address))
    receiver = created(point)["print"]["mottaker"]
    assert receiver["adresselinje1"] == "Postboks 7"
    assert receiver["navn"] == RECIPIENT.name


def test_half_an_address_is_never_sent_since_the_service_would_fill_it_from_another(printer_of: PrinterOf) -> None:
    point = AccessPoint()
    address = Address(ADDRESS.name, ADDRESS.line_1, "", "", ADDRESS.city, "")
    assert only(printer_of(point), invoice(recipient_address=address)) == Result(
        Outcome.REFUSED, detail="incomplete_address"
    )
    assert point.steps == []


def test_an_address_the_service_refuses_leads_on(printer_of: PrinterOf) -> None:
    point = AccessPoint(create=error("MissingAddressInformationException"))
    assert only(printer_of(point), invoice()).outcome is Outcome.REFUSED


def test_a_return_address_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="MUNICIPALITY_ADDRESS"):
        own_address(make_settings(tmp_path, municipality_address="Jørpeland"))
    found = own_address(make_settings(tmp_path, municipality_address="Rådhuset, Rådhusgata 2, 4100 Jørpeland"))
    assert (found.line_1, found.postal_code, found.city) == ("Rådhuset, Rådhusgata 2", "4100", "Jørpeland")


# Against the stand-in


def world(folder: Path, **krr: Any) -> Path:
    write_world(folder, [Person(NATIONAL_ID, None, "Kari Nordmann", Krr(status="AKTIV", **krr))])
    return folder


def over_sandbox(folder: Path) -> Eformidling:
    return Eformidling(Outside(SandboxTransport(folder), is_sandbox=True), "http://localhost:9093", "u", "p")


def test_the_stand_in_takes_each_letter_once_and_tells_what_became_of_it(tmp_path: Path) -> None:
    folder = world(tmp_path / "sandbox", mailbox="digipost")
    channel, one = Mailbox(over_sandbox(folder), make_settings(tmp_path), CLOCK), invoice()
    assert channel.find(one).outcome is Outcome.UNAVAILABLE
    assert only(channel, one).outcome is Outcome.ACCEPTED
    assert only(channel, one).outcome is Outcome.ACCEPTED
    assert channel.find(one) == Result(Outcome.ACCEPTED, one.key, "LEVERT")
    assert channel.receipts([one.key]) == [ReceiptNote(one.key, ReceiptStatus.DELIVERED, "LEVERT")]
    taken = [entry for entry in read_log(folder) if entry["outcome"] == "accepted" and entry["kind"] == "demand"]
    assert [(entry["id"], entry["invoice"]) for entry in taken] == [(one.key, "20260001")]


def test_the_stand_in_keeps_a_reserved_person_out_of_the_mailbox(tmp_path: Path) -> None:
    folder = world(tmp_path / "sandbox", mailbox="digipost", reserved=True)
    channel = Mailbox(over_sandbox(folder), make_settings(tmp_path), CLOCK)
    assert only(channel, invoice()).outcome is Outcome.REFUSED


def test_the_stand_in_prints_for_anyone_with_an_address(tmp_path: Path) -> None:
    channel = PrintService(over_sandbox(world(tmp_path / "sandbox")), make_settings(tmp_path))
    assert only(channel, invoice()).outcome is Outcome.ACCEPTED


def test_a_letter_interrupted_after_any_step_is_continued_and_taken_once(tmp_path: Path) -> None:
    folder = world(tmp_path / "sandbox", mailbox="e-boks")
    for stop_after in range(1, 4):
        one = invoice(str(stop_after))
        settings = make_settings(tmp_path)
        broken = Outside(Breaking(SandboxTransport(folder), stop_after), is_sandbox=True)
        only(Mailbox(Eformidling(broken, "http://localhost:9093", "u", "p"), settings, CLOCK), one)
        channel = Mailbox(over_sandbox(folder), settings, CLOCK)
        if channel.find(one).outcome is Outcome.UNAVAILABLE:
            assert only(channel, one).outcome is Outcome.ACCEPTED
        assert channel.find(one).outcome is Outcome.ACCEPTED
    taken = [entry["invoice"] for entry in read_log(folder) if entry["outcome"] == "accepted" and entry["invoice"]]
    assert sorted(taken) == ["1", "2", "3"]


class Breaking(httpx.BaseTransport):
    """Loses the answer to the n-th call that changes something, and does not answer after it."""

    def __init__(self, inner: httpx.BaseTransport, after: int) -> None:
        self._inner, self._left = inner, after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self._inner.handle_request(request)
        self._left -= 1
        if self._left < 0:
            raise httpx.ConnectError("gone", request=request)
        response = self._inner.handle_request(request)
        if self._left == 0:
            raise httpx.ReadTimeout("lost", request=request)
        return response
