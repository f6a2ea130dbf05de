"""Mailbox and print through KS SvarUt: one letter a call, which SvarUt prints by itself where no mailbox takes it.

SvarUt recognises no repeat, so an attempt left open is searched for by our key; and since SvarUt may still be taking a
letter whose sender has given up, "nothing found" counts only when the attempt is old enough.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from app.channels.answers import result
from app.channels.contract import Address, Consignment, Outcome, ReceiptNote, ReceiptStatus, Result
from app.channels.giro import giro_pages
from app.channels.names import document_name
from app.channels.postal import is_complete, is_norwegian
from app.clients.http import CallFailed, Witness
from app.clients.svarut import STATUSES_A_CALL, SvarUt
from app.clients.svarut_contract import REFUSALS, Receiver, Shipment, Status, judge_status
from app.core.clock import Clock
from app.routing.channels import Channel, Kind

# KS' own client waits this long for the answer to one letter (fiks-svarut-klient, SendKlientV2).
LONGEST_TAKING = dt.timedelta(minutes=16)

# Source: the meanings in forsendelseStatus.json (v1). A printed letter that comes back is never told of.
RECEIPTS: Mapping[Status, ReceiptStatus] = {
    Status.RECEIVED: ReceiptStatus.IN_TRANSIT,
    Status.ACCEPTED: ReceiptStatus.IN_TRANSIT,
    Status.REFUSED: ReceiptStatus.FAILED,
    Status.READY: ReceiptStatus.IN_TRANSIT,
    Status.NOTIFIED: ReceiptStatus.IN_TRANSIT,
    Status.READ: ReceiptStatus.READ,
    Status.SENT_TO_PRINT: ReceiptStatus.IN_TRANSIT,
    Status.PRINTED: ReceiptStatus.DELIVERED,
    Status.SENT_DIGITALLY: ReceiptStatus.IN_TRANSIT,
    Status.SENT_TO_MAILBOX: ReceiptStatus.IN_TRANSIT,
    Status.IN_MAILBOX: ReceiptStatus.DELIVERED,
    Status.NOT_DELIVERED: ReceiptStatus.FAILED,
    Status.SETTLED_BY_HAND: ReceiptStatus.SETTLED_BY_HAND,
}

# Our judgement: the log is free text, which may hold names, so only what it is about leaves this module.
CAUSES = {
    "address": ("adresse", "postnummer", "poststed", "land"),
    "document": ("dokument", "fil", "pdf", "sider"),
    "identity": ("fødselsnummer", "digitalid", "mottaker"),
}


class SvarUtLetters:
    """The channel ``mailbox`` (the digital ways first) or ``paper`` (printed at once). A reference is SvarUt's id."""

    provider = "svarut"
    batch_size = 1
    commit_each = False

    def __init__(
        self,
        client: SvarUt,
        channel: Channel,
        clock: Clock,
        *,
        giro_form: str = "slip",
        longest_taking: dt.timedelta = LONGEST_TAKING,
    ) -> None:
        self._client, self._channel, self._clock = client, channel, clock
        self._giro_form, self._longest_taking = giro_form, longest_taking

    @property
    def channel(self) -> Channel:
        """Which of the two this is."""
        return self._channel

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Hand over one after the other; one result a key. Whoever sends many calls from several threads."""
        return {consignment.key: self._sent(consignment) for consignment in consignments}

    def find(self, consignment: Consignment) -> Result:
        """What became of an attempt left open. Not found, and lately opened: uncertain, since it may still come."""
        try:
            ids = self._client.find(consignment.key)
        except CallFailed as failure:
            return Result(Outcome.UNCERTAIN, detail=failure.detail, needs_alarm=failure.needs_alarm)
        if not ids:
            return self._absent(consignment)
        known = self._client.statuses(ids[:STATUSES_A_CALL])
        if known.answered_calls == 0:
            return Result(Outcome.UNCERTAIN, detail=known.failure, needs_alarm=known.needs_alarm)
        # Should two have got there, the one that goes on counts, and somebody must know.
        going = [one for one in ids if known.answers.get(one) not in REFUSALS]
        chosen = going[0] if going else ids[0]
        found = result(judge_status(known.answers.get(chosen)), chosen)
        if len(going) > 1:
            return Result(found.outcome, chosen, f"{len(going)} under one reference", needs_alarm=True)
        return found

    def receipts(self, references: Sequence[str]) -> Sequence[ReceiptNote]:
        """The newest word on each; whatever cannot be asked now is left out."""
        notes: list[ReceiptNote] = []
        for start in range(0, len(references), STATUSES_A_CALL):
            answers = self._client.statuses(references[start : start + STATUSES_A_CALL]).answers
            notes += [ReceiptNote(one, RECEIPTS[status], self._detail(one, status)) for one, status in answers.items()]
        return notes

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def _sent(self, consignment: Consignment) -> Result:
        recipient = consignment.recipient
        if not consignment.pdf:
            return Result(Outcome.UNAVAILABLE, detail="no_document", needs_alarm=True)
        if self._channel is Channel.MAILBOX and not recipient.national_id:
            return Result(Outcome.REFUSED, detail="no_national_id")
        if not is_complete(recipient.address):
            return Result(Outcome.REFUSED, detail="incomplete_address")
        judgement, reference = self._client.send(
            self._shipment(consignment), Witness(consignment.witness_kind, consignment.number)
        )
        return result(judgement, reference)

    def _shipment(self, consignment: Consignment) -> Shipment:
        recipient = consignment.recipient
        is_digital = self._channel is Channel.MAILBOX
        return Shipment(
            reference=consignment.key,
            title=" ".join(consignment.subject.split()),
            receiver=receiver(recipient.address, recipient.name, recipient.national_id if is_digital else None),
            file_name=document_name(consignment.kind, consignment.number),
            pdf=consignment.pdf,
            giro_pages=self._giro_pages(consignment),
        )

    def _giro_pages(self, consignment: Consignment) -> tuple[int, ...]:
        """None for a notice or a credit note, which nobody is to pay, nor where nothing is said to pay by."""
        is_demand = consignment.witness_kind == "demand" and consignment.kind == Kind.DEMAND.value
        if not is_demand or not consignment.kid or not consignment.account:
            return ()
        return giro_pages(consignment.pdf, consignment.kid, consignment.account, self._giro_form)

    def _absent(self, consignment: Consignment) -> Result:
        opened_at = consignment.opened_at
        age = self._clock.now() - opened_at if opened_at else self._longest_taking
        if age < self._longest_taking:
            left = self._longest_taking - age
            return Result(Outcome.UNCERTAIN, detail="not there yet", retry_after=left)
        return Result(Outcome.UNAVAILABLE, detail="not known there")

    def _detail(self, reference: str, status: Status) -> str:
        """The status; of a refusal also what it was about, where the log tells."""
        if status not in REFUSALS:
            return status.value
        try:
            log = " ".join(self._client.events(reference)).casefold()
        except CallFailed:
            return status.value
        cause = next((cause for cause, words in CAUSES.items() if any(word in log for word in words)), "")
        return f"{status.value} {cause}".rstrip()


def receiver(address: Address, name: str, national_id: str | None) -> Receiver:
    """*address* in SvarUt's fields; *name* where it holds none. The first line is never empty."""
    return Receiver(
        name=address.name or name,
        lines=tuple(line.strip() for line in (address.line_1, address.line_2) if line.strip()),
        postal_code=address.postal_code.strip(),
        city=address.city.strip(),
        country="" if is_norwegian(address) else address.country.strip(),
        national_id=national_id,
    )
