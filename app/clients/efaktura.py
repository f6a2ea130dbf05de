"""The eFaktura gateway: who takes eFaktura from this issuer, shipments of invoices, and what became of each.

The REST contract is our own, kept by a thin gateway at the municipality's submitter; names and codes are those of
Mastercard Payment Services' combo service (channels.md §1.2). Ids are lower-case UUIDs chosen by us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.clients.efaktura_agreement import AGREEMENT_RULES, AgreementStatus, Requested, read_status
from app.clients.efaktura_contract import (
    MOST_PEOPLE,
    NOT_FOUND,
    SHIPMENT_EXISTS,
    SHIPMENT_RULES,
    TRANSACTION_EXISTS,
    TRANSACTION_RULES,
    Consumer,
    EfakturaAnswer,
    Shipped,
    Transaction,
    TransactionState,
    TransactionStatus,
    read_consumer,
)
from app.clients.http import Answered, AnswerLost, CallFailed, Outside, ServiceClient, Witness
from app.clients.look_ups import LookUp, ask_in_halves, check_look_up
from app.clients.rules import Judgement, Verdict, judge, judge_failure

PROVIDER = "efaktura"
UNREADABLE = "unreadable"

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,20}")


class Efaktura:
    """The gateway for one issuer, with the *token* (bearer) it gave us. Safe for threads."""

    def __init__(self, outside: Outside, base_url: str, issuer: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http, self._issuer = ServiceClient(PROVIDER, base_url, outside, headers=headers), issuer

    def look_up(self, consumers: Sequence[Consumer]) -> LookUp[str, EfakturaAnswer]:
        """The answer about each of at most 1000 consumers, by reference. Never raises for what the gateway does."""
        if len(consumers) > MOST_PEOPLE:
            raise ValueError(f"at most {MOST_PEOPLE} consumers a call")
        return ask_in_halves(consumers, self._ask)

    def send(self, shipment_id: str, transactions: Sequence[Transaction], witness: Witness | None = None) -> Shipped:
        """Send at most 1000 transactions, once. Never raises for what the gateway does."""
        body = {
            "shipmentId": shipment_id,
            "issuer": self._issuer,
            "transactions": [transaction.as_json() for transaction in transactions],
        }
        ids = [transaction.transaction_id for transaction in transactions]
        try:
            answered = self._http.call("POST", "/v1/shipments", witness=witness, json=body)
            if answered.status == 200:
                return _shipped(answered, ids)
            code = _code(answered)
        except CallFailed as failure:
            return Shipped(dict.fromkeys(ids, judge_failure(failure)))
        if answered.status == 409 and code == SHIPMENT_EXISTS:
            return Shipped({}, frozenset(ids), is_known=True)
        return Shipped(dict.fromkeys(ids, judge(SHIPMENT_RULES, answered, code)))

    def transaction(self, transaction_id: str) -> TransactionStatus | None:
        """The status of one transaction, None when the gateway has never had it. Raises `CallFailed`."""
        answered = self._http.look_up("GET", f"/v1/transactions/{transaction_id}")
        if _is_unknown(answered):
            return None
        status = _status(answered.json_object())
        if status is None:
            raise AnswerLost(PROVIDER, "the answer has no status that we know")
        return status

    def shipment(self, shipment_id: str) -> list[TransactionStatus] | None:
        """The status of each transaction of a shipment, None when the shipment is unknown.

        A transaction whose status is none that we know is left out. Raises `CallFailed`.
        """
        answered = self._http.look_up("GET", f"/v1/shipments/{shipment_id}")
        if _is_unknown(answered):
            return None
        return [status for entry in _entries(answered, "transactions") if (status := _status(entry))]

    def request_agreement(self, agreement_id: str, consumer: Consumer) -> Requested:
        """Ask the provider to switch eFaktura on for *consumer*, who said yes. Never raises for what the gateway does.

        *agreement_id* is a UUID of ours: a repeat under it is answered with what became of the first.
        """
        body = {"issuer": self._issuer, "consumer": consumer.as_json()}
        try:
            answered = self._http.call("PUT", f"/v1/agreements/{agreement_id}", witness=Witness("offer"), json=body)
            code = _code(answered)
            if answered.status in {200, 202}:
                return _requested(answered, agreement_id, code)
        except CallFailed as failure:
            return Requested(judge_failure(failure))
        return Requested(judge(AGREEMENT_RULES, answered, code), code=code)

    def agreement_status(self, agreement_id: str) -> AgreementStatus | None:
        """Where an agreement is, None when the gateway has never had it. Raises `CallFailed`."""
        answered = self._http.look_up("GET", f"/v1/agreements/{agreement_id}", witness=Witness("lookup"))
        if _is_unknown(answered):
            return None
        status = read_status(answered.json_object(), agreement_id, _code(answered))
        if status is None:
            raise AnswerLost(PROVIDER, "the answer has no status that we know")
        return status

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _ask(self, consumers: Sequence[Consumer]) -> Mapping[str, EfakturaAnswer]:
        body = {"issuer": self._issuer, "people": [consumer.as_json() for consumer in consumers]}
        answered = self._http.look_up("POST", "/v1/identifiers", witness=Witness("lookup"), json=body)
        check_look_up(answered)
        answers = {consumer.reference: EfakturaAnswer() for consumer in consumers}
        for entry in _entries(answered, "people"):
            reference = str(entry.get("ref"))
            if reference in answers:
                answers[reference] = read_consumer(entry)
        return answers


def _shipped(answered: Answered, ids: Sequence[str]) -> Shipped:
    """One judgement a transaction; one that the answer leaves out may have been taken."""
    judgements = dict.fromkeys(ids, Judgement(Verdict.UNCERTAIN, "not in the answer", needs_alarm=True))
    known = set()
    for entry in _entries(answered, "transactions"):
        identifier, code = str(entry.get("transactionId")), _code_text(entry.get("code"))
        if identifier not in judgements:
            continue
        if code is None:
            judgements[identifier] = Judgement(Verdict.ACCEPTED, "taken")
        elif code == TRANSACTION_EXISTS:
            known.add(identifier)
        else:
            judgements[identifier] = judge(TRANSACTION_RULES, answered, code)
    return Shipped(
        {identifier: judgements[identifier] for identifier in ids if identifier not in known}, frozenset(known)
    )


def _requested(answered: Answered, agreement_id: str, code: str | None) -> Requested:
    """A success whose words are not those of the contract may be anything."""
    status = read_status(answered.json_object(), agreement_id, code)
    if status is None:
        return Requested(Judgement(Verdict.UNCERTAIN, "the answer has no status that we know", needs_alarm=True))
    return Requested(Judgement(Verdict.ACCEPTED, status.standing.value), status, code)


def _entries(answered: Answered, name: str) -> list[dict[str, Any]]:
    entries = answered.json_object().get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AnswerLost(PROVIDER, f"the answer has no list of {name}")
    return entries


def _code(answered: Answered) -> str | None:
    """The gateway's code of an error; whoever stands before it may answer something else."""
    try:
        return _code_text(answered.json_object().get("code"))
    except AnswerLost:
        return None


def _code_text(code: object) -> str | None:
    """A code as text. Anything longer than a code may be a sentence about somebody, and goes no further."""
    if code is None:
        return None
    return str(code) if _CODE.fullmatch(str(code)) else UNREADABLE


def _is_unknown(answered: Answered) -> bool:
    """Whether a status question was answered with "never had it". Raises `CallFailed` for any other failure."""
    if answered.status == 404 and _code(answered) == NOT_FOUND:
        return True
    check_look_up(answered)
    return False


def _status(entry: Mapping[str, Any]) -> TransactionStatus | None:
    """The status in *entry*, None when it is not one that we know."""
    try:
        state, shipment = TransactionState(entry["status"]), entry.get("shipmentId")
        return TransactionStatus(str(entry["transactionId"]), shipment, state, _code_text(entry.get("code")))
    except (KeyError, ValueError):
        return None
