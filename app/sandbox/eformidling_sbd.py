"""The integrasjonspunkt's documents: what it checks of a message (SBD), what it fills in, and its errors."""

from __future__ import annotations

import copy
import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Any, NoReturn

from werkzeug.wrappers import Response

from app.sandbox.standin import Answer, Call, json_response

VEDTAK = "urn:no:difi:profile:digitalpost:vedtak:ver1.0"
INFO = "urn:no:difi:profile:digitalpost:info:ver1.0"
STANDARDS = {
    "digital": "urn:no:difi:digitalpost:xsd:digital::digital",
    "print": "urn:no:difi:digitalpost:xsd:fysisk::print",
    "digital_dpv": "urn:no:difi:digitalpost:xsd:digital::digital_dpv",
}
EXCEPTIONS = "no.difi.meldingsutveksling.exceptions"
HEADER = "standardBusinessDocumentHeader"
SENDER = {"identifier": {"value": "0192:946485764", "authority": "iso6523-actorid-upis"}}


def problem(
    call: Call, status: int, exception: str, message: str, errors: list[dict[str, Any]] | None = None
) -> Response:
    """An error as Spring Boot writes it in the integrasjonspunkt; a person's number in the path is masked."""
    reasons = {400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 429: "Too Many Requests"}
    content: dict[str, Any] = {
        "timestamp": call.now.isoformat(),
        "status": status,
        "error": reasons.get(status, "Internal Server Error"),
        "exception": exception,
        "message": message,
        "path": re.sub(r"/\d{11}(?=/|$)", "/***********", call.request.path),
    }
    if errors:
        content["errors"] = errors
    return json_response(content, status)


def already_exists(call: Call, message_id: str) -> Response:
    """The answer to an id that was used before."""
    message = f"Message with messageId = {message_id} already exists"
    return problem(call, 400, f"{EXCEPTIONS}.MessageAlreadyExistsException", message)


def violation(call: Call, field: str, code: str, message: str, rejected: Any = None) -> NoReturn:
    """A constraint that the document breaks."""
    error = {
        "codes": [code],
        "defaultMessage": message,
        "objectName": field,
        "field": field,
        "rejectedValue": rejected,
        "bindingFailure": False,
        "code": code,
    }
    exception = "jakarta.validation.ConstraintViolationException"
    raise Answer(problem(call, 400, exception, f"{field}: {message}", [error]))


@dataclass(frozen=True, slots=True)
class Message:
    """What the access point reads in a document; ``receiver`` is a national id or an organisation."""

    message_id: str
    conversation_id: str
    process: str
    type: str
    receiver: str
    document: dict[str, Any]

    @property
    def content(self) -> dict[str, Any]:
        """The business message."""
        content: dict[str, Any] = self.document[self.type]
        return content

    @property
    def main_document(self) -> str | None:
        """The file name of the main document."""
        return self.content.get("hoveddokument")

    @property
    def metadata_files(self) -> list[str]:
        """The file names of what is told of the documents."""
        return list((self.content.get("metadataFiler") or {}).values())

    @property
    def invoice_reference(self) -> str | None:
        """The sender's own reference, where the type has one."""
        return self.content.get("fakturaReferanse")


def read_message(document: dict[str, Any]) -> Message:
    """Read a document that was checked before."""
    header = document[HEADER]
    identification, scope = header["documentIdentification"], header["businessScope"]["scope"][0]
    return Message(
        identification["instanceIdentifier"],
        scope["instanceIdentifier"],
        scope["identifier"],
        identification["type"],
        header["receiver"][0]["identifier"]["value"],
        document,
    )


