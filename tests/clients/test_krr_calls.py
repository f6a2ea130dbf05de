"""One refused number spoils no other's answer, and a register that fails leaves people unknown."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from app.clients.connect import connect
from app.clients.krr import Krr, KrrAnswer
from app.core.clock import Clock
from app.core.settings import Settings, load_settings
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Faults, Person, ServiceFaults, write_world
from app.sandbox.world import Krr as Known
from tests.clients.fakes import answer, maskinporten, outside
from tests.clients.krr_support import NO, NUMBER, OTHER, YES, person


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
    looked = [clients.krr.look_up([f"{number:011d}"]) for number in range(60)]
    clients.close()
    answered = sum(found.answered_calls for found in looked)
    # Asked once, about 30 would be answered.
    assert 40 <= answered <= 60
