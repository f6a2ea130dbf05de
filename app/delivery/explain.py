"""Everything about one invoice's journey, in words: what was known, what was decided and why, what was tried."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.language import sentence
from app.delivery.models import Attempt, Delivery, Part, PlanRow, Receipt, ResidentFactsRow, State
from app.delivery.report import LEAST_FINISHED_FIRST, UNPLANNED
from app.invoices.models import Invoice, Pending
from app.residents.models import Resident
from app.routing.channels import Reason
from app.routing.facts import DayFacts, InvoiceFacts, ResidentFacts


def explain(session: Session, invoice: Invoice, locale: str) -> dict[str, Any]:
    """The journey of *invoice*, its reasons in *locale* (nb, nn or en): the keys other programs rely on, and more."""
    parts = {part.part: part for part in session.scalars(select(Delivery).where(Delivery.invoice_id == invoice.id))}
    document, claim = parts.get(Part.DOCUMENT), parts.get(Part.CLAIM)
    leading = document or claim
    plan = session.get(PlanRow, leading.plan_id) if leading is not None and leading.plan_id is not None else None
    pending = session.get(Pending, invoice.id)
    resident = session.get(Resident, invoice.resident_id) if invoice.resident_id is not None else None
    hold = next((part.hold for part in parts.values() if part.hold is not None), None)
    return {
        "number": invoice.number,
        "resident": resident.customer_number if resident is not None else None,
        "kind": invoice.kind.value,
        "due_on": invoice.due_on.isoformat(),
        "amount_ore": invoice.amount_ore,
        "state": state_of(list(parts.values()), pending),
        "hold": None if hold is None else {"reason": hold.value, "text": sentence(hold, locale)},
        "closed": invoice.closed_reason.value if invoice.closed_reason is not None else None,
        "facts": _facts(session, invoice, plan, pending),
        "claim": _claim(claim, plan),
        "is_notice": document.is_notice if document is not None else False,
        "route": list(plan.route) if plan is not None else [],
        "passed_over": [
            {"channel": channel, "reason": reason, "text": sentence(Reason(reason), locale)}
            for channel, reason in (plan.passed_over if plan is not None else {}).items()
        ],
        "attempts": _attempts(session, invoice),
        "receipts": _receipts(session, invoice),
        "parts": [_part(part) for part in parts.values()],
    }


def state_of(parts: list[Delivery], pending: Pending | None) -> str:
    """How far an invoice with these *parts* is. Without any it is unplanned, or lost when *pending* is None too."""
    if parts:
        return min((part.state for part in parts), key=LEAST_FINISHED_FIRST.index).value
    return UNPLANNED if pending is not None else "lost"


def _facts(session: Session, invoice: Invoice, plan: PlanRow | None, pending: Pending | None) -> dict[str, Any]:
    """The facts that the plan was made from; before there is one, what is known so far."""
    if plan is not None:
        return {
            **ResidentFacts.from_bits(plan.resident_facts).as_words(),
            **InvoiceFacts.from_bits(plan.invoice_facts).as_words(),
            **DayFacts.from_bits(plan.day_facts).as_words(),
        }
    known = session.get(ResidentFactsRow, invoice.resident_id or 0)
    return {
        **(ResidentFacts.from_bits(known.facts).as_words() if known is not None else {}),
        **(InvoiceFacts.from_bits(pending.facts).as_words() if pending is not None else {}),
    }


def _claim(claim: Delivery | None, plan: PlanRow | None) -> dict[str, Any] | None:
    if claim is None:
        return None
    return {"type": plan.claim if plan is not None else None, "state": claim.state.value}


def _part(part: Delivery) -> dict[str, Any]:
    is_waiting = part.state is State.WAITING
    return {
        "part": part.part.value,
        "state": part.state.value,
        "channel": part.channel.value if part.channel is not None else None,
        "next_try_at": part.next_try_at.isoformat() if is_waiting else None,
        "tries": part.tries,
    }


def _attempts(session: Session, invoice: Invoice) -> list[dict[str, Any]]:
    query = (
        select(Attempt, Delivery.part)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Delivery.invoice_id == invoice.id)
        .order_by(Attempt.opened_at, Attempt.id)
    )
    return [
        {
            "part": part.value,
            "channel": attempt.channel.value,
            "outcome": attempt.outcome.value if attempt.outcome is not None else Outcome.UNCERTAIN.value,
            "opened_at": attempt.opened_at.isoformat(),
            "closed_at": attempt.closed_at.isoformat() if attempt.closed_at is not None else None,
            "provider_reference": attempt.provider_reference,
            "detail": attempt.detail,
            "is_notice": attempt.is_notice,
            "is_cancellation": attempt.is_cancellation,
            "taken_back_at": attempt.taken_back_at.isoformat() if attempt.taken_back_at is not None else None,
        }
        for attempt, part in session.execute(query)
    ]


def _receipts(session: Session, invoice: Invoice) -> list[dict[str, Any]]:
    query = (
        select(Receipt)
        .join(
            Attempt,
            (Attempt.provider_reference == Receipt.provider_reference) & (Attempt.channel == Receipt.channel),
        )
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Delivery.invoice_id == invoice.id)
        .order_by(Receipt.id)
    )
    return [
        {
            "channel": receipt.channel.value,
            "status": receipt.status,
            "detail": receipt.detail,
            "received_at": receipt.received_at.isoformat(),
            "provider_reference": receipt.provider_reference,
        }
        for receipt in session.scalars(query)
    ]
