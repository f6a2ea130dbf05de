"""SvarUt keeps the channel contract for mailbox and paper, and is searched before anything is sent again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
import typst

from app.channels.contract import MessageChannel, Outcome, ReceiptNote, ReceiptStatus, Result
from app.channels.svarut import LONGEST_TAKING, RECEIPTS, SvarUtLetters
from app.clients.connect import svarut_client
from app.clients.http import outside as real_outside
from app.clients.svarut import SvarUt
from app.clients.svarut_contract import Status
from app.core.clock import Clock
from app.routing.channels import Channel
from app.sandbox.transport import SandboxTransport
from app.sandbox.witness import count
from app.sandbox.world import Faults, Krr, Person, ServiceFaults, write_world
from tests.channels.consignments import ACCOUNT, ADDRESS, NATIONAL_ID, consignment
from tests.clients.fakes import Told, answer, maskinporten, outside
from tests.clients.test_svarut import ID, OTHER, error, parts_of, statuses
from tests.conftest import TODAY, make_settings

CLOCK = Clock.for_day(TODAY)
SLIP = typst.compile(f"H 1234567897 \\< 1543 34 \\< 5 \\> {ACCOUNT} \\<".encode(), format="pdf")


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def made(number: str = "20260001", **values: Any) -> Any:
    return consignment(number, **{"pdf": SLIP, **values})


def taken(request: httpx.Request) -> httpx.Response:
    request.read()
    return answer(200, {"id": ID})


def channel(replies: Any = taken, kind: Channel = Channel.MAILBOX, **more: Any) -> tuple[SvarUtLetters, Told]:
    way, told = outside(replies if isinstance(replies, dict) else {"/api/v2": replies})
    client = SvarUt(
        way,
        "https://svarut.test/api",
        maskinporten()[0],
        account="5a7db0c0-0000-4000-8000-000000000001",
        integration_id="",
        integration_password="",
    )
    return SvarUtLetters(client, kind, CLOCK, **more), told


def posted(told: Told) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parts_of(told.requests[0])[0][3])
    return found


@pytest.mark.parametrize("kind", [Channel.MAILBOX, Channel.PAPER])
def test_it_keeps_the_contract(kind: Channel) -> None:
    kept: MessageChannel = channel(kind=kind)[0]
    assert (kept.channel, kept.provider, kept.batch_size, kept.commit_each) == (kind, "svarut", 1, False)


def test_our_key_is_the_reference_searched_by_and_their_id_the_one_that_is_kept() -> None:
    letters, told = channel()
    one = made()
    assert letters.send([one])[one.key] == Result(Outcome.ACCEPTED, ID, "200")
    assert posted(told)["eksternReferanse"] == one.key
    assert NATIONAL_ID not in repr([str(request.url) for request in told.requests])


def test_the_mailbox_names_the_person_and_an_address_to_print_for_and_paper_the_address_alone() -> None:
    for kind, digital in ((Channel.MAILBOX, {"digitalId": NATIONAL_ID}), (Channel.PAPER, {})):
        letters, told = channel(kind=kind)
        letters.send([made()])
        assert posted(told)["mottaker"] == {
            "navn": "Kari Nordmann",
            "adresselinje1": "Fjordgata 3",
            "postnummer": "4100",
            "poststed": "JØRPELAND",
            **digital,
        }
        assert "kunDigitalLevering" not in posted(told)


def test_an_address_abroad_names_its_country() -> None:
    letters, told = channel(kind=Channel.PAPER)
    address = ADDRESS.__class__("", "", "1 High Street", "SW1", "London", "Storbritannia")
    letters.send([made(recipient_address=address)])
    assert posted(told)["mottaker"] == {
        "navn": "Kari Nordmann",
        "adresselinje1": "1 High Street",
        "postnummer": "SW1",
        "poststed": "London",
        "land": "Storbritannia",
    }


@pytest.mark.parametrize(
    ("values", "pages"),
    [
        ({}, [1]),
        ({"witness_kind": "notice", "kid": None, "account": None}, None),
        ({"witness_kind": "notice"}, None),
        ({"kind": "credit_note"}, None),
        ({"kind": "information"}, None),
        ({"kid": None}, None),
    ],
)
@pytest.mark.parametrize("kind", [Channel.MAILBOX, Channel.PAPER])
def test_only_a_demand_is_printed_on_a_giro_form(
    kind: Channel, values: dict[str, Any], pages: list[int] | None
) -> None:
    letters, told = channel(kind=kind)
    letters.send([made(**values)])
    assert posted(told)["dokumenter"][0].get("giroarkSider") == pages


def test_a_municipality_may_do_without_giro_forms() -> None:
    letters, told = channel(giro_form="never")
    letters.send([made()])
    assert "giroarkSider" not in posted(told)["dokumenter"][0]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (Channel.MAILBOX, {"recipient_national_id": None}, Result(Outcome.REFUSED, detail="no_national_id")),
        (
            Channel.MAILBOX,
            {"recipient_address": ADDRESS.__class__("Kari", "", "", "", "", "")},
            Result(Outcome.REFUSED, detail="incomplete_address"),
        ),
        (Channel.PAPER, {"pdf": b""}, Result(Outcome.UNAVAILABLE, detail="no_document", needs_alarm=True)),
    ],
)
def test_what_svarut_would_refuse_is_not_sent(kind: Channel, values: dict[str, Any], expected: Result) -> None:
    letters, told = channel(kind=kind)
    one = made(**values)
    assert letters.send([one])[one.key] == expected
    assert told.requests == []


def test_paper_needs_no_national_id() -> None:
    one = made(recipient_national_id=None)
    assert channel(kind=Channel.PAPER)[0].send([one])[one.key].outcome is Outcome.ACCEPTED


def looked(ids: list[str], *entries: tuple[str, str]) -> dict[str, Any]:
    def reply(request: httpx.Request) -> httpx.Response:
        return statuses(*entries) if request.url.path.endswith("/status-sok") else answer(200, {"forsendelseIds": ids})

    return {"/api/v2": reply}


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        (looked([ID], (ID, "MOTTATT")), Result(Outcome.ACCEPTED, ID, "MOTTATT")),
        (looked([ID], (ID, "AVVIST")), Result(Outcome.REFUSED, ID, "AVVIST")),
        (looked([ID]), Result(Outcome.ACCEPTED, ID, "there, without a status")),
        (looked([ID, OTHER], (ID, "AVVIST"), (OTHER, "PRINTET")), Result(Outcome.ACCEPTED, OTHER, "PRINTET")),
        (
            looked([ID, OTHER], (ID, "PRINTET"), (OTHER, "PRINTET")),
            Result(Outcome.ACCEPTED, ID, "2 under one reference", needs_alarm=True),
        ),
        (looked([]), Result(Outcome.UNAVAILABLE, detail="not known there")),
        (error(500), Result(Outcome.UNCERTAIN, detail="answered 500")),
        (error(403), Result(Outcome.UNCERTAIN, detail="answered 403", needs_alarm=True)),
    ],
)
def test_an_attempt_left_open_is_searched_for(replies: Any, expected: Result) -> None:
    assert channel(replies)[0].find(made(opened_at=CLOCK.now() - LONGEST_TAKING)) == expected


def test_a_letter_that_may_still_be_taken_is_not_sent_again() -> None:
    young = made(opened_at=CLOCK.now() - LONGEST_TAKING + dt.timedelta(minutes=5))
    found = channel(looked([]))[0].find(young)
    assert found.outcome is Outcome.UNCERTAIN
    assert found.retry_after is not None
    assert dt.timedelta(minutes=4) < found.retry_after <= dt.timedelta(minutes=5)


def test_the_status_of_what_is_there_must_be_known_before_it_counts() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return error(500) if request.url.path.endswith("/status-sok") else answer(200, {"forsendelseIds": [ID]})

    assert channel({"/api/v2": reply})[0].find(made()).outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize("status", Status)
def test_every_status_has_its_meaning(status: Status) -> None:
    (note,) = channel({"/api/v2": _with_log(status, "")})[0].receipts([ID])
    assert note == ReceiptNote(ID, RECEIPTS[status], status.value)


def test_nothing_that_went_on_to_print_counts_as_failed() -> None:
    failed = {status for status, meaning in RECEIPTS.items() if meaning is ReceiptStatus.FAILED}
    assert failed == {Status.REFUSED, Status.NOT_DELIVERED}
    assert set(RECEIPTS) == set(Status)


def _with_log(status: str, log: str) -> Any:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/hendelser"):
            return answer(200, {"hendelser": [{"tidspunkt": "x", "hendelse": log}]}) if log else error(500)
        return statuses((ID, status))

    return reply


@pytest.mark.parametrize(
    ("log", "detail"),
    [
        ("Avvist: postnummer 9999 for Kari Nordmann finnes ikke", "AVVIST address"),
        ("Avvist: PDF kan ikke skrives ut", "AVVIST document"),
        ("Avvist: ugyldig fødselsnummer 13857410038", "AVVIST identity"),
        ("Noe annet", "AVVIST"),
    ],
)
def test_a_refusal_says_what_it_is_about_and_names_nobody(log: str, detail: str) -> None:
    (note,) = channel({"/api/v2": _with_log("AVVIST", log)})[0].receipts([ID])
    assert note.detail == detail


def test_what_cannot_be_asked_now_is_left_out() -> None:
    assert channel(error(500))[0].receipts([ID]) == []


@pytest.mark.parametrize("kind", [Channel.MAILBOX, Channel.PAPER])
def test_against_a_stand_in_that_fails_half_the_time_every_letter_leaves_once(tmp_path: Path, kind: Channel) -> None:
    settings = make_settings(tmp_path)
    faults = Faults(7, {"svarut": ServiceFaults(0.5, ("429", "500", "500_after", "timeout_before", "timeout_after"))})
    write_world(settings.sandbox_dir, [Person(NATIONAL_ID, None, "Kari", krr=Krr("AKTIV", mailbox="digipost"))], faults)
    client = svarut_client(settings, real_outside(settings, SandboxTransport(settings.sandbox_dir)))
    letters = SvarUtLetters(client, kind, CLOCK, longest_taking=dt.timedelta(0))
    waiting = {f"F-{number}": Result(Outcome.UNAVAILABLE) for number in range(40)}
    for _ in range(60):
        for number, last in list(waiting.items()):
            one = made(number, opened_at=CLOCK.now())
            found = letters.find(one) if last.outcome is Outcome.UNCERTAIN else letters.send([one])[one.key]
            waiting[number] = found
            if found.outcome is Outcome.ACCEPTED:
                del waiting[number]
    assert waiting == {}
    counted = count(settings.sandbox_dir, settings.outbox_dir)
    assert all(counted.asked_to_pay(f"F-{number}") == 1 for number in range(40))
    client.close()
