"""What the eFaktura gateway checks of a question, and how it finds a consumer (contract: ``efaktura.py``)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from app.sandbox.numbers import is_account
from app.sandbox.registry import World
from app.sandbox.standin import Answer, json_response
from app.sandbox.world import Person

MOST_PEOPLE = MOST_TRANSACTIONS = 1000
NOT_FOUND, ALREADY_CANCELLED = 201, 205
SHIPMENT_EXISTS, TRANSACTION_EXISTS = 3002, 3003
NO_CLAIM, NO_EFAKTURA, NO_KID = 3010, 3011, 3020
NOT_AN_INVOICE, CLAIM_NOT_ALLOWED = 3100, 3101
UNREACHABLE, NO_IDENTIFIER, WRONG_ACCOUNT = 5002, 5003, 5006
MALFORMED = 4000
NO_CONSUMER, SEVERAL_CONSUMERS, NOT_WANTED, AGREEMENT_EXISTS = 6001, 6002, 6003, 6004
EXTERNAL_CLAIM = "EFAKTURA_AND_EXTERNAL_AVTALEGIRO"
ALLOWED_TYPES = frozenset({"EFAKTURA", EXTERNAL_CLAIM})
KNOWN_TYPES = ALLOWED_TYPES | {"EFAKTURA_AND_AVTALEGIRO", "AVTALEGIRO"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MESSAGES = {
    TRANSACTION_EXISTS: "transactionId exists",
    NO_CLAIM: "AvtaleGiro information is missing",
    NO_EFAKTURA: "eFaktura information is missing",
    NO_KID: "KID is missing",
    NOT_AN_INVOICE: "documentType is not implemented",
    CLAIM_NOT_ALLOWED: "AvtaleGiro is not allowed",
    UNREACHABLE: "The consumer cannot be reached",
    NO_IDENTIFIER: "efakturaIdentifier is missing",
    WRONG_ACCOUNT: "account is invalid",
}

AGREEMENT_MESSAGES = {
    NO_CONSUMER: "No consumer fits",
    SEVERAL_CONSUMERS: "Several consumers fit",
    NOT_WANTED: "The consumer wants nothing from this issuer",
}


def _malformed(message: str) -> NoReturn:
    raise Answer(json_response({"code": MALFORMED, "message": message}, 400))


def _many(body: Any, field: str, most: int) -> list[dict[str, Any]]:
    given = body.get(field) if isinstance(body, dict) else None
    if not isinstance(given, list) or not 1 <= len(given) <= most or not all(isinstance(one, dict) for one in given):
        _malformed(f"{field} must be a list of 1 to {most} objects")
    return given


def _issuer(body: Any) -> str:
    issuer = body.get("issuer")
    if not isinstance(issuer, str) or not re.fullmatch(r"\d{9}", issuer):
        _malformed("issuer must be an organisation number of 9 digits")
    return issuer


def look_up_question(body: Any) -> tuple[str, list[dict[str, Any]]]:
    """The issuer and the people of a look-up; an `Answer` when the body is not one."""
    people = _many(body, "people", MOST_PEOPLE)
    for number, person in enumerate(people):
        _check_person(person, f"people[{number}]")
    return _issuer(body), people


def _check_person(person: Mapping[str, Any], place: str) -> None:
    if not isinstance(person.get("ref"), str):
        _malformed(f"{place}.ref is missing")
    national_id = person.get("nationalId")
    if national_id is not None and not (isinstance(national_id, str) and re.fullmatch(r"\d{11}", national_id)):
        _malformed(f"{place}.nationalId must be 11 digits")
    if (
        not national_id
        and not person.get("efakturaIdentifier")
        and not (isinstance(person.get("name"), str) and isinstance(person.get("postalCode"), str))
    ):
        _malformed(f"{place} needs nationalId, efakturaIdentifier, or name and postalCode")


def agreement_question(body: Any, agreement_id: str) -> tuple[str, dict[str, Any]]:
    """The issuer and the consumer of a request; an `Answer` when the body is not one."""
    asked = body.get("consumer") if isinstance(body, dict) else None
    if not isinstance(asked, dict):
        _malformed("consumer must be an object")
    if not UUID.fullmatch(agreement_id):
        _malformed("agreementId must be a lower-case UUID")
    _check_person(asked, "consumer")
    return _issuer(body), asked


def identifiers(world: World, asked: Mapping[str, Any]) -> list[str]:
    """The eFaktura identifiers of everyone who fits."""
    found = {person.efaktura.identifier for person in _candidates(world, asked)}
    return sorted(identifier for identifier in found if identifier)


def agreement_refusal(world: World, asked: Mapping[str, Any], issuer: str) -> int | None:
    """The code for which a request is refused, or None."""
    known = {person.efaktura.identifier: person for person in _candidates(world, asked) if person.efaktura.identifier}
    if len(known) != 1:
        return SEVERAL_CONSUMERS if known else NO_CONSUMER
    [person] = known.values()
    return NOT_WANTED if issuer in person.efaktura.blocked_issuers else None


def look_up_key(person: Mapping[str, Any]) -> str:
    """What a look-up of this person is told apart by."""
    fields = ("nationalId", "efakturaIdentifier", "name", "addressLine", "postalCode", "mobile")
    given = [str(person[field]) for field in fields if person.get(field)]
    return given[0] if person.get("nationalId") else "\0".join(given)


def find(world: World, asked: Mapping[str, Any], issuer: str, agreed: Collection[str] = ()) -> dict[str, Any]:
    """One person of the answer; *agreed* are the identifiers with an agreement of ours."""
    found = _candidates(world, asked)
    known = {person.efaktura.identifier: person for person in found if person.efaktura.identifier}
    if len(known) != 1:
        return {"ref": asked["ref"], "result": "multiple" if known else "none", "identifier": None, "accepts": False}
    [(identifier, person)] = known.items()
    accepts = _takes_from(person, issuer, agreed)
    return {"ref": asked["ref"], "result": "match", "identifier": identifier, "accepts": accepts}


def _takes_from(person: Person, issuer: str, agreed: Collection[str]) -> bool:
    has_agreed = person.efaktura.identifier in agreed and issuer not in person.efaktura.blocked_issuers
    return has_agreed or person.efaktura.takes_from(issuer)


def _candidates(world: World, asked: Mapping[str, Any]) -> list[Person]:
    if national_id := asked.get("nationalId"):
        is_refused = "refuse" in world.faults.people.get(national_id, {}).get("efaktura", "")
        return [] if is_refused else [world.with_national_id(national_id)]
    if identifier := asked.get("efakturaIdentifier"):
        return [world.by_identifier[identifier]] if identifier in world.by_identifier else []
    people = world.with_name(asked["name"], asked["postalCode"])
    for field, value in (("mobile", asked.get("mobile")), ("address_line_1", asked.get("addressLine"))):
        fitting = [person for person in people if value and _same(getattr(person, field), value)]
        people = fitting or people
    return people


def _same(known: str | None, asked: str) -> bool:
    return known is not None and known.casefold().split() == asked.casefold().split()


def shipment_question(body: Any) -> tuple[str, str, list[dict[str, Any]]]:
    """Shipment id, issuer and transactions; an `Answer` when the body is not a shipment."""
    transactions = _many(body, "transactions", MOST_TRANSACTIONS)
    shipment_id = body.get("shipmentId")
    if not isinstance(shipment_id, str) or not UUID.fullmatch(shipment_id):
        _malformed("shipmentId must be a lower-case UUID")
    ids = [one.get("transactionId") for one in transactions]
    for number, identifier in enumerate(ids):
        if not isinstance(identifier, str) or not UUID.fullmatch(identifier):
            _malformed(f"transactions[{number}].transactionId must be a lower-case UUID")
    if len(set(ids)) < len(ids):
        _malformed("a transactionId occurs twice in the shipment")
    return shipment_id, _issuer(body), transactions


def refusal(world: World, one: Mapping[str, Any], issuer: str, agreed: Collection[str] = ()) -> int | None:
    """The code for which a transaction is refused, or None; *agreed* as in `find`."""
    payment_type, identifier = one.get("paymentType"), one.get("efakturaIdentifier")
    amount, due = one.get("amount"), one.get("dueDate")
    checks = (
        (NO_CLAIM, payment_type not in KNOWN_TYPES),
        (CLAIM_NOT_ALLOWED, payment_type not in ALLOWED_TYPES),
        (NOT_AN_INVOICE, one.get("documentType") != "INVOICE"),
        (NO_IDENTIFIER, not identifier),
        (NO_KID, not one.get("kid")),
        (WRONG_ACCOUNT, not is_account(one.get("account"))),
        (NO_EFAKTURA, type(amount) is not int or amount < 0 or not _is_date(due)),
        (NO_EFAKTURA, not all(one.get(field) for field in ("invoiceNumber", "presentationUrl", "issuerName"))),
        (UNREACHABLE, not _reaches(world, identifier, issuer, agreed)),
    )
    return next((code for code, is_wrong in checks if is_wrong), None)


def _reaches(world: World, identifier: Any, issuer: str, agreed: Collection[str]) -> bool:
    """Identifiers that the file does not know belong to people made up by rule, whose look-up said yes."""
    person = world.by_identifier.get(identifier)
    if person is None:
        return isinstance(identifier, str) and bool(re.fullmatch(r"EF\d{15}", identifier))
    return _takes_from(person, issuer, agreed)


def owner(world: World, one: Mapping[str, Any]) -> str | None:
    """The national id behind a transaction's identifier, for faults that name a person."""
    person = world.by_identifier.get(one.get("efakturaIdentifier", ""))
    return person.national_id if person else None


def _is_date(value: Any) -> bool:
    try:
        dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def outcome(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A transaction in the answer to a shipment."""
    code = entry.get("code")
    return {"transactionId": entry["id"], "code": code, "message": MESSAGES.get(code) if code else None}


def status(identifier: str, state: str, entry: Mapping[str, Any] | None, code: int | None) -> dict[str, Any]:
    """A transaction in the answer to a status question."""
    entry = entry or {}
    return {
        "transactionId": identifier,
        "shipmentId": entry.get("shipment"),
        "invoiceNumber": entry.get("invoice"),
        "status": state,
        "code": code,
        "message": MESSAGES.get(code) if code else None,
    }
