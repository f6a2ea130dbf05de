"""Agreements at the gateway: what was taken, what surely was not, and what nobody knows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clients.efaktura_agreement import AgreementStatus, Requested, Standing, read_status
from app.clients.efaktura_contract import Consumer
from app.clients.exchange import CallFailed
from app.clients.rules import Verdict
from app.core.ids import derived_id
from tests.clients.efaktura_support import ISSUER, NUMBER, gateway
from tests.clients.fakes import answer

ID = str(derived_id("agreement"))
PATH = f"/v1/agreements/{ID}"
KARI = Consumer("7", national_id=NUMBER)


def said(state: str = "PENDING", **more: Any) -> dict[str, Any]:
    return {"agreementId": ID, "status": state, "code": None, "identifier": None, **more}


def request(reply: Any) -> Requested:
    bank, _ = gateway(PATH, reply)
    return bank.request_agreement(ID, KARI)


def test_the_request_names_the_issuer_and_of_the_consumer_no_more_than_needed() -> None:
    bank, told = gateway(PATH, answer(202, said()))
    taken = bank.request_agreement(ID, KARI)
    assert (taken.judgement.verdict, taken.status) == (Verdict.ACCEPTED, AgreementStatus(ID, Standing.PENDING))
    assert told.bodies(PATH) == [{"issuer": ISSUER, "consumer": {"ref": "7", "nationalId": NUMBER}}]


def test_a_repeat_is_answered_with_what_became_of_the_first() -> None:
    taken = request(answer(200, said("ACTIVE", identifier="EF1")))
    assert taken.status == AgreementStatus(ID, Standing.ACTIVE, None, "EF1")
    assert "EF1" not in repr(taken)


@pytest.mark.parametrize("code", [6001, 6002, 6003])
def test_a_refusal_is_about_the_consumer(code: int) -> None:
    taken = request(answer(422, {"code": code, "message": "no"}))
    assert (taken.judgement.verdict, taken.code, taken.judgement.needs_alarm) == (Verdict.REFUSED, str(code), False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_our_own_fault_is_no_refusal_and_alarms(status: int) -> None:
    taken = request(answer(status, {"code": 4000}))
    assert (taken.judgement.verdict, taken.judgement.needs_alarm) == (Verdict.UNAVAILABLE, True)


@pytest.mark.parametrize(
    "reply",
    [
        answer(500, {"code": 500}),
        answer(202, {}),
        answer(202, said("NEW")),
        answer(202, {**said(), "agreementId": "x"}),
        answer(202, {**said(), "status": ["ACTIVE"]}),
        httpx.ReadTimeout("gone"),
    ],
)
def test_what_may_have_been_taken_is_uncertain(reply: Any) -> None:
    assert request(reply).judgement.verdict is Verdict.UNCERTAIN


def test_what_never_left_is_known_not_to_have_been_taken() -> None:
    assert request(httpx.ConnectError("nobody there")).judgement.verdict is Verdict.UNAVAILABLE


def test_an_agreement_that_the_gateway_never_had_is_told_apart_from_a_gateway_that_does_not_answer() -> None:
    bank, _ = gateway(PATH, [answer(404, {"code": 201}), answer(404, {}), answer(200, said("NEW"))])
    assert bank.agreement_status(ID) is None
    for _ in range(2):
        with pytest.raises(CallFailed):
            bank.agreement_status(ID)


ANYTHING = st.none() | st.text() | st.lists(st.text()) | st.sampled_from([ID, *Standing])


@given(st.dictionaries(st.sampled_from(["agreementId", "status", "identifier"]), ANYTHING))
def test_a_status_is_one_of_ours_or_none(entry: dict[str, Any]) -> None:
    found = read_status(entry, ID, None)
    assert found is None or (found.agreement_id == ID and isinstance(found.standing, Standing))
