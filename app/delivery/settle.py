"""What follows from time and from elsewhere: debts that are gone, claims that are lost, mails that did not bounce."""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.channels.contract import Outcome
from app.core.calendar import earliest_avtalegiro_due
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery, Part, PlanRow, State
from app.delivery.replans import bits_of, replan, rest
from app.invoices.models import Invoice, Pending
from app.routing.channels import Reason

log = structlog.get_logger(__name__)


def is_unsettled() -> ColumnElement[bool]:
    """That a part has an attempt of which nobody knows what became."""
    return exists().where(
        Attempt.delivery_id == Delivery.id, or_(Attempt.outcome.is_(None), Attempt.outcome == Outcome.UNCERTAIN)
    )


def close_what_is_not_owed(session: Session, now: dt.datetime) -> int:
    """Close the parts that wait, or are held, for invoices nobody owes any more; gives how many. Commits."""
    gone = select(Invoice.id).where(Invoice.closed_at.is_not(None))
    closed = session.scalars(
        update(Delivery)
        .where(Delivery.state.in_((State.WAITING, State.HELD)), Delivery.invoice_id.in_(gone), ~is_unsettled())
        .values(state=State.CLOSED, hold=None, changed_at=now)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(
        delete(Pending)
        .where(Pending.is_replan, Pending.invoice_id.in_(gone))
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return len(closed)


def replan_lost_claims(session: Session, now: dt.datetime) -> int:
    """Make the document of every lost claim a demand again, planned anew; gives how many. Commits.

    A document that is on its way, or of which nobody knows what became, is settled first.
    """
    document = aliased(Delivery)
    is_busy = exists().where(
        document.invoice_id == Delivery.invoice_id,
        document.part == Part.DOCUMENT,
        or_(
            document.state == State.SENDING,
            exists().where(
                Attempt.delivery_id == document.id,
                or_(Attempt.outcome.is_(None), Attempt.outcome == Outcome.UNCERTAIN),
            ),
        ),
    )
    query = (
        select(Delivery, Invoice, PlanRow)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .join(PlanRow, PlanRow.id == Delivery.plan_id)
        .where(Delivery.part == Part.CLAIM, Delivery.state == State.HELD, Delivery.hold == Reason.CLAIM_LOST, ~is_busy)
        .limit(1000)
    )
    rows = session.execute(query).all()
    for claim, invoice, plan in rows:
        give_up_claim(session, claim, invoice, plan, now, bits_of("has_lost_claim"))
    session.commit()
    return len(rows)


def give_up_claim(
    session: Session, claim: Delivery, invoice: Invoice, plan: PlanRow, now: dt.datetime, add: int
) -> None:
    """No claim any more: the invoice is planned anew, and its document is a demand. Does not commit."""
    rest(claim, State.CLOSED, now)
    replan(session, invoice, plan, now, add=add)
    document = session.scalars(
        select(Delivery).where(Delivery.invoice_id == invoice.id, Delivery.part == Part.DOCUMENT)
    ).one_or_none()
    if document is not None:
        document.is_notice = False


def give_up_late_claims(session: Session, settings: Settings, now: dt.datetime) -> int:
    """Plan anew what has waited until its claim would come too late for the bank; gives how many. Commits."""
    earliest = earliest_avtalegiro_due(now, settings.avtalegiro_lead_days)
    query = (
        select(Delivery, Invoice, PlanRow)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .join(PlanRow, PlanRow.id == Delivery.plan_id)
        .where(Delivery.part == Part.CLAIM, Delivery.state == State.WAITING, Invoice.due_on < earliest, ~is_unsettled())
        .limit(1000)
    )
    rows = session.execute(query).all()
    for claim, invoice, plan in rows:
        give_up_claim(session, claim, invoice, plan, now, 0)
    session.commit()
    return len(rows)


def settle_mail(session: Session, now: dt.datetime) -> int:
    """Count as delivered what nobody sent back in time; gives how many. Commits."""
    settled = session.scalars(
        update(Delivery)
        .where(Delivery.state == State.IN_TRANSIT, Delivery.settle_at <= now)
        .values(state=State.DELIVERED, changed_at=now)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.commit()
    return len(settled)
