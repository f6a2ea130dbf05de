"""Vipps: one invoice a call, under an id that derives from the attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.channels.answers import result
from app.channels.contract import Consignment, ReceiptNote, ReceiptStatus, Result
from app.clients.http import CallFailed, Witness
from app.clients.rules import Judgement, Verdict
from app.clients.seats import in_seats
from app.clients.vipps import Vipps
from app.clients.vipps_contract import State, VippsInvoice, judge_status
from app.routing.channels import Channel

# `created` may last a day before the resident sees it. Deleted and expired ones were shown to the resident: they are
# never sent again by another channel unasked.
RECEIPTS: Mapping[State, ReceiptStatus] = {
    State.CREATED: ReceiptStatus.IN_TRANSIT,
    State.PENDING: ReceiptStatus.DELIVERED,
    State.APPROVED: ReceiptStatus.READ,
    State.DELETED: ReceiptStatus.READ,
    State.EXPIRED: ReceiptStatus.DELIVERED,
    State.REJECTED: ReceiptStatus.FAILED,
    State.REVOKED: ReceiptStatus.SETTLED_BY_HAND,
}


class VippsChannel:
    """The channel Vipps. A reference is Vipps' invoice id, ``orgno-no.<issuer>.<key>``."""

    channel = Channel.VIPPS
    provider = "vipps"
    batch_size = 1
    commit_each = False

    def __init__(self, client: Vipps, issuer: str, seats: int) -> None:
        self._client, self._issuer, self._seats = client, issuer, seats

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Hand over one after the other; one result a key. Whoever sends many calls from several threads."""
        return dict(self._send_one(consignment) for consignment in consignments)

    def find(self, consignment: Consignment) -> Result:
        """What became of an attempt left open, by the state of the invoice under its id."""
        invoice_id = self._invoice_id(consignment)
        try:
            status = self._client.get(invoice_id)
        except CallFailed as failure:
            return result(Judgement(Verdict.UNCERTAIN, failure.detail, failure.needs_alarm))
        return result(judge_status(status), invoice_id if status else None)

    def receipts(self, references: Sequence[str]) -> Sequence[ReceiptNote]:
        """The newest word on each; whatever cannot be asked now is left out."""
        return [note for note in in_seats(self._note, references, self._seats) if note]

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def _send_one(self, consignment: Consignment) -> tuple[str, Result]:
        invoice_id = self._invoice_id(consignment)
        judgement = self._hand_over(invoice_id, consignment)
        may_be_there = judgement.verdict in {Verdict.ACCEPTED, Verdict.UNCERTAIN}
        return consignment.key, result(judgement, invoice_id if may_be_there else None)

    def _hand_over(self, invoice_id: str, consignment: Consignment) -> Judgement:
        if not consignment.recipient.mobile:
            return Judgement(Verdict.REFUSED, "no mobile number")
        if not consignment.presentation_url:
            return Judgement(Verdict.UNAVAILABLE, "no address for the document", needs_alarm=True)
        try:
            judgement, token = self._client.recipient_token(consignment.recipient.mobile)
        except CallFailed as failure:
            # However the question ended, the invoice was not sent.
            return Judgement(Verdict.UNAVAILABLE, failure.detail, failure.needs_alarm)
        if judgement.verdict is Verdict.UNCERTAIN:
            return Judgement(Verdict.UNAVAILABLE, judgement.detail, judgement.needs_alarm)
        if judgement.verdict is not Verdict.ACCEPTED:
            return judgement
        witness = Witness(consignment.witness_kind, consignment.number)
        return self._client.put(_invoice(invoice_id, consignment), token, witness)

    def _note(self, reference: str) -> ReceiptNote | None:
        try:
            status = self._client.get(reference)
        except CallFailed:
            return None
        if status is None:
            return None
        return ReceiptNote(reference, RECEIPTS[status.state], status.problem or status.state.value)

    def _invoice_id(self, consignment: Consignment) -> str:
        return f"orgno-no.{self._issuer}.{consignment.key}"


def _invoice(invoice_id: str, consignment: Consignment) -> VippsInvoice:
    return VippsInvoice(
        invoice_id=invoice_id,
        kid=consignment.kid or "",
        account=consignment.account or "",
        amount_ore=consignment.amount_ore,
        due_on=consignment.due_on,
        subject=consignment.subject,
        issuer_name=consignment.issuer_name,
        document_url=consignment.presentation_url,
    )
