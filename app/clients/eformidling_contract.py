"""What eFormidling's integrasjonspunkt is told and what it answers, as types, with the rules beside their sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.clients.exchange import Answered, AnswerLost
from app.clients.rules import Verdict, rule

PROVIDER = "eformidling"
# The process that honours a reservation; its sister "info" does not.
PROCESS = "urn:no:difi:profile:digitalpost:vedtak:ver1.0"

EXISTS = "MessageAlreadyExistsException"
EXPIRED = "TimeToLiveException"
DUPLICATE_FILE = "DuplicateFilenameException"
NOT_ACCEPTED = "ReceiverDoNotAccept"
NO_ADDRESS = "MissingAddressInformationException"


class Kind(StrEnum):
    """The document types we send, as the access point names them."""

    DIGITAL = "digital"
    PRINT = "print"

    @property
    def standard(self) -> str:
        """The type's full name; source: docs.digdir.no, eFormidling, Dokumenttyper."""
        return f"urn:no:difi:digitalpost:xsd:{'digital' if self is Kind.DIGITAL else 'fysisk'}::{self.value}"


CREATE_RULES = (
    rule(200, Verdict.ACCEPTED, "docs.digdir.no, eFormidling API: POST /api/messages/out"),
    rule(400, Verdict.REFUSED, "efm-integrasjonspunkt: the receiver takes no such process or document",
         code=NOT_ACCEPTED),
    rule(400, Verdict.REFUSED, "efm-integrasjonspunkt, NextMoveValidator: no whole address", code=NO_ADDRESS),
)  # fmt: skip
ATTACH_RULES = (
    rule(200, Verdict.ACCEPTED, "docs.digdir.no, eFormidling API: PUT /api/messages/out/{id}"),
    rule(400, Verdict.ACCEPTED, "efm-integrasjonspunkt: attached before", code=DUPLICATE_FILE),
)
SEND_RULES = (rule(200, Verdict.ACCEPTED, "docs.digdir.no, eFormidling API: POST /api/messages/out/{id}"),)


@dataclass(frozen=True, slots=True)
class OutMessage:
    """One letter. Ids are UUIDs of ours. ``receiver``: a national id; None where only the address is known (print).

    ``content``: the business message of ``kind``, naming ``file_name`` as its main document. ``metadata``: XML about
    that document under the name ``metadata_name``, which ``content`` gives as its ``metadataFiler``; empty: none.
    """

    message_id: str
    conversation_id: str
    kind: Kind
    sender: str
    receiver: str | None = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)
    file_name: str
    pdf: bytes = field(repr=False)
    metadata_name: str = ""
    metadata: bytes = field(default=b"", repr=False)

    @property
    def files(self) -> list[tuple[str, str, bytes]]:
        """Name, type and content of every file to attach, the main document first."""
        files = [(self.file_name, "application/pdf", self.pdf)]
        return [*files, (self.metadata_name, "application/xml", self.metadata)] if self.metadata else files

    def as_json(self) -> dict[str, Any]:
        """The document to create it with. ``sender`` is an organisation number."""
        receiver = {"receiver": [_party(self.receiver)]} if self.receiver else {}
        return {
            "standardBusinessDocumentHeader": {
                "headerVersion": "1.0",
                "sender": [_party(f"0192:{self.sender}")],
                **receiver,
                "documentIdentification": {
                    "standard": self.kind.standard,
                    "typeVersion": "1.0",
                    "instanceIdentifier": self.message_id,
                    "type": self.kind.value,
                },
                "businessScope": {
                    "scope": [
                        {"type": "ConversationId", "instanceIdentifier": self.conversation_id, "identifier": PROCESS}
                    ]
                },
            },
            self.kind.value: dict(self.content),
        }


def _party(identifier: str) -> dict[str, dict[str, str]]:
    """A sender or receiver. The scheme's name stands beside a national id too, as in Digdir's own examples."""
    return {"identifier": {"value": identifier, "authority": "iso6523-actorid-upis"}}


class State(StrEnum):
    """What has become of a message; source: docs.digdir.no, eFormidling, Statuser."""

    CREATED = "OPPRETTET"
    SENT = "SENDT"
    RECEIVED = "MOTTATT"
    DELIVERED = "LEVERT"
    READ = "LEST"
    FAILED = "FEIL"
    EXPIRED = "LEVETID_UTLOPT"
    OTHER = "ANNET"


# LEVERT may come before MOTTATT, and FEIL after LEVERT, so meaning decides and not arrival. The access point goes on
# waiting after LEVERT, so its life may run out on a letter that lies in the mailbox.
_BY_MEANING = (
    State.READ, State.FAILED, State.DELIVERED, State.EXPIRED, State.OTHER, State.RECEIVED, State.SENT, State.CREATED,
)  # fmt: skip


def strongest(states: Iterable[State]) -> State | None:
    """The last word among all that was said of one message, None when nothing was."""
    said = set(states)
    return next((state for state in _BY_MEANING if state in said), None)


def read_states(answered: Answered, message_id: str) -> list[State]:
    """The states in a page of statuses that are about *message_id*; lower case occurs. Raises `AnswerLost`."""
    content = answered.json_object().get("content")
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise AnswerLost(PROVIDER, "the page of statuses has no content")
    said = [str(entry.get("status", "")).upper() for entry in content if entry.get("messageId") == message_id]
    known = {state.value: state for state in State}
    return [known[word] for word in said if word in known]


def takes(answered: Answered, kind: Kind) -> bool:
    """Whether the receiver's capabilities for our process hold *kind*. Raises `AnswerLost`."""
    capabilities = answered.json_object().get("capabilities")
    if not isinstance(capabilities, list):
        raise AnswerLost(PROVIDER, "the answer has no capabilities")
    return any(
        document.get("type") == kind.value
        for capability in capabilities
        if capability.get("process") == PROCESS
        for document in capability.get("documentTypes") or ()
    )


def exception_of(answered: Answered) -> str | None:
    """The class name in an error, without its package, which differs between versions; None when there is none."""
    if answered.is_success:
        return None
    try:
        name = answered.json_object().get("exception")
    except AnswerLost:
        return None
    if not isinstance(name, str) or not name:
        return None
    simple = name.rpartition(".")[2]
    # …Process…, …DocumentStandard: one meaning under several names.
    return NOT_ACCEPTED if simple.startswith(NOT_ACCEPTED) else simple[:80]
