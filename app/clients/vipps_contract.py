"""The words of the Vipps Invoice API, and what each of its answers means for us.

Source: vippsas/vipps-invoice-api, swagger file of the sender side (ISP) and its guide.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.clients.exchange import Answered, AnswerLost
from app.clients.rules import Judgement, Rule, Verdict, rule
from app.core.clock import OSLO

ISSUER_NAME_LENGTH = 40
SWAGGER = "Vipps Invoice API, swagger of the sender side"
GUIDE = "Vipps Invoice API, guide for senders"
OURS = "our judgement: what is wrong is the recipient's number"

# Without its code a 404 is a wrong address of ours, which must not turn a run into letters.
RECIPIENT_RULES: tuple[Rule, ...] = (
    rule(200, Verdict.ACCEPTED, SWAGGER),
    rule(404, Verdict.REFUSED, SWAGGER, code="recipient-not-found"),
    rule(400, Verdict.REFUSED, OURS, code="invalid-recipient-value-msisdn"),
)
INVOICE_RULES: tuple[Rule, ...] = (
    rule(200, Verdict.ACCEPTED, SWAGGER),
    rule(400, Verdict.REFUSED, GUIDE, code="invoice-rejected-by-partner"),
    rule(400, Verdict.UNAVAILABLE, GUIDE, code="recipient-token-expired"),
    rule(409, Verdict.UNCERTAIN, "a different invoice with our id: our fault", needs_alarm=True),
)
REVOKE_RULES: tuple[Rule, ...] = (
    rule(204, Verdict.ACCEPTED, SWAGGER),
    rule(404, Verdict.REFUSED, SWAGGER, code="invoice-not-found"),
    rule(409, Verdict.REFUSED, SWAGGER, code="state-transition-not-allowed"),
    rule(409, Verdict.UNAVAILABLE, SWAGGER, code="invoice-status-etag-mismatch"),
)

_PROBLEM = re.compile(r"[A-Za-z0-9-]{1,60}")


class State(StrEnum):
    """Where an invoice is: created → pending | rejected | revoked; pending → approved | deleted | revoked | expired."""

    CREATED = "created"
    REJECTED = "rejected"
    PENDING = "pending"
    EXPIRED = "expired"
    APPROVED = "approved"
    DELETED = "deleted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class VippsInvoice:
    """One invoice as Vipps takes it. ``amount_ore``: whole øre; ``document_url``: where the PDF lies, at https."""

    invoice_id: str
    kid: str
    account: str
    amount_ore: int
    due_on: dt.date
    subject: str
    issuer_name: str
    document_url: str = field(repr=False)

    @property
    def due(self) -> str:
        """Noon in Oslo as RFC 3339 with the offset of that day: the same date in every zone that reads it."""
        return dt.datetime.combine(self.due_on, dt.time(12), OSLO).isoformat()

    def as_json(self, recipient_token: str) -> dict[str, Any]:
        """The body of the PUT."""
        return {
            "recipientToken": recipient_token,
            "paymentInformation": {"type": "kid", "value": self.kid, "account": self.account},
            "invoiceType": "invoice",
            "due": self.due,
            "amount": self.amount_ore,
            "minAmount": self.amount_ore,
            "subject": self.subject,
            "issuerName": self.issuer_name[:ISSUER_NAME_LENGTH],
            "commercialInvoice": [{"mimeType": "application/pdf", "url": self.document_url}],
        }

    def is_shown_as(self, content: Mapping[str, Any]) -> bool:
        """Whether what GET shows is this invoice: who is paid, how much and when; links and spelling are left aside."""
        payment = content.get("paymentInformation")
        payment = payment if isinstance(payment, dict) else {}
        return (
            payment.get("value") == self.kid
            and payment.get("account") == self.account
            and content.get("amount") == self.amount_ore
            and _moment(content.get("due")) == dt.datetime.fromisoformat(self.due)
        )


@dataclass(frozen=True, slots=True)
class VippsStatus:
    """An invoice as Vipps shows it. ``problem`` says why it was rejected; ``etag`` is needed to revoke it."""

    state: State
    etag: str
    problem: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)


def problem_of(answered: Answered) -> str | None:
    """The last part of an error's type: ``https://vipps.no/invoice/v1/problems/recipient-not-found``."""
    try:
        content = answered.json_object()
    except AnswerLost:
        return None
    return _last_part(content.get("error", content))


def _last_part(problem: object) -> str | None:
    kind = problem.get("type") if isinstance(problem, dict) else None
    # Free text never passes: it may repeat what was asked about.
    found = _PROBLEM.fullmatch(str(kind).rsplit("/", 1)[-1]) if kind else None
    return found[0] if found else None


def read_status(answered: Answered) -> VippsStatus:
    """The invoice in the answer to a GET. Raises `AnswerLost`."""
    content = answered.json_object()
    status = content.get("status")
    try:
        if isinstance(status, dict):
            etag = str(content.get("etag") or status.get("etag") or "")
            problems = status.get("problems")
            first = problems[0] if isinstance(problems, list) and problems else None
            return VippsStatus(State(str(status.get("state"))), etag, _last_part(first), content)
    except ValueError:
        pass
    raise AnswerLost(answered.provider, "the answer has no state that we know")


def judge_status(status: VippsStatus | None) -> Judgement:
    """What an invoice's state says about the attempt that may have brought it there."""
    if status is None:
        return Judgement(Verdict.UNAVAILABLE, "Vipps has never had it")
    if status.state is State.REJECTED:
        return Judgement(Verdict.REFUSED, f"rejected {status.problem or ''}".rstrip())
    return Judgement(Verdict.ACCEPTED, status.state.value)


def _moment(text: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
