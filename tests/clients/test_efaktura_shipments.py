"""Each code of a shipment and each state of a transaction means what its row says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clients.connect import connect
from app.clients.efaktura_contract import (
    Consumer,
    EfakturaAnswer,
    TransactionState,
    TransactionStatus,
    judge_status,
)
from app.clients.http import CallFailed, Witness
from app.clients.rules import Verdict
from app.core.clock import Clock
from app.core.settings import Settings, load_settings
from app.routing.channels import Answer
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Efaktura as Known
from app.sandbox.world import Person, write_world
from tests.clients.efaktura_support import ACCOUNT, IDS, ISSUER, NUMBER, OTHER, SHIPMENT, gateway, transaction
from tests.clients.fakes import answer


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
