"""The gateway: an exact hit alone is yes, and each code of a shipment means what its row says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clients.efaktura import Efaktura
from app.clients.efaktura_contract import (
    Consumer,
    EfakturaAnswer,
    read_consumer,
)
from app.routing.channels import Answer
from tests.clients.efaktura_support import ISSUER, NUMBER, gateway
from tests.clients.fakes import answer, outside


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"result": "match", "accepts": True, "identifier": "EF1"}, EfakturaAnswer(Answer.YES, "EF1")),
        ({"result": "match", "accepts": False, "identifier": "EF1"}, EfakturaAnswer(Answer.NO)),
        ({"result": "match", "accepts": True, "identifier": ""}, EfakturaAnswer()),
        ({"result": "match", "accepts": True, "identifier": None}, EfakturaAnswer()),
        ({"result": "match", "accepts": "true", "identifier": "EF1"}, EfakturaAnswer()),
        ({"result": "none", "accepts": False, "identifier": None}, EfakturaAnswer(Answer.NO)),
        ({"result": "multiple", "accepts": False, "identifier": None}, EfakturaAnswer(Answer.NO, has_several=True)),
        ({"result": "error"}, EfakturaAnswer()),
        ({}, EfakturaAnswer()),
    ],
)
def test_one_consumer(entry: dict[str, Any], expected: EfakturaAnswer) -> None:
    assert read_consumer(entry) == expected


@given(
    st.dictionaries(
        st.sampled_from(["result", "accepts", "identifier"]),
        st.none() | st.booleans() | st.text() | st.lists(st.integers()),
    )
)
def test_a_yes_always_has_an_identifier(entry: dict[str, Any]) -> None:
    found = read_consumer(entry)
    assert (found.answer is Answer.YES) == bool(found.identifier)


def test_every_call_carries_the_token_that_the_gateway_knows_us_by() -> None:
    way, told = outside({"/v1/identifiers": answer(200, {"people": []})})
    Efaktura(way, "https://gateway.test", ISSUER, "secret").look_up([Consumer("1", national_id=NUMBER)])
    assert [request.headers["Authorization"] for request in told.requests] == ["Bearer secret"]


def test_the_question_holds_the_issuer_and_of_each_consumer_no_more_than_needed() -> None:
    bank, told = gateway("/v1/identifiers", answer(200, {"people": [{"ref": "2", "result": "none"}, {"ref": ["x"]}]}))
    consumers = [
        Consumer("1", national_id=NUMBER, name="Kari Nordmann", mobile="+4790000017"),
        Consumer("2", name="Ola Nordmann", postal_code="4100", address_line="Tauvegen 1", mobile="+4790000018"),
        Consumer("3", name="Per Nordmann", postal_code="4100"),
    ]
    answers = bank.look_up(consumers).answers
    assert told.bodies("/v1/identifiers") == [
        {
            "issuer": ISSUER,
            "people": [
                {"ref": "1", "nationalId": NUMBER},
                {"ref": "2", "name": "Ola Nordmann", "postalCode": "4100", "addressLine": "Tauvegen 1",
                 "mobile": "+4790000018"},
                {"ref": "3", "name": "Per Nordmann", "postalCode": "4100"},
            ],
        }
    ]  # fmt: skip
    assert answers["1"] == EfakturaAnswer()
    assert answers["2"] == EfakturaAnswer(Answer.NO)
    assert NUMBER not in repr(consumers)
    assert "Nordmann" not in repr(consumers)


def test_more_than_a_thousand_consumers_are_no_question() -> None:
    bank, told = gateway("/v1/identifiers", answer(200))
    with pytest.raises(ValueError, match="1000"):
        bank.look_up([Consumer(str(number), national_id=NUMBER) for number in range(1001)])
    assert not told.requests


def test_a_bad_consumer_spoils_nobody_elses_answer() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if b"4x00" in request.content:
            return answer(400, {"code": 4000})
        return answer(200, {"people": [{"ref": str(number), "result": "none"} for number in range(8)]})

    bank, _ = gateway("/v1/identifiers", reply)
    people = [Consumer(str(number), name="Kari", postal_code="4x00" if number == 5 else "4100") for number in range(8)]
    answers = bank.look_up(people).answers
    assert {reference for reference, said in answers.items() if said.answer is Answer.NO} == set("0123467")
    assert "5" not in answers


@pytest.mark.parametrize(
    ("reply", "needs_alarm"),
    [(answer(500), False), (answer(401), True), (httpx.ReadTimeout("x"), False), (answer(200, {"people": {}}), False)],
)
def test_a_gateway_that_fails_leaves_everyone_unanswered(reply: Any, needs_alarm: bool) -> None:
    bank, _ = gateway("/v1/identifiers", reply)
    found = bank.look_up([Consumer("1", national_id=NUMBER)])
    assert not found.answers
    assert found.needs_alarm == needs_alarm