def checked_message(call: Call) -> Message:
    """The message in the body with the header's defaults filled in; an `Answer` when it is wrong."""
    try:
        document = copy.deepcopy(call.json())
        header = document[HEADER]
        identification, scope = header["documentIdentification"], header["businessScope"]["scope"][0]
        receiver = header["receiver"][0]["identifier"]["value"]
    except (ValueError, KeyError, TypeError, IndexError):
        exception = "org.springframework.http.converter.HttpMessageNotReadableException"
        raise Answer(problem(call, 400, exception, "The document cannot be read")) from None
    field = f"{HEADER}.documentIdentification"
    kind = identification.get("type")
    if kind not in STANDARDS:
        violation(call, f"{field}.type", "MessageType", "Must be a NextMove message type", kind)
    if identification.get("standard") != STANDARDS[kind] or not isinstance(document.get(kind), dict):
        violation(
            call, f"{field}.standard", "DocumentType", "Must fit the message type", identification.get("standard")
        )
    if len(header["receiver"]) != 1 or not isinstance(receiver, str):
        violation(call, f"{HEADER}.receiver", "Size", "size must be between 1 and 1")
    if scope.get("type") != "ConversationId" or scope.get("identifier") not in {VEDTAK, INFO}:
        violation(call, f"{HEADER}.businessScope.scope", "ProcessIdentifier", "Unknown process")
    _fill_in(call, header, identification, scope)
    message = read_message(document)
    (_check_digital if kind == "digital" else _check_print if kind == "print" else _check_dpv)(call, message.content)
    return message


def _fill_in(call: Call, header: dict[str, Any], identification: dict[str, Any], scope: dict[str, Any]) -> None:
    for part in (identification, scope):
        value = part.setdefault("instanceIdentifier", str(uuid.uuid4()))
        try:
            uuid.UUID(value)
        except (ValueError, TypeError, AttributeError):
            violation(call, f"{HEADER}.instanceIdentifier", "UUID", "must be a UUID")
    header.setdefault("sender", [SENDER])
    identification.setdefault("creationDateAndTime", call.now.isoformat())
    expires_at = (call.now + dt.timedelta(hours=24)).isoformat()
    scope.setdefault("scopeInformation", [{"expectedResponseDateTime": expires_at}])


def _need(call: Call, kind: str, content: dict[str, Any], fields: tuple[str, ...]) -> None:
    for field in fields:
        if content.get(field) in (None, ""):
            violation(call, f"{kind}.{field}", "NotNull", "must not be null")


def _at_most(call: Call, field: str, value: Any, length: int) -> None:
    if value is not None and len(str(value)) > length:
        violation(call, field, "Size", f"size must be between 0 and {length}")


def _check_digital(call: Call, content: dict[str, Any]) -> None:
    _need(call, "digital", content, ("sikkerhetsnivaa", "hoveddokument", "tittel", "spraak", "digitalPostInfo"))
    _need(call, "digital.digitalPostInfo", content["digitalPostInfo"], ("virkningsdato", "aapningskvittering"))
    if str(content["sikkerhetsnivaa"]) not in {"3", "4"}:
        violation(call, "digital.sikkerhetsnivaa", "InEnum", "must be 3 or 4", content["sikkerhetsnivaa"])
    notices = content.get("varsler") or {}
    _at_most(call, "digital.tittel", content["tittel"], 255)
    _at_most(call, "digital.fakturaReferanse", content.get("fakturaReferanse"), 40)
    _at_most(call, "digital.varsler.epostTekst", notices.get("epostTekst"), 500)
    _at_most(call, "digital.varsler.smsTekst", notices.get("smsTekst"), 160)


def _check_dpv(call: Call, content: dict[str, Any]) -> None:
    _need(call, "digital_dpv", content, ("tittel", "sammendrag", "innhold"))


def _check_print(call: Call, content: dict[str, Any]) -> None:
    _need(call, "print", content, ("hoveddokument",))
    allowed = {
        "utskriftsfarge": ("SORT_HVIT", "FARGE"),
        "posttype": ("A_PRIORITERT", "B_OEKONOMI"),
    }
    for field, values in allowed.items():
        if content.setdefault(field, values[0]) not in values:
            violation(call, f"print.{field}", "InEnum", f"must be one of {', '.join(values)}", content[field])
    returns = content.setdefault("retur", {}).setdefault("returhaandtering", "DIREKTE_RETUR")
    if returns not in {"DIREKTE_RETUR", "MAKULERING_MED_MELDING"}:
        violation(call, "print.retur.returhaandtering", "InEnum", "unknown", returns)


def is_national_id(receiver: str) -> bool:
    """11 digits: a person."""
    return bool(re.fullmatch(r"\d{11}", receiver))
