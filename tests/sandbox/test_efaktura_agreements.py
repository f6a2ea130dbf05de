"""An agreement at the gateway: one request an id, answered late, refused, lost or ended as the file says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import SandboxTransport
from app.sandbox.world import Efaktura, Faults, Person, ServiceFaults, write_world
from tests.sandbox.samples import EFAKTURA, ISSUER, KARI, OLA, lines, outcomes, shipment, transaction

WANTS = replace(KARI, efaktura=Efaktura("EF000000000000001", False))
NOBODY = Person("22838497199", None, "Ingen Bank", efaktura=Efaktura(None))
ID, OTHER_ID = "7b3f6a1e-0000-5000-8000-000000000001", "7b3f6a1e-0000-5000-8000-000000000002"
BEGIN = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


@contextmanager
def opened(directory: Path, clock: Any = lambda: BEGIN) -> Iterator[httpx.Client]:
    with httpx.Client(transport=SandboxTransport(directory, clock)) as client:
        yield client


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_world(tmp_path, [WANTS, OLA, NOBODY])
    return tmp_path


def ask(client: httpx.Client, person: Person = WANTS, agreement_id: str = ID) -> httpx.Response:
    body = {"issuer": ISSUER, "consumer": {"ref": "1", "nationalId": person.national_id}}
    return client.put(f"{EFAKTURA}/agreements/{agreement_id}", json=body)


def status(client: httpx.Client, agreement_id: str = ID) -> str:
    answer: str = client.get(f"{EFAKTURA}/agreements/{agreement_id}").json()["status"]
    return answer


def accepts(client: httpx.Client, person: Person = WANTS) -> bool:
    body = {"issuer": ISSUER, "people": [{"ref": "1", "nationalId": person.national_id}]}
    answer: bool = client.post(f"{EFAKTURA}/identifiers", json=body).json()["people"][0]["accepts"]
    return answer


def faulty(directory: Path, kind: str, ages: Mapping[str, float] | None = None) -> None:
    faults = Faults(people={str(WANTS.national_id): {"efaktura": [kind]}})
    write_world(directory, [WANTS, OLA, NOBODY], faults, {"efaktura": ages or {}})


def test_who_agreed_is_hit_by_look_ups_and_takes_invoices_from_then_on(place: Path) -> None:
    with opened(place) as client:
        assert not accepts(client)
        taken = ask(client)
        assert (taken.status_code, taken.json()["status"], taken.json()["identifier"]) == (202, "PENDING", None)
        told = client.get(f"{EFAKTURA}/agreements/{ID}").json()
        assert told == {"agreementId": ID, "status": "ACTIVE", "code": None, "identifier": "EF000000000000001"}
        assert accepts(client)
        sent = client.post(f"{EFAKTURA}/shipments", json=shipment(transaction()))
        assert sent.json()["transactions"][0]["code"] is None


def test_a_repeat_makes_no_second_request(place: Path) -> None:
    with opened(place) as client:
        assert ask(client).status_code == 202
        assert ask(client).status_code == 200
    assert outcomes(place, ID) == ["accepted", "repeat", "repeat"]


def test_an_id_is_one_consumers_alone(place: Path) -> None:
    with opened(place) as client:
        ask(client)
        taken = ask(client, OLA)
        assert (taken.status_code, taken.json()["code"]) == (409, 6004)


@pytest.mark.parametrize(("person", "code"), [(NOBODY, 6001), (OLA, 6003)])
def test_a_consumer_who_cannot_be_asked_for_is_refused_by_a_code(place: Path, person: Person, code: int) -> None:
    with opened(place) as client:
        taken = ask(client, person)
        assert (taken.status_code, taken.json()["code"]) == (422, code)
        assert client.get(f"{EFAKTURA}/agreements/{ID}").status_code == 404


def test_keys_that_fit_several_are_refused(place: Path) -> None:
    twin = replace(WANTS, national_id="21836797660", efaktura=Efaktura("EF000000000000007", False))
    write_world(place, [WANTS, twin])
    body = {"issuer": ISSUER, "consumer": {"ref": "1", "name": "Kari Nordmann", "postalCode": "4100"}}
    with opened(place) as client:
        assert client.put(f"{EFAKTURA}/agreements/{ID}", json=body).json()["code"] == 6002


def test_a_late_answer_comes_when_its_time_has(place: Path) -> None:
    write_world(place, [WANTS], None, {"efaktura": {"ACTIVE": 60}})
    clock = [BEGIN]
    with opened(place, lambda: clock[0]) as client:
        ask(client)
        assert (status(client), accepts(client)) == ("PENDING", False)
        clock[0] += dt.timedelta(seconds=60)
        assert (status(client), accepts(client)) == ("ACTIVE", True)


def test_a_refusal_may_come_after_the_request_was_taken(place: Path) -> None:
    faulty(place, "late_refusal")
    with opened(place) as client:
        assert ask(client).status_code == 202
        assert [status(client), status(client)] == ["DECLINED", "DECLINED"]
        assert not accepts(client)


def test_a_lost_request_is_unknown_and_may_be_made_again_under_its_id(place: Path) -> None:
    faulty(place, "lost")
    with opened(place) as client:
        assert ask(client).status_code == 202
        assert client.get(f"{EFAKTURA}/agreements/{ID}").json() == {"code": 201, "message": "agreement not found"}
        assert ask(client).status_code == 202
        assert status(client) == "ACTIVE"


def test_an_agreement_that_ends_was_active_before(place: Path) -> None:
    faulty(place, "ended_later")
    with opened(place) as client:
        ask(client)
        assert (status(client), accepts(client)) == ("ACTIVE", False)
        assert [status(client), status(client)] == ["ENDED", "ENDED"]
        assert not accepts(client)


def test_everything_is_known_again_after_a_restart(place: Path) -> None:
    faulty(place, "ended_later", {"ENDED": 60})
    with opened(place) as client:
        ask(client)
        assert status(client) == "ACTIVE"
    with opened(place, lambda: BEGIN + dt.timedelta(seconds=61)) as client:
        assert status(client) == "ENDED"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "consumer": []},
        {"issuer": "1", "consumer": {"ref": "1", "nationalId": "20914695016"}},
        {"issuer": ISSUER, "consumer": {"ref": "1", "nationalId": "2091469501"}},
        {"issuer": ISSUER, "consumer": {"ref": "1"}},
        {"issuer": ISSUER, "consumer": {"nationalId": "20914695016"}},
    ],
)
def test_a_question_out_of_shape_is_malformed(place: Path, body: dict[str, Any]) -> None:
    with opened(place) as client:
        answer = client.put(f"{EFAKTURA}/agreements/{ID}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, 4000)
        good = {"issuer": ISSUER, "consumer": {"ref": "1", "nationalId": "20914695016"}}
        assert client.put(f"{EFAKTURA}/agreements/no-uuid", json=good).status_code == 400
    assert lines(place) == []


def test_agreement_faults_are_drawn_only_when_they_are_named(place: Path) -> None:
    write_world(place, [WANTS], Faults(seed=3, services={"efaktura": ServiceFaults(1.0, ("lost",))}))
    with opened(place) as client:
        assert ask(client, agreement_id=OTHER_ID).status_code == 202
        assert client.get(f"{EFAKTURA}/agreements/{OTHER_ID}").status_code == 404
        assert client.post(f"{EFAKTURA}/shipments", json=shipment(transaction())).status_code == 200
