"""Back to planning: what was refused, lost or released gets its facts gathered anew."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.dialect import insert_ignoring
from app.delivery.models import Attempt, Delivery, Part, PlanRow, State
from app.invoices.models import Invoice, Pending
from app.routing.channels import Channel
from app.routing.facts import InvoiceFacts

REFUSED_FIELDS = {
    Channel.EFAKTURA: "refused_efaktura",
    Channel.VIPPS: "refused_vipps",
    Channel.MAILBOX: "refused_mailbox",
    Channel.EMAIL: "refused_email",
    Channel.PAPER: "refused_paper",
}
PLANNING_KNOWS = InvoiceFacts.mask("mandate", "has_claim_already", "sent_claim")


def bits_of(*fields: str) -> int:
    """The bits of the yes/no *fields* of `InvoiceFacts`."""
    return sum({InvoiceFacts.weight(field) for field in fields})


def refused_bits(session: Session, delivery_id: int) -> int:
    """Which channels have refused this part, or taken it back."""
    channels = session.scalars(
        select(Attempt.channel)
        .where(
            Attempt.delivery_id == delivery_id,
            (Attempt.outcome == Outcome.REFUSED) | Attempt.taken_back_at.is_not(None),
        )
        .distinct()
    )
    return bits_of(*(REFUSED_FIELDS[channel] for channel in channels if channel in REFUSED_FIELDS))


def replan(
    session: Session, invoice: Invoice, plan: PlanRow | None, now: dt.datetime, *, add: int = 0, remove: int = 0
) -> None:
    """Put *invoice* into the outbox of planning, with bits of `InvoiceFacts` added and removed.

    Its document waits without a channel until the plan is made. Does not commit.
    """
    session.execute(
        insert_ignoring(session, Pending),
        {
            "invoice_id": invoice.id,
            "resident_id": invoice.resident_id or 0,
            "facts": 0 if plan is None else plan.invoice_facts & ~PLANNING_KNOWS,
            "due_on": invoice.due_on,
            "kid_key": invoice.kid_key,
            "is_replan": True,
        },
    )
    session.execute(
        update(Pending)
        .where(Pending.invoice_id == invoice.id)
        .values(facts=Pending.facts.bitwise_and(~remove).bitwise_or(add))
    )
    document = session.scalars(
        select(Delivery).where(Delivery.invoice_id == invoice.id, Delivery.part == Part.DOCUMENT)
    ).one_or_none()
    if document is not None:
        rest(document, State.WAITING, now)
        document.channel = None


def rest(delivery: Delivery, state: State, now: dt.datetime) -> None:
    """Let nobody work on *delivery*: it is in *state* now."""
    delivery.state, delivery.changed_at = state, now
    delivery.worker = delivery.claimed_at = None
    if state is not State.HELD:
        delivery.hold = None
    if state in (State.WAITING, State.HELD, State.CLOSED):
        delivery.settle_at = delivery.ask_at = None


def close_notice(session: Session, invoice_id: int, now: dt.datetime) -> None:
    """The claim is gone and nothing is owed: the notice of it that left stands for nothing. Does not commit."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.invoice_id == invoice_id,
            Delivery.part == Part.DOCUMENT,
            Delivery.is_notice,
            Delivery.state.in_((State.IN_TRANSIT, State.DELIVERED)),
        )
        .values(state=State.CLOSED, ask_at=None, settle_at=None, changed_at=now)
    )
