"""Stand-in for the contact and reservation register: ``POST /rest/v2/personer`` with 1 to 1000 national ids.

What is shown follows the token's scopes: ``krr:global/kontaktinformasjon.read`` gives contact data, notification status
and language, ``krr:global/digitalpost.read`` the mailbox and its certificate; the reservation always comes. Objects are
missing where the real register leaves them out, times come in both formats seen in the wild, and the order is not that
of the question. Faults: ``refuse`` on a look-up answers 422 for all of it; on a person (``faults.people``) that person
is absent from the answer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from functools import cache
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from app.sandbox.keys import TokenInvalid
from app.sandbox.standin import Answer, Call, StandIn, json_response
from app.sandbox.world import Person

MOST_IDS = 1000
CONTACT_SCOPE = "krr:global/kontaktinformasjon.read"
MAILBOX_SCOPE = "krr:global/digitalpost.read"
PROVIDERS = {"digipost": "984661185", "e-boks": "922020175"}
RULE_VERIFIED_AT = "2026-08-05T10:45:15.768Z"


@cache
def certificate() -> str:
    """A real X.509 certificate (PEM) that is good from 2020 to 2050, for every mailbox the same."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sandkassens postkasse")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    signed = builder.not_valid_after(dt.datetime(2050, 1, 1, tzinfo=dt.UTC)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def problem(status: int, title: str, detail: str, pointer: str | None = None) -> Response:
    """An error in KRR's shape (JSON:API errors)."""
    error: dict[str, Any] = {"id": "sandbox", "status": str(status), "title": title, "detail": detail}
    if pointer:
        error["source"] = {"pointer": pointer}
    return json_response({"errors": [error]}, status)


class ContactRegister(StandIn):
    """KRR in test and production."""

    service = "krr"
    hosts: ClassVar[tuple[str, ...]] = ("kontaktregisteret.no", "test.kontaktregisteret.no")
    routes = Map([Rule("/rest/v2/personer", methods=["POST"], endpoint="people")])

    def http_error(self, call: Call, error: HTTPException) -> Response:
        """An unknown path, in KRR's shape."""
        return problem(error.code or 500, error.name, "See documentation.")

    def fault_response(self, call: Call, status: int) -> Response:
        """429 and 500, in KRR's shape."""
        return problem(status, "Too Many Requests" if status == 429 else "Internal Server Error", "Try again later.")

    def people(self, call: Call) -> Response:
        """What the register knows of each id in the question."""
        scopes = self._scopes(call)
        ids = asked_for(call)
        fault = self.look_up(call, ids, len(ids))
        if fault == "refuse":
            return problem(
                422, "Invalid value", "See documentation for list of possible values.", "/personidentifikatorer"
            )
        overrides, world = call.world.faults.people, call.world
        people = [
            person_object(national_id, world.with_national_id(national_id), scopes)
            for national_id in sorted(ids)
            if "refuse" not in overrides.get(national_id, {}).get("krr", "")
        ]
        return self.faulty(call, fault, json_response({"personer": people}))

    def _scopes(self, call: Call) -> frozenset[str]:
        scheme, _, token = call.request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise TokenInvalid
            claims = self.place.key.check(token.strip(), time.time())
        except TokenInvalid as error:
            response = problem(401, "Unauthorized", str(error))
            response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            raise Answer(response) from None
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes & {CONTACT_SCOPE, MAILBOX_SCOPE}:
            raise Answer(problem(403, "Forbidden", "The token has no scope for this register."))
        return scopes


def asked_for(call: Call) -> list[str]:
    """The ids of the question; an `Answer` when it is not one."""
    pointer = "/personidentifikatorer"
    try:
        body = call.json()
        ids = body["personidentifikatorer"]
    except (ValueError, KeyError, TypeError):
        raise Answer(problem(400, "Bad Request", "personidentifikatorer is required.", pointer)) from None
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_IDS:
        raise Answer(problem(422, "Invalid value", f"1 to {MOST_IDS} values are required.", pointer))
    for number, national_id in enumerate(ids):
        if not isinstance(national_id, str) or len(national_id) != 11 or not national_id.isdigit():
            raise Answer(problem(422, "Invalid value", "Not a person identifier.", f"{pointer}/{number}"))
    return list(dict.fromkeys(ids))


def person_object(national_id: str, person: Person, scopes: frozenset[str]) -> dict[str, Any]:
    """One person as ``/personer`` shows them."""
    krr = person.krr
    answer: dict[str, Any] = {"personidentifikator": national_id, "status": krr.status}
    if krr.status != "SLETTET":
        answer["reservasjon"] = "JA" if krr.reserved else "NEI"
    if krr.reserved:
        answer["reservasjonstidspunkt"] = answer["reservasjon_oppdatert"] = krr.updated_at
    if CONTACT_SCOPE in scopes:
        answer["varslingsstatus"] = "KAN_VARSLES" if krr.can_be_notified else "KAN_IKKE_VARSLES"
        contact = contact_object(person)
        if contact:
            answer["kontaktinformasjon"] = contact
            answer["spraak"], answer["spraak_oppdatert"] = "nb", RULE_VERIFIED_AT
    if MAILBOX_SCOPE in scopes and krr.status == "AKTIV" and krr.mailbox is not None:
        answer["digital_post"] = {
            "postkasseadresse": f"sandbox.resident#{hashlib.sha256(national_id.encode()).hexdigest()[:4].upper()}",
            "postkasseleverandoeradresse": PROVIDERS[krr.mailbox],
        }
        answer["sertifikat"] = certificate()
    return answer


def contact_object(person: Person) -> dict[str, str]:
    """Contact data with its times; empty for someone who is not active."""
    krr, contact = person.krr, dict[str, str]()
    if krr.status != "AKTIV":
        return contact
    for field, value in (("epostadresse", krr.email), ("mobiltelefonnummer", krr.mobile)):
        if value:
            contact[field] = value
            if krr.updated_at:
                contact[f"{field}_oppdatert"] = contact[f"{field}_sist_verifisert"] = krr.updated_at
                contact[f"{field}_sist_validert"] = RULE_VERIFIED_AT
    return contact
