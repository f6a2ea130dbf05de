"""The gateway: an exact hit alone is yes, and each code of a shipment means what its row says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clients.connect import connect
from app.clients.efaktura import Efaktura
from app.clients.efaktura_contract import (
    Consumer,
    EfakturaAnswer,
    PaymentType,
    Transaction,
    TransactionState,
    TransactionStatus,
    judge_status,
    read_consumer,
)
from app.clients.http import CallFailed, Witness
from app.clients.rules import Verdict
from app.core.clock import Clock
from app.core.ids import derived_id
from app.core.settings import Settings, load_settings
from app.routing.channels import Answer
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Efaktura as Known
from app.sandbox.world import Person, write_world
from tests.clients.fakes import Told, answer, outside

NUMBER, OTHER = "20914695016", "22885399316"
ISSUER = "946485764"
SHIPMENT = str(derived_id("shipment"))
IDS = [str(derived_id("transaction", number)) for number in range(3)]
ACCOUNT = "12345678911"


def transaction(transaction_id: str = IDS[0], **fields: Any) -> Transaction:
    usual: dict[str, Any] = {
        "transaction_id": transaction_id,
        "payment_type": PaymentType.EFAKTURA,
        "efaktura_identifier": "EF000000000000001",
        "invoice_number": "F-1",
        "kid": "1234567897",
        "account": ACCOUNT,
        "amount_ore": 154334,
        "due_on": dt.date(2026, 12, 21),
        "presentation_url": "https://us.test/presentasjon/x",
        "issuer_name": "Strand kommune",
    }
    return Transaction(**{**usual, **fields})


def gateway(path: str, replies: Any) -> tuple[Efaktura, Told]:
    way, told = outside({path: replies})
    return Efaktura(way, "https://gateway.test", ISSUER), told


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


def test_a_shipment_says_what_the_contract_wants() -> None:
    bank, told = gateway("/v1/shipments", answer(200, {"transactions": [{"transactionId": IDS[0], "code": None}]}))
    shipped = bank.send(SHIPMENT, [transaction()], Witness("demand", "F-1"))
    assert shipped.judgements[IDS[0]].verdict is Verdict.ACCEPTED
    assert told.bodies("/v1/shipments") == [
        {
            "shipmentId": SHIPMENT,
            "issuer": ISSUER,
            "transactions": [
                {
                    "transactionId": IDS[0],
                    "paymentType": "EFAKTURA",
                    "documentType": "INVOICE",
                    "efakturaIdentifier": "EF000000000000001",
                    "invoiceNumber": "F-1",
                    "kid": "1234567897",
                    "account": ACCOUNT,
                    "amount": 154334,
                    "dueDate": "2026-12-21",
                    "presentationUrl": "https://us.test/presentasjon/x",
                    "issuerName": "Strand kommune",
                }
            ],
        }
    ]


@pytest.mark.parametrize(
    ("code", "verdict", "needs_alarm"),
    [
        (None, Verdict.ACCEPTED, False),
        (5002, Verdict.REFUSED, False),
        ("5002", Verdict.REFUSED, False),
        (3010, Verdict.UNAVAILABLE, True),
        (3011, Verdict.UNAVAILABLE, True),
        (3020, Verdict.UNAVAILABLE, True),
        (3100, Verdict.UNAVAILABLE, True),
        (3101, Verdict.UNAVAILABLE, True),
        (5003, Verdict.UNAVAILABLE, True),
        (5006, Verdict.UNAVAILABLE, True),
        (9999, Verdict.UNAVAILABLE, True),
        ("Kari Nordmann 20914695016 is unknown", Verdict.UNAVAILABLE, True),
    ],
)
def test_each_code_of_a_transaction(code: Any, verdict: Verdict, needs_alarm: bool) -> None:
    bank, _ = gateway("/v1/shipments", answer(200, {"transactions": [{"transactionId": IDS[0], "code": code}]}))
    judgement = bank.send(SHIPMENT, [transaction()]).judgements[IDS[0]]
    assert (judgement.verdict, judgement.needs_alarm) == (verdict, needs_alarm)
    assert NUMBER not in judgement.detail


@pytest.mark.parametrize(
    ("reply", "verdict", "needs_alarm"),
    [
        (answer(400, {"code": 4000}), Verdict.UNAVAILABLE, True),
        (answer(401), Verdict.UNAVAILABLE, True),
        (answer(403), Verdict.UNAVAILABLE, True),
        (answer(404, {"code": 201}), Verdict.UNAVAILABLE, True),
        (answer(409, {"code": 4711}), Verdict.UNAVAILABLE, True),
        (answer(429), Verdict.UNAVAILABLE, False),
        (answer(500), Verdict.UNCERTAIN, False),
        (httpx.Response(502, text="<html>"), Verdict.UNCERTAIN, False),
        (answer(202), Verdict.UNCERTAIN, True),
        (httpx.Response(200, text="<html>"), Verdict.UNCERTAIN, False),
        (answer(200, {"transactions": None}), Verdict.UNCERTAIN, False),
        (answer(200, {"transactions": []}), Verdict.UNCERTAIN, True),
        (httpx.ConnectTimeout("x"), Verdict.UNAVAILABLE, False),
        (httpx.ReadTimeout("x"), Verdict.UNCERTAIN, False),
        (httpx.ReadError("reset"), Verdict.UNCERTAIN, False),
        (httpx.RemoteProtocolError("malformed"), Verdict.UNCERTAIN, False),
    ],
)
def test_each_answer_to_a_whole_shipment_counts_for_all_of_it_and_is_not_sent_twice(
    reply: Any, verdict: Verdict, needs_alarm: bool
) -> None:
    bank, told = gateway("/v1/shipments", reply)
    judgements = bank.send(SHIPMENT, [transaction(one) for one in IDS]).judgements
    assert {(one.verdict, one.needs_alarm) for one in judgements.values()} == {(verdict, needs_alarm)}
    assert list(judgements) == IDS
    assert len(told.requests) == 1


def test_what_the_gateway_has_already_is_neither_taken_nor_refused() -> None:
    reply = {"transactions": [{"transactionId": IDS[0], "code": 3003}, {"transactionId": IDS[1], "code": None}]}
    shipped = gateway("/v1/shipments", answer(200, reply))[0].send(SHIPMENT, [transaction(one) for one in IDS])
    assert shipped.known == {IDS[0]}
    assert not shipped.is_known
    assert {key: one.verdict for key, one in shipped.judgements.items()} == {
        IDS[1]: Verdict.ACCEPTED,
        IDS[2]: Verdict.UNCERTAIN,
    }
    whole = gateway("/v1/shipments", answer(409, {"code": 3002}))[0].send(SHIPMENT, [transaction(IDS[0])])
    assert whole.is_known
    assert whole.known == {IDS[0]}


@pytest.mark.parametrize("state", list(TransactionState))
def test_each_state_is_read(state: TransactionState) -> None:
    entry = {"transactionId": IDS[0], "shipmentId": SHIPMENT, "status": state.value, "code": 5002}
    bank, _ = gateway("/v1/transactions/", answer(200, entry))
    assert bank.transaction(IDS[0]) == TransactionStatus(IDS[0], SHIPMENT, state, "5002")


def test_a_transaction_or_shipment_that_the_gateway_never_had() -> None:
    assert gateway("/v1/transactions/", answer(404, {"code": 201}))[0].transaction(IDS[0]) is None
    assert gateway("/v1/shipments/", answer(404, {"code": 201}))[0].shipment(SHIPMENT) is None


@pytest.mark.parametrize(
    "reply",
    [answer(404), answer(500), answer(401), answer(200, {"status": "NEW"}), answer(200, {}), httpx.ReadTimeout("x")],
)
def test_a_status_that_cannot_be_read_is_a_failure(reply: Any) -> None:
    with pytest.raises(CallFailed):
        gateway("/v1/transactions/", reply)[0].transaction(IDS[0])


def test_one_unknown_status_hides_no_other_of_the_shipment() -> None:
    entries = [{"transactionId": IDS[0], "status": "NEW"}, {"transactionId": IDS[1], "status": "PROCESSED"}]
    found = gateway("/v1/shipments/", answer(200, {"transactions": entries}))[0].shipment(SHIPMENT)
    assert found == [TransactionStatus(IDS[1], None, TransactionState.PROCESSED)]


@pytest.mark.parametrize(
    ("state", "code", "verdict", "needs_alarm"),
    [
        (TransactionState.IN_PROGRESS, None, Verdict.ACCEPTED, False),
        (TransactionState.PENDING, None, Verdict.ACCEPTED, False),
        (TransactionState.PROCESSED, None, Verdict.ACCEPTED, False),
        (TransactionState.CANCELLED, "205", Verdict.ACCEPTED, False),
        (TransactionState.STOPPED, "5002", Verdict.REFUSED, False),
        (TransactionState.STOPPED, None, Verdict.REFUSED, False),
        (TransactionState.STOPPED, "7777", Verdict.REFUSED, False),
        (TransactionState.STOPPED, "5006", Verdict.UNAVAILABLE, True),
    ],
)
def test_what_a_state_says_about_an_open_attempt(
    state: TransactionState, code: str | None, verdict: Verdict, needs_alarm: bool
) -> None:
    judgement = judge_status(TransactionStatus(IDS[0], SHIPMENT, state, code))
    assert (judgement.verdict, judgement.needs_alarm) == (verdict, needs_alarm)


def test_a_transaction_nobody_has_may_be_sent() -> None:
    judgement = judge_status(None)
    assert (judgement.verdict, judgement.needs_alarm) == (Verdict.UNAVAILABLE, False)


@pytest.fixture
def development(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, instance_dir=tmp_path / "instance")


def test_the_stand_in_knows_the_willing_the_blocking_and_the_ambiguous(development: Settings) -> None:
    people = [
        Person(NUMBER, None, "Kari Nordmann", efaktura=Known("EF000000000000001", True)),
        Person(OTHER, None, "Ola Nordmann", efaktura=Known("EF000000000000002", True, (ISSUER,))),
        Person("21836797660", None, "Per Olsen", efaktura=Known("EF000000000000003", True), postal_code="4100"),
        Person("22838497199", None, "Per Olsen", efaktura=Known("EF000000000000004", True), postal_code="4100"),
    ]
    write_world(development.sandbox_dir, people)
    clients = connect(development, Clock(), SandboxTransport(development.sandbox_dir))
    found = clients.efaktura.look_up(
        [
            Consumer("1", national_id=NUMBER),
            Consumer("2", national_id=OTHER),
            Consumer("3", name="per olsen", postal_code="4100"),
            Consumer("4", name="Nobody", postal_code="4100"),
        ]
    )
    clients.close()
    assert found.answers == {
        "1": EfakturaAnswer(Answer.YES, "EF000000000000001"),
        "2": EfakturaAnswer(Answer.NO),
        "3": EfakturaAnswer(Answer.NO, has_several=True),
        "4": EfakturaAnswer(Answer.NO),
    }
