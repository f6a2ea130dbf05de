"""The words of the eFaktura gateway's contract, and what each of its codes means for us.

Names and codes are those of Mastercard Payment Services' combo service (channels.md §1.2).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.clients.rules import Judgement, Rule, Verdict, rule
from app.routing.channels import Answer

MOST_PEOPLE = MOST_TRANSACTIONS = 1000

COMBO = "Mastercard Payment Services, combo service error codes (channels.md §1.2)"
GATEWAY = "our gateway contract"
SHIPMENT_EXISTS, TRANSACTION_EXISTS, NOT_FOUND = "3002", "3003", "201"

SHIPMENT_RULES: tuple[Rule, ...] = (
    rule(400, Verdict.UNAVAILABLE, GATEWAY, code="4000", needs_alarm=True),
    rule(404, Verdict.UNAVAILABLE, GATEWAY, needs_alarm=True),
)
# Of one transaction inside an answer 200. A code means that it was not taken; only 5002 is about the recipient.
TRANSACTION_RULES: tuple[Rule, ...] = (
    rule(200, Verdict.REFUSED, GATEWAY, code="5002"),
    rule(200, Verdict.UNAVAILABLE, COMBO, code="3010", needs_alarm=True),
    rule(200, Verdict.UNAVAILABLE, COMBO, code="3011", needs_alarm=True),
    rule(200, Verdict.UNAVAILABLE, COMBO, code="3020", needs_alarm=True),
    rule(200, Verdict.UNAVAILABLE, COMBO, code="3100", needs_alarm=True),
    rule(200, Verdict.UNAVAILABLE, COMBO, code="3101", needs_alarm=True),
    rule(200, Verdict.UNAVAILABLE, COMBO, code="5003", needs_alarm=True),
    rule(200, Verdict.UNAVAILABLE, COMBO, code="5006", needs_alarm=True),
    rule(200, Verdict.UNAVAILABLE, "our judgement: a code means not taken", needs_alarm=True),
)


class PaymentType(StrEnum):
    """How the resident pays; with an external AvtaleGiro the claim goes to the bank in its own file."""

    EFAKTURA = "EFAKTURA"
    WITH_EXTERNAL_AVTALEGIRO = "EFAKTURA_AND_EXTERNAL_AVTALEGIRO"


class TransactionState(StrEnum):
    """Where a transaction is; STOPPED may come after PROCESSED."""

    IN_PROGRESS = "IN_PROGRESS"
    PENDING = "PENDING"
    PROCESSED = "PROCESSED"
    STOPPED = "STOPPED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Consumer:
    """Whom to look up: by national id, or by name and postal code, which address and mobile make narrower.

    ``reference`` is ours and comes back with the answer. repr shows nothing else.
    """

    reference: str
    national_id: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    address_line: str | None = field(default=None, repr=False)
    mobile: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, str]:
        """As the gateway wants it; the national id alone where there is one."""
        if self.national_id:
            return {"ref": self.reference, "nationalId": self.national_id}
        given = {
            "name": self.name,
            "postalCode": self.postal_code,
            "addressLine": self.address_line,
            "mobile": self.mobile,
        }
        return {"ref": self.reference, **{name: value for name, value in given.items() if value}}


@dataclass(frozen=True, slots=True)
class EfakturaAnswer:
    """Whether eFaktura reaches one consumer from this issuer. ``has_several``: the key fits more than one."""

    answer: Answer = Answer.UNKNOWN
    identifier: str | None = field(default=None, repr=False)
    has_several: bool = False


@dataclass(frozen=True, slots=True)
class Transaction:
    """One invoice in a shipment. ``amount_ore``: whole øre."""

    transaction_id: str
    payment_type: PaymentType
    efaktura_identifier: str = field(repr=False)
    invoice_number: str
    kid: str
    account: str
    amount_ore: int
    due_on: dt.date
    presentation_url: str = field(repr=False)
    issuer_name: str

    def as_json(self) -> dict[str, Any]:
        """As the gateway wants it."""
        return {
            "transactionId": self.transaction_id,
            "paymentType": self.payment_type.value,
            "documentType": "INVOICE",
            "efakturaIdentifier": self.efaktura_identifier,
            "invoiceNumber": self.invoice_number,
            "kid": self.kid,
            "account": self.account,
            "amount": self.amount_ore,
            "dueDate": self.due_on.isoformat(),
            "presentationUrl": self.presentation_url,
            "issuerName": self.issuer_name,
        }


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """The newest word on one transaction; ``code`` says why it was stopped."""

    transaction_id: str
    shipment_id: str | None
    state: TransactionState
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Shipped:
    """What came of a shipment: a judgement by transaction id.

    ``known`` are the ids that the gateway has already, to be asked about; ``is_known``: the whole shipment is there.
    """

    judgements: Mapping[str, Judgement]
    known: frozenset[str] = frozenset()
    is_known: bool = False


def read_consumer(entry: Mapping[str, Any]) -> EfakturaAnswer:
    """Yes only for an exact hit who said yes to all and has not blocked this issuer; several hits are nobody's."""
    match entry:
        case {"result": "match", "accepts": True, "identifier": str(identifier)} if identifier:
            return EfakturaAnswer(Answer.YES, identifier)
        case {"result": "match", "accepts": False} | {"result": "none"}:
            return EfakturaAnswer(Answer.NO)
        case {"result": "multiple"}:
            return EfakturaAnswer(Answer.NO, has_several=True)
    return EfakturaAnswer()


def judge_status(status: TransactionStatus | None) -> Judgement:
    """What the status of a transaction says about the attempt that may have brought it there."""
    if status is None:
        return Judgement(Verdict.UNAVAILABLE, "the gateway has never had it")
    if status.state is not TransactionState.STOPPED:
        return Judgement(Verdict.ACCEPTED, status.state.value)
    known = next((row for row in TRANSACTION_RULES if row.code and row.code == status.code), None)
    detail = f"STOPPED {status.code}" if status.code else "STOPPED"
    return Judgement(known.verdict if known else Verdict.REFUSED, detail, bool(known and known.needs_alarm))
