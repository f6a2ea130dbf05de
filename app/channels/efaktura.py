"""eFaktura: shipments of up to 1000 invoices through the gateway."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from app.channels.answers import result
from app.channels.contract import Consignment, Outcome, ReceiptNote, ReceiptStatus, Result
from app.clients.efaktura import Efaktura
from app.clients.efaktura_contract import (
    MOST_TRANSACTIONS,
    PaymentType,
    Transaction,
    TransactionState,
    TransactionStatus,
    judge_status,
)
from app.clients.http import CallFailed, Witness
from app.clients.rules import Judgement, Verdict
from app.clients.seats import in_seats
from app.core.ids import derived_id
from app.routing.channels import Channel

RECEIPTS: Mapping[TransactionState, ReceiptStatus] = {
    TransactionState.IN_PROGRESS: ReceiptStatus.IN_TRANSIT,
    TransactionState.PENDING: ReceiptStatus.IN_TRANSIT,
    TransactionState.PROCESSED: ReceiptStatus.DELIVERED,
    TransactionState.STOPPED: ReceiptStatus.FAILED,
    TransactionState.CANCELLED: ReceiptStatus.SETTLED_BY_HAND,
}


class EfakturaChannel:
    """The channel eFaktura. A transaction's id is the consignment's key; a reference is ``shipment id/transaction id``,
    so that receipts are read a shipment at a time."""

    channel = Channel.EFAKTURA
    provider = "efaktura"
    batch_size = MOST_TRANSACTIONS
    commit_each = False

    def __init__(self, client: Efaktura, seats: int) -> None:
        self._client, self._seats = client, seats

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Hand over in shipments of at most 1000; one result a key."""
        results: dict[str, Result] = {}
        ready = []
        for consignment in consignments:
            fault = _fault(consignment)
            if fault is None:
                ready.append(consignment)
            else:
                results[consignment.key] = fault
        for start in range(0, len(ready), MOST_TRANSACTIONS):
            results |= self._ship(ready[start : start + MOST_TRANSACTIONS])
        return results

    def find(self, consignment: Consignment) -> Result:
        """What became of an attempt left open, by the status of its transaction."""
        try:
            status = self._client.transaction(consignment.key)
        except CallFailed as failure:
            return result(_cannot_be_asked(failure))
        return result(judge_status(status), _reference(status))

    def receipts(self, references: Sequence[str]) -> Sequence[ReceiptNote]:
        """The newest word on each; whatever cannot be asked now is left out."""
        asked: dict[str, list[str]] = defaultdict(list)
        for reference in references:
            asked[reference.partition("/")[0]].append(reference)
        notes: list[ReceiptNote] = []
        for found in in_seats(self._statuses, asked.items(), self._seats):
            notes += found
        return notes

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def _ship(self, consignments: Sequence[Consignment]) -> dict[str, Result]:
        shipment_id = str(derived_id("efaktura-shipment", *sorted(consignment.key for consignment in consignments)))
        only = consignments[0] if len(consignments) == 1 else None
        witness = Witness(only.witness_kind, only.number) if only else None
        shipped = self._client.send(shipment_id, [_transaction(consignment) for consignment in consignments], witness)
        results = {
            key: result(judgement, f"{shipment_id}/{key}" if _may_be_there(judgement) else None)
            for key, judgement in shipped.judgements.items()
        }
        if shipped.is_known:
            return results | self._known_shipment(shipment_id, shipped.known)
        return results | dict(in_seats(self._known_transaction, shipped.known, self._seats))

    def _known_shipment(self, shipment_id: str, keys: frozenset[str]) -> dict[str, Result]:
        """The shipment was taken before: its statuses say what came of each."""
        try:
            statuses = {status.transaction_id: status for status in self._client.shipment(shipment_id) or ()}
        except CallFailed as failure:
            return dict.fromkeys(keys, result(_cannot_be_asked(failure)))
        return {key: _result_of_known(statuses.get(key)) for key in keys}

    def _known_transaction(self, key: str) -> tuple[str, Result]:
        try:
            return key, _result_of_known(self._client.transaction(key))
        except CallFailed as failure:
            return key, result(_cannot_be_asked(failure))

    def _statuses(self, shipment: tuple[str, list[str]]) -> list[ReceiptNote]:
        shipment_id, references = shipment
        wanted = {reference.partition("/")[2]: reference for reference in references}
        try:
            if len(wanted) == 1:
                status = self._client.transaction(next(iter(wanted)))
                statuses = [status] if status else []
            else:
                statuses = self._client.shipment(shipment_id) or []
        except CallFailed:
            return []
        return [
            ReceiptNote(wanted[status.transaction_id], RECEIPTS[status.state], status.code)
            for status in statuses
            if status.transaction_id in wanted
        ]


def _fault(consignment: Consignment) -> Result | None:
    """What makes sending pointless: nobody to send to any more, or something of ours is missing."""
    if not consignment.recipient.efaktura_identifier:
        return Result(Outcome.REFUSED, detail="no eFaktura identifier")
    if not consignment.presentation_url:
        return Result(Outcome.UNAVAILABLE, detail="no address for the presentation", needs_alarm=True)
    return None


def _transaction(consignment: Consignment) -> Transaction:
    return Transaction(
        transaction_id=consignment.key,
        payment_type=PaymentType.WITH_EXTERNAL_AVTALEGIRO if consignment.pays_by_avtalegiro else PaymentType.EFAKTURA,
        efaktura_identifier=consignment.recipient.efaktura_identifier or "",
        invoice_number=consignment.number,
        kid=consignment.kid or "",
        account=consignment.account or "",
        amount_ore=consignment.amount_ore,
        due_on=consignment.due_on,
        presentation_url=consignment.presentation_url,
        issuer_name=consignment.issuer_name,
    )


def _may_be_there(judgement: Judgement) -> bool:
    return judgement.verdict in {Verdict.ACCEPTED, Verdict.UNCERTAIN}


def _result_of_known(status: TransactionStatus | None) -> Result:
    if status is None:
        # They said that it exists: sending it again in another shipment would be answered the same.
        return Result(Outcome.UNCERTAIN, detail="exists, and has no status", needs_alarm=True)
    return result(judge_status(status), _reference(status))


def _reference(status: TransactionStatus | None) -> str | None:
    return f"{status.shipment_id}/{status.transaction_id}" if status and status.shipment_id else None


def _cannot_be_asked(failure: CallFailed) -> Judgement:
    """An unanswered question about a known message leaves it as uncertain as before."""
    return Judgement(Verdict.UNCERTAIN, failure.detail, failure.needs_alarm)
