"""KRR's answers become outcomes: yes only where all says yes, unknown where nothing is said, and no contact data."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from app.clients.connect import connect
from app.clients.krr import Krr, KrrAnswer, months_before, read_person
from app.core.clock import Clock
from app.core.settings import Settings, load_settings
from app.routing.channels import Answer
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Faults, Person, ServiceFaults, write_world
from app.sandbox.world import Krr as Known
from tests.clients.fakes import answer, maskinporten, outside

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
NUMBER, OTHER = "20914695016", "22885399316"
POST = {"postkasseadresse": "kari.nordmann#1ABC", "postkasseleverandoeradresse": "984661185"}
NO, YES, UNKNOWN = Answer.NO, Answer.YES, Answer.UNKNOWN


def certificate(until: dt.datetime, encoding: serialization.Encoding = serialization.Encoding.DER) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, until - dt.timedelta(700), until)
    data = made.sign(key, hashes.SHA256()).public_bytes(encoding)
    return data.decode() if encoding is serialization.Encoding.PEM else base64.b64encode(data).decode()


def person(**fields: Any) -> dict[str, Any]:
    given = {"personidentifikator": NUMBER, "status": "AKTIV", "reservasjon": "NEI", "digital_post": POST, **fields}
    return {name: value for name, value in given.items() if value != "absent"}


@pytest.mark.parametrize(
    ("fields", "mailbox", "reserved"),
    [
        ({}, YES, NO),
        ({"sertifikat": "MIIBnotreadable"}, YES, NO),
        ({"sertifikat": certificate(NOW + dt.timedelta(1))}, YES, NO),
        ({"sertifikat": certificate(NOW + dt.timedelta(1), serialization.Encoding.PEM)}, YES, NO),
        ({"sertifikat": certificate(NOW - dt.timedelta(1))}, NO, NO),
        ({"sertifikat": certificate(NOW - dt.timedelta(1), serialization.Encoding.PEM)}, NO, NO),
        ({"sertifikat": ""}, NO, NO),
        ({"sertifikat": None}, NO, NO),
        ({"reservasjon": "JA"}, NO, YES),
        ({"reservasjon": "absent"}, UNKNOWN, UNKNOWN),
        ({"reservasjon": None}, UNKNOWN, UNKNOWN),
        ({"reservasjon": "KANSKJE"}, UNKNOWN, UNKNOWN),
        ({"reservasjon": None, "digital_post": "absent"}, NO, UNKNOWN),
        ({"digital_post": "absent"}, NO, NO),
        ({"digital_post": None}, NO, NO),
        ({"digital_post": {}}, NO, NO),
        ({"digital_post": {**POST, "postkasseadresse": ""}}, NO, NO),
        ({"digital_post": "kari#1"}, NO, NO),
        ({"status": "SLETTET", "reservasjon": None}, NO, NO),
        ({"status": "SLETTET", "reservasjon": "JA"}, NO, YES),
        ({"status": "IKKE_REGISTRERT"}, NO, NO),
        ({"status": "absent"}, UNKNOWN, NO),
        ({"status": "NOE_NYTT", "reservasjon": "absent"}, UNKNOWN, UNKNOWN),
    ],
)
def test_one_entry(fields: dict[str, Any], mailbox: Answer, reserved: Answer) -> None:
    found = read_person(person(**fields), NOW)
    assert (found.mailbox, found.reserved) == (mailbox, reserved)


@pytest.mark.parametrize(
    ("number", "provider"),
    [("984661185", "digipost"), ("922020175", "e-boks"), ("123456785", "123456785"), (None, None), ("", None)],
)
def test_the_mailbox_provider_is_named(number: str | None, provider: str | None) -> None:
    found = read_person(person(digital_post={**POST, "postkasseleverandoeradresse": number}), NOW)
    assert found.mailbox_provider == provider


def contact(field: str, **fields: str) -> dict[str, str]:
    return {field: "someone", **{f"{field}_{name}": value for name, value in fields.items()}}


@pytest.mark.parametrize("field", ["epostadresse", "mobiltelefonnummer"])
@pytest.mark.parametrize(
    ("fields", "is_usable"),
    [
        ({"oppdatert": "2025-05-24T12:00:01+02"}, True),
        ({"oppdatert": "2025-05-24T11:59:59+02"}, False),
        ({"sist_verifisert": "2025-05-24T10:00:00.001Z"}, True),
        ({"oppdatert": "2020-01-01T00:00:00+01", "sist_verifisert": "2026-08-05T10:45:15.768Z"}, True),
        ({"oppdatert": "2026-01-01T00:00:00+01", "sist_verifisert": "2020-08-05T10:45:15.768Z"}, True),
        ({"oppdatert": "2026-01-01T00:00:00+01", "duplisert": "JA"}, False),
        ({"oppdatert": "2026-01-01T00:00:00+01", "duplisert": "NEI"}, True),
        ({"oppdatert": "i fjor"}, False),
        ({}, False),
    ],
)
def test_contact_data_may_be_used_for_eighteen_months_by_its_own_kind(
    field: str, fields: dict[str, str], is_usable: bool
) -> None:
    found = read_person(person(varslingsstatus="KAN_VARSLES", kontaktinformasjon=contact(field, **fields)), NOW)
    by_kind = {"epostadresse": found.may_notify_email, "mobiltelefonnummer": found.may_notify_mobile}
    assert by_kind.pop(field) == is_usable
    assert not any(by_kind.values())


@pytest.mark.parametrize("status", ["KAN_IKKE_VARSLES", None])
def test_whoever_may_not_be_notified_is_not_whatever_address_there_is(status: str | None) -> None:
    fresh = contact("epostadresse", oppdatert="2026-11-01T00:00:00+01")
    assert not read_person(person(varslingsstatus=status, kontaktinformasjon=fresh), NOW).may_notify_email


def test_contact_data_of_nulls_is_none() -> None:
    nulls = dict.fromkeys(("epostadresse", "epostadresse_oppdatert", "mobiltelefonnummer"))
    found = read_person(person(varslingsstatus="KAN_VARSLES", kontaktinformasjon=nulls), NOW)
    assert not found.may_notify_email
    assert not found.may_notify_mobile


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-08-31", "2025-02-28"),
        ("2025-08-31", "2024-02-29"),
        ("2026-06-30", "2024-12-30"),
        ("2026-07-01", "2025-01-01"),
    ],
)
def test_months_are_calendar_months(moment: str, expected: str) -> None:
    noon = dt.datetime.fromisoformat(f"{moment}T12:00:00+00:00")
    assert months_before(noon, 18).isoformat() == f"{expected}T12:00:00+00:00"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["JA", "NEI", "AKTIV"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("status", "reservasjon", "digital_post", "sertifikat", "varslingsstatus", "kontaktinformasjon")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_no_entry_whatever_it_holds_breaks_the_reading(entry: dict[str, Any]) -> None:
    assert isinstance(read_person(entry, NOW), KrrAnswer)


def krr(replies: Any) -> tuple[Krr, Any]:
    way, told = outside({"/rest/v2/personer": replies})
    return Krr(way, "https://krr.test", maskinporten()[0], Clock()), told


def test_a_number_that_the_answer_leaves_out_is_unknown_and_a_strange_one_is_ignored() -> None:
    found, told = krr(
        answer(200, {"personer": [person(personidentifikator="00000000000"), person(), "no person", None]})
    )
    answers = found.look_up([NUMBER, OTHER]).answers
    assert set(answers) == {NUMBER, OTHER}
    assert answers[NUMBER].mailbox is YES
    assert answers[OTHER] == KrrAnswer()
    [request] = told.requests
    assert json.loads(request.content) == {"personidentifikatorer": [NUMBER, OTHER]}
    assert request.headers["Authorization"] == "Bearer token-1"
    assert request.headers["Accept"] == "application/json"
    assert NUMBER not in str(request.url)


def test_the_same_number_twice_is_asked_once() -> None:
    found, told = krr(answer(200, {"personer": [person()]}))
    assert len(found.look_up([NUMBER, NUMBER]).answers) == 1
    assert told.bodies("/rest/v2/personer") == [{"personidentifikatorer": [NUMBER]}]


def test_more_than_a_thousand_numbers_are_no_question() -> None:
    found, told = krr(answer(200))
    with pytest.raises(ValueError, match="1000"):
        found.look_up([f"{number:011d}" for number in range(1001)])
    assert not told.requests


def test_a_refused_number_is_unknown_alone() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        numbers = json.loads(request.content)["personidentifikatorer"]
        if "00000000007" in numbers:
            return answer(422, {"errors": [{"status": "422"}]})
        return answer(200, {"personer": [person(personidentifikator=number) for number in numbers]})

    found, _ = krr(reply)
    numbers = [f"{number:011d}" for number in range(20)]
    looked = found.look_up(numbers)
    assert set(looked.answers) == set(numbers) - {"00000000007"}
    assert looked.failure == "krr: answered 422"


@pytest.mark.parametrize(
    ("reply", "needs_alarm"),
    [
        (answer(500), False),
        (answer(429), False),
        (answer(403), True),
        (answer(401), True),
        (httpx.ReadTimeout("x"), False),
        (httpx.ConnectTimeout("x"), False),
        (httpx.Response(200, text="<html>"), False),
        (answer(200, {"personer": "none"}), False),
        (answer(200, [person()]), False),
    ],
)
def test_a_register_that_fails_leaves_everyone_unanswered(reply: Any, needs_alarm: bool) -> None:
    found, _ = krr(reply)
    looked = found.look_up([NUMBER, OTHER])
    assert not looked.answers
    assert looked.answered_calls == 0
    assert looked.needs_alarm == needs_alarm
    assert NUMBER not in repr(looked)


def test_no_token_is_no_answer_and_an_alarm() -> None:
    way, told = outside({"/": answer(200)})
    digdir, _ = maskinporten(answer(400, {"error": "invalid_grant", "error_description": "MP-121"}))
    looked = Krr(way, "https://krr.test", digdir, Clock()).look_up([NUMBER])
    assert looked.needs_alarm
    assert looked.failure == "maskinporten: no token: 400 invalid_grant MP-121"
    assert not told.requests


@pytest.fixture
def development(tmp_path: Any) -> Settings:
    return load_settings(_env_file=None, instance_dir=tmp_path / "instance")


def test_the_stand_in_knows_mailboxes_reservations_and_the_deleted(development: Settings) -> None:
    numbers = [NUMBER, OTHER, "21836797660", "22838497199"]
    known = [Known("AKTIV", mailbox="digipost"), Known("AKTIV", reserved=True), Known("SLETTET"), Known("AKTIV")]
    people = [Person(number, None, "Kari", krr) for number, krr in zip(numbers, known, strict=True)]
    write_world(development.sandbox_dir, people, Faults(people={"22838497199": {"krr": "refuse"}}))
    clients = connect(development, Clock(), SandboxTransport(development.sandbox_dir))
    answers = clients.krr.look_up(numbers).answers
    clients.close()
    assert answers[numbers[0]] == KrrAnswer(YES, NO, "digipost")
    assert (answers[numbers[1]].mailbox, answers[numbers[1]].reserved) == (NO, YES)
    assert (answers[numbers[2]].mailbox, answers[numbers[2]].reserved) == (NO, NO)
    assert answers[numbers[3]] == KrrAnswer()


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "500"])
def test_the_stand_in_failing_now_and_then_is_asked_again(development: Settings, kind: str) -> None:
    write_world(development.sandbox_dir, [], Faults(services={"krr": ServiceFaults(0.5, (kind,))}))
    clients = connect(development, Clock(), SandboxTransport(development.sandbox_dir))
    looked = [clients.krr.look_up([f"{number:011d}"]) for number in range(30)]
    clients.close()
    answered = sum(found.answered_calls for found in looked)
    assert 20 <= answered <= 30
