"""The words of KS SvarUt v2, and what each of its answers means for us.

Source: ks-no/fiks-svarut-klient, OpenAPI files of v2; the meaning of each status stands in the JSON schemas of v1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.clients.exchange import Answered, AnswerLost
from app.clients.rules import Judgement, Rule, Verdict, rule

PROVIDER = "svarut"
SCOPE = "ks:fiks"
OPENAPI = "ks-no/fiks-svarut-klient, OpenAPI v2"
STATUS_TEXTS = "ks-no/svarut-rest-klient, forsendelseStatus.json (v1)"

LONGEST_TITLE = 1000
LONGEST_REFERENCE = 100
LONGEST_FILE_NAME = 226
SYSTEM = "Fakturaportalen"

# Nothing but 200 is described: every other answer is an error whose code is free text. A recipient is refused later,
# by the status AVVIST.
SEND_RULES: tuple[Rule, ...] = (rule(200, Verdict.ACCEPTED, OPENAPI),)

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,59}")


class Status(StrEnum):
    """What has become of a consignment."""

    RECEIVED = "MOTTATT"
    ACCEPTED = "AKSEPTERT"
    REFUSED = "AVVIST"
    READY = "KLAR_FOR_MOTTAK"
    NOTIFIED = "VARSLET"
    READ = "LEST"
    SENT_TO_PRINT = "SENDT_PRINT"
    PRINTED = "PRINTET"
    SENT_DIGITALLY = "SENDT_DIGITALT"
    SENT_TO_MAILBOX = "SENDT_SDP"
    IN_MAILBOX = "LEVERT_SDP"
    NOT_DELIVERED = "IKKE_LEVERT"
    SETTLED_BY_HAND = "MANUELT_HANDTERT"


# Neither of them was, or will be, printed.
REFUSALS = frozenset({Status.REFUSED, Status.NOT_DELIVERED})


@dataclass(frozen=True, slots=True)
class Receiver:
    """Whom it goes to. Without ``national_id`` it is printed at once; with it the digital ways are tried first.

    ``lines``: one to three address lines. ``country``: empty for Norway.
    """

    name: str
    lines: tuple[str, ...]
    postal_code: str
    city: str
    country: str = ""
    national_id: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, str]:
        """The element ``mottaker``."""
        fields = {
            "navn": self.name,
            "digitalId": self.national_id,
            **{f"adresselinje{number}": line for number, line in enumerate(self.lines, start=1)},
            "postnummer": self.postal_code,
            "poststed": self.city,
            "land": self.country,
        }
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class Shipment:
    """One letter with one document. ``reference``: our own id. ``giro_pages``: printed on the yellow giro form, from 1.

    It may always be printed: a consignment that may only go digitally is promised nothing and tells nothing.
    """

    reference: str
    title: str
    receiver: Receiver = field(repr=False)
    file_name: str
    pdf: bytes = field(repr=False)
    giro_pages: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The part ``forsendelse``."""
        document: dict[str, Any] = {"filnavn": self.file_name[-LONGEST_FILE_NAME:], "mimeType": "application/pdf"}
        if self.giro_pages:
            document["giroarkSider"] = list(self.giro_pages)
        return {
            "tittel": self.title[:LONGEST_TITLE],
            "mottaker": self.receiver.as_json(),
            "avgivendeSystem": SYSTEM,
            "eksternReferanse": self.reference[:LONGEST_REFERENCE],
            # A giro form needs its back blank.
            "utskriftskonfigurasjon": {"utskriftMedFarger": False, "tosidig": not self.giro_pages},
            "dokumenter": [document],
        }

    def parts(self) -> list[tuple[str, tuple[str | None, bytes, str]]]:
        """The parts of the multipart body, in order."""
        content = json.dumps(self.as_json(), ensure_ascii=False).encode()
        return [
            ("forsendelse", (None, content, "application/json")),
            ("filer_0", (self.file_name[-LONGEST_FILE_NAME:], self.pdf, "application/pdf")),
        ]


def judge_status(status: Status | None) -> Judgement:
    """What the status of a consignment that is there means for the attempt that sent it; None: not said yet."""
    if status is None:
        return Judgement(Verdict.ACCEPTED, "there, without a status")
    return Judgement(Verdict.REFUSED if status in REFUSALS else Verdict.ACCEPTED, status.value)


def error_code(answered: Answered) -> str | None:
    """The element ``errorCode`` of an error, None where there is none or it is no plain word."""
    if answered.is_success:
        return None
    try:
        code = answered.json_object().get("errorCode")
    except AnswerLost:
        return None
    found = _CODE.fullmatch(code) if isinstance(code, str) else None
    return found[0] if found else None


def read_id(answered: Answered) -> str:
    """The id in the answer to a consignment. Raises `AnswerLost`."""
    return _uuid(answered, answered.json_object().get("id"))


def read_ids(answered: Answered) -> tuple[str, ...]:
    """The ids that a search by reference found. Raises `AnswerLost`: an unreadable answer is not "none"."""
    ids = answered.json_object().get("forsendelseIds")
    if not isinstance(ids, list):
        raise AnswerLost(answered.provider, "the answer has no forsendelseIds")
    return tuple(_uuid(answered, one) for one in ids)


def read_statuses(answered: Answered) -> Mapping[str, Status]:
    """Status by id; a word that we do not know says nothing. Raises `AnswerLost`."""
    found = answered.json_object().get("statuser")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise AnswerLost(answered.provider, "the answer has no statuser")
    known = {status.value: status for status in Status}
    return {_uuid(answered, one.get("id")): known[one["status"]] for one in found if one.get("status") in known}


def read_events(answered: Answered) -> tuple[str, ...]:
    """The texts of the log of a consignment, which may hold names. Raises `AnswerLost`."""
    events = answered.json_object().get("hendelser")
    if not isinstance(events, list):
        raise AnswerLost(answered.provider, "the answer has no hendelser")
    return tuple(str(one.get("hendelse", "")) for one in events if isinstance(one, dict))


def _uuid(answered: Answered, value: object) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        pass
    raise AnswerLost(answered.provider, "an id in the answer is no UUID")
