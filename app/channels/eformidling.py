"""Letters through eFormidling: what the digital mailbox and its print service have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from app.channels.answers import result
from app.channels.contract import Consignment, Outcome, ReceiptNote, ReceiptStatus, Result
from app.channels.names import document_name
from app.clients.eformidling import Eformidling, judge_state
from app.clients.eformidling_contract import OutMessage, State
from app.clients.http import CallFailed, Witness
from app.core.ids import derived_id

# Source: docs.digdir.no, eFormidling, Statuser. ANNET is what somebody there settled by hand.
RECEIPTS: Mapping[State, ReceiptStatus] = {
    State.CREATED: ReceiptStatus.IN_TRANSIT,
    State.SENT: ReceiptStatus.IN_TRANSIT,
    State.RECEIVED: ReceiptStatus.IN_TRANSIT,
    State.DELIVERED: ReceiptStatus.DELIVERED,
    State.READ: ReceiptStatus.READ,
    State.FAILED: ReceiptStatus.FAILED,
    State.EXPIRED: ReceiptStatus.EXPIRED,
    State.OTHER: ReceiptStatus.SETTLED_BY_HAND,
}


class EformidlingLetters(ABC):
    """One letter a call. A reference is the message's id, which is the consignment's key."""

    provider = "eformidling"
    batch_size = 1
    commit_each = False

    def __init__(self, client: Eformidling) -> None:
        self._client = client

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Hand over one after the other; one result a key. Whoever sends many calls from several threads."""
        return {consignment.key: self._sent(consignment) for consignment in consignments}

    def find(self, consignment: Consignment) -> Result:
        """What became of an attempt left open. Created and not sent counts as absent: sending goes on there."""
        try:
            state = self._client.state(consignment.key)
        except CallFailed as failure:
            return Result(Outcome.UNCERTAIN, detail=failure.detail, needs_alarm=failure.needs_alarm)
        return self._told(consignment, result(judge_state(state)))

    def receipts(self, references: Sequence[str]) -> Sequence[ReceiptNote]:
        """The last word on each; whatever cannot be asked now is left out."""
        notes = []
        for reference in references:
            try:
                state = self._client.state(reference)
            except CallFailed:
                continue
            if state is not None:
                notes.append(ReceiptNote(reference, RECEIPTS[state], state.value))
        return notes

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    @abstractmethod
    def objection(self, consignment: Consignment) -> Result | None:
        """Why this recipient cannot be sent to, or None."""

    @abstractmethod
    def message(self, consignment: Consignment) -> OutMessage:
        """The letter as the access point takes it."""

    def _sent(self, consignment: Consignment) -> Result:
        if not consignment.pdf:
            return Result(Outcome.UNAVAILABLE, detail="no_document", needs_alarm=True)
        objection = self.objection(consignment)
        if objection is not None:
            return objection
        witness = Witness(consignment.witness_kind, consignment.number)
        return self._told(consignment, result(self._client.send(self.message(consignment), witness)))

    def _told(self, consignment: Consignment, told: Result) -> Result:
        """With the reference where it is, or may be, there."""
        may_be_there = told.outcome in {Outcome.ACCEPTED, Outcome.UNCERTAIN}
        reference = consignment.key if may_be_there else None
        return Result(told.outcome, reference, told.detail, told.needs_alarm, told.retry_after)


def conversation_of(consignment: Consignment) -> str:
    """The conversation's id, the same on every repeat."""
    return str(derived_id("eformidling-conversation", consignment.key))


def file_name_of(consignment: Consignment) -> str:
    """The attachment's name: plain, and the only one of its message."""
    return document_name(consignment.kind, consignment.number)
