"""The eFaktura gateway: who takes eFaktura from this issuer, shipments of invoices, and what became of each.

The REST contract is our own, kept by a thin gateway at the municipality's submitter; names and codes are those of
Mastercard Payment Services' combo service (channels.md §1.2). Ids are lower-case UUIDs chosen by us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


class Efaktura:
    """The gateway for one issuer. Safe for threads."""

    def __init__(self, outside: Outside, base_url: str, issuer: str) -> None:
        self._http, self._issuer = ServiceClient(PROVIDER, base_url, outside), issuer

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
        return None if _is_unknown(answered) else _status(answered, answered.json_object())

    def shipment(self, shipment_id: str) -> list[TransactionStatus] | None:
        """The status of every transaction of a shipment, None when it is unknown. Raises `CallFailed`."""
        answered = self._http.look_up("GET", f"/v1/shipments/{shipment_id}")
        if _is_unknown(answered):
            return None
        return [_status(answered, entry) for entry in _entries(answered, "transactions")]

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _ask(self, consumers: Sequence[Consumer]) -> Mapping[str, EfakturaAnswer]:
        body = {"issuer": self._issuer, "people": [consumer.as_json() for consumer in consumers]}
        answered = self._http.look_up("POST", "/v1/identifiers", witness=Witness("lookup"), json=body)
        check_look_up(answered)
        answers = {consumer.reference: EfakturaAnswer() for consumer in consumers}
        for entry in _entries(answered, "people"):
            if entry.get("ref") in answers:
                answers[entry["ref"]] = read_consumer(entry)
        return answers


def _shipped(answered: Answered, ids: Sequence[str]) -> Shipped:
    """One judgement a transaction; one that the answer leaves out may have been taken."""
    judgements = dict.fromkeys(ids, Judgement(Verdict.UNCERTAIN, "not in the answer", needs_alarm=True))
    known = set()
    for entry in _entries(answered, "transactions"):
        identifier, code = entry.get("transactionId"), entry.get("code")
        if identifier not in judgements:
            continue
        if code is None:
            judgements[identifier] = Judgement(Verdict.ACCEPTED, "taken")
        elif str(code) == TRANSACTION_EXISTS:
            known.add(identifier)
        else:
            judgements[identifier] = judge(TRANSACTION_RULES, answered, str(code))
    return Shipped(
        {identifier: judgements[identifier] for identifier in ids if identifier not in known}, frozenset(known)
    )


def _entries(answered: Answered, name: str) -> list[dict[str, Any]]:
    entries = answered.json_object().get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AnswerLost(PROVIDER, f"the answer has no list of {name}")
    return entries


def _code(answered: Answered) -> str | None:
    """The gateway's code of an error; whoever stands before it may answer something else."""
    try:
        code = answered.json_object().get("code")
    except AnswerLost:
        return None
    return None if code is None else str(code)[:20]


def _is_unknown(answered: Answered) -> bool:
    """Whether a status question was answered with "never had it". Raises `CallFailed` for any other failure."""
    if answered.status == 404 and _code(answered) == NOT_FOUND:
        return True
    check_look_up(answered)
    return False


def _status(answered: Answered, entry: Mapping[str, Any]) -> TransactionStatus:
    try:
        state, code = TransactionState(entry["status"]), entry.get("code")
        return TransactionStatus(
            str(entry["transactionId"]), entry.get("shipmentId"), state, None if code is None else str(code)
        )
    except (KeyError, ValueError):
        pass
    raise AnswerLost(answered.provider, "the answer has no status that we know")
