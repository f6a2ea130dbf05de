"""Whom the integrasjonspunkt can reach, and how: mailbox by process and reservation, letters by address."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from app.sandbox.eformidling_sbd import EXCEPTIONS, INFO, STANDARDS, Message, is_national_id, problem
from app.sandbox.standin import Call
from app.sandbox.world import Person

NORWEGIAN = {"norge", "norway"}


def has_mailbox(call: Call, receiver: str, process: str) -> bool:
    """Whether a letter reaches the person's mailbox: the process *vedtak* honours the reservation, *info* does not."""
    if not is_national_id(receiver):
        return False
    if "refuse" in call.world.faults.people.get(receiver, {}).get("eformidling", ""):
        return False
    krr = call.world.with_national_id(receiver).krr
    return krr.status == "AKTIV" and krr.mailbox is not None and (process == INFO or not krr.reserved)


def refusal(call: Call, message: Message, is_refused: bool) -> Response | None:
    """Why this receiver cannot be sent this message, or None; fills in the address of a letter."""
    if message.type == "digital" and (is_refused or not has_mailbox(call, message.receiver, message.process)):
        detail = f"Receiver does not accept documents of type {STANDARDS['digital']}"
        return problem(call, 400, f"{EXCEPTIONS}.ReceiverDoNotAcceptDocumentException", detail)
    if message.type != "print":
        return None
    is_person = is_national_id(message.receiver)
    register = address_of(call.world.with_national_id(message.receiver)) if is_person else {}
    given = message.content.get("mottaker") or {}
    address = {**register, **{field: value for field, value in given.items() if value is not None}}
    is_norwegian = address.get("land") is None or str(address["land"]).lower() in NORWEGIAN
    needed = ("adresselinje1", *(("postnummer", "poststed") if is_norwegian else ()))
    missing = (
        ["mottaker"] if not address or is_refused else [f"mottaker.{one}" for one in needed if not address.get(one)]
    )
    if missing:
        detail = f"Missing address information: {', '.join(missing)}"
        return problem(call, 400, f"{EXCEPTIONS}.MissingAddressInformationException", detail)
    message.content["mottaker"] = address
    return None


def address_of(person: Person) -> dict[str, str]:
    """The population register's address, as a letter carries it."""
    known = {"adresselinje1": person.address_line_1, "postnummer": person.postal_code, "poststed": person.city}
    return {"navn": person.name, **{field: value for field, value in known.items() if value}, "land": "Norge"}


def capability(person: Person, process: str, is_digital: bool) -> dict[str, Any]:
    """One process of the answer on capabilities."""
    address = {
        "name": person.name,
        "street": person.address_line_1,
        "postalCode": person.postal_code,
        "postalArea": person.city,
        "country": "Norway",
    }
    kind = "digital" if is_digital else "print"
    return {
        "process": process,
        "serviceIdentifier": "DPI",
        "postAddress": address,
        "returnAddress": address,
        "documentTypes": [{"type": kind, "standard": STANDARDS[kind]}],
    }
