"""Credit notes meet the invoices they credit, before either is planned.

In full and nothing of the invoice has left: both are closed quietly. In part: both are held for a person. The invoice
is with the resident already: a full credit closes it, and the credit note goes as information. A claim that the bank
has is not touched here; `claims_to_recall` is what sending reads to cancel it by file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.channels.contract import Outcome
from app.core.audit import AuditEvent, record
from app.core.dialect import insert_ignoring
from app.delivery.models import Attempt, Delivery, Part, PlanRow, State
from app.delivery.parcels import may_have_arrived
from app.delivery.replans import replan
from app.invoices.models import Closure, Invoice, Pending
from app.routing.channels import Kind, Reason
from app.routing.facts import InvoiceFacts

ACTOR = "planning"
RESTING = (State.WAITING, State.HELD)
WITH_THE_BANK = (State.SENDING, State.IN_TRANSIT, State.DELIVERED)
PARTLY = InvoiceFacts.weight("is_partly_credited")
LOOKED_AT = InvoiceFacts.weight("is_released")


@dataclass(slots=True)
class CreditReport:
    """How many invoices met their credit notes. ``closed``: in full, unsent; ``settled``: in full, sent before."""

    closed: int = 0
    settled: int = 0
    held: int = 0


def settle_credits(session: Session, now: dt.datetime) -> CreditReport:
    """Let every credit note that is new, or whose invoice is, meet its invoice. Does not commit."""
    report = CreditReport()
    # Sorted here: asked to sort, SQLite would read every invoice in order instead of the few credit notes.
    for invoice_id in sorted(set(session.scalars(OPEN_ORIGINALS))):
        original = session.get_one(Invoice, invoice_id)
        credits = _credits_of(session, original)
        is_full = sum(abs(credit.amount_ore) for credit in credits) >= original.amount_ore
        has_left = _has_left(session, original)
        if is_full and not has_left:
            unsent = [credit for credit in credits if not _has_left(session, credit)]
            _close(session, [original, *unsent], now)
            report.closed += 1
        elif is_full:
            _settle(session, original, now)
            report.settled += 1
        else:
            report.held += _hold(session, original, credits, has_left, now)
    session.flush()
    return report


def claims_to_recall() -> Select[int]:
    """The ids of claim deliveries that the bank has and must draw no more: credited, in full or in part."""
    document = aliased(Delivery)
    is_partly = exists().where(
        document.invoice_id == Delivery.invoice_id,
        document.part == Part.DOCUMENT,
        document.state == State.HELD,
        document.hold == Reason.PARTLY_CREDITED,
    )
    return (
        select(Delivery.id)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .where(
            Delivery.part == Part.CLAIM,
            Delivery.state.in_((State.IN_TRANSIT, State.DELIVERED)),
            or_(Invoice.closed_reason == Closure.CREDITED, is_partly),
        )
    )


def _open_originals() -> Select[int]:
    original, credit = aliased(Invoice), aliased(Invoice)
    is_pending = exists().where(or_(Pending.invoice_id == credit.id, Pending.invoice_id == original.id))
    return (
        select(original.id)
        .join(credit, (credit.original_number == original.number) & (credit.source == original.source))
        .where(
            # Not "is not null": SQLite would read every invoice rather than use the index.
            credit.original_number > "",
            credit.kind == Kind.CREDIT_NOTE,
            original.kind == Kind.DEMAND,
            original.closed_at.is_(None),
            is_pending,
        )
    )


OPEN_ORIGINALS = _open_originals()


def _credits_of(session: Session, original: Invoice) -> Sequence[Invoice]:
    return session.scalars(
        select(Invoice)
        .where(
            Invoice.original_number == original.number,
            Invoice.source == original.source,
            Invoice.kind == Kind.CREDIT_NOTE,
        )
        .order_by(Invoice.id)
    ).all()


def _parts(session: Session, invoice: Invoice) -> Sequence[Delivery]:
    """The parts as they are now, locked: no worker may take one between the look at it and what follows from that."""
    query = select(Delivery).where(Delivery.invoice_id == invoice.id).order_by(Delivery.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def _has_left(session: Session, invoice: Invoice) -> bool:
    """Whether anything of *invoice* is, or may be, with the resident or the bank."""
    parts = _parts(session, invoice)
    if any(part.state in WITH_THE_BANK for part in parts):
        return True
    has_arrived = or_(Attempt.outcome == Outcome.ACCEPTED, may_have_arrived())
    attempts = select(Attempt.id).where(
        Attempt.delivery_id.in_([part.id for part in parts]), has_arrived, Attempt.taken_back_at.is_(None)
    )
    return session.scalar(attempts.limit(1)) is not None


def _close(session: Session, invoices: Iterable[Invoice], now: dt.datetime) -> None:
    """Nothing of *invoices* leaves any more, and the record says why."""
    for invoice in invoices:
        _settle(session, invoice, now)
        session.execute(delete(Pending).where(Pending.invoice_id == invoice.id))
        values = {"invoice_id": invoice.id, "part": Part.DOCUMENT, "state": State.CLOSED, "next_try_at": now,
                  "changed_at": now, "position": 0, "tries": 0, "is_notice": False}  # fmt: skip
        session.execute(insert_ignoring(session, Delivery), values)


def _settle(session: Session, invoice: Invoice, now: dt.datetime) -> None:
    """Nothing is owed on *invoice*: what still rests of it is closed."""
    invoice.closed_at, invoice.closed_reason = now, Closure.CREDITED
    session.execute(
        update(Delivery)
        .where(Delivery.invoice_id == invoice.id, Delivery.state.in_(RESTING))
        .values(state=State.CLOSED, hold=None, worker=None, claimed_at=None, changed_at=now)
    )
    subject = f"invoice:{invoice.public_id}"
    record(session, at=now, actor=ACTOR, event=AuditEvent.INVOICE_CREDITED, subject=subject)


def _hold(session: Session, original: Invoice, credits: Sequence[Invoice], has_left: bool, now: dt.datetime) -> bool:
    """Hold *original* for a person, and with it the credit notes that nobody would understand alone."""
    parts = {part.part: part for part in _parts(session, original)}
    if any(_knows_credit(session, part) for part in parts.values()):
        return False
    if not has_left:
        for invoice in (original, *credits):
            _plan_as_partly_credited(session, invoice, now)
        return True
    claim = parts.get(Part.CLAIM)
    if claim is None or claim.state not in WITH_THE_BANK:
        return False
    # The bank would draw the whole amount: the claim is recalled, and what is left to pay is for a person to say.
    document = parts.get(Part.DOCUMENT)
    if document is None:
        document = Delivery(
            invoice_id=original.id, part=Part.DOCUMENT, plan_id=claim.plan_id, state=State.HELD, next_try_at=now,
            changed_at=now,
        )  # fmt: skip
        session.add(document)
    document.state, document.hold, document.changed_at = State.HELD, Reason.PARTLY_CREDITED, now
    document.worker = document.claimed_at = None
    return True


def _knows_credit(session: Session, part: Delivery) -> bool:
    """Whether a person has looked at it, or it is held for it already."""
    if part.hold is Reason.PARTLY_CREDITED:
        return True
    plan = session.get(PlanRow, part.plan_id) if part.plan_id is not None else None
    return plan is not None and bool(plan.invoice_facts & (PARTLY | LOOKED_AT))


def _plan_as_partly_credited(session: Session, invoice: Invoice, now: dt.datetime) -> None:
    pending = session.get(Pending, invoice.id)
    if pending is not None:
        pending.facts |= PARTLY
        return
    parts = _parts(session, invoice)
    if parts and all(part.state in RESTING for part in parts):
        plan_id = parts[0].plan_id
        plan = session.get(PlanRow, plan_id) if plan_id is not None else None
        replan(session, invoice, plan, now, add=PARTLY)
