"""What follows from time and from elsewhere: debts that are gone, claims that are lost, mails that did not bounce."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from app.core.dialect import begin_writing
from app.core.settings import Settings
from app.delivery.batches import mandate_bits
from app.delivery.days import Days
from app.delivery.facts import refresh_resident_facts
from app.delivery.models import Attempt, Delivery, Part, PlanRow, ResidentFactsRow, State
from app.delivery.parcels import may_have_arrived
from app.delivery.replans import bits_of, refused_bits, replan, rest
from app.invoices.models import Invoice, Pending
from app.routing.channels import Channel, Claim, Kind, Reason
from app.routing.facts import DayFacts, InvoiceFacts

AT_ONCE = 1000


def is_unsettled(delivery: type[Delivery] = Delivery) -> ColumnElement[bool]:
    """That a part has an attempt of which nobody knows what became."""
    return exists().where(Attempt.delivery_id == delivery.id, may_have_arrived())


def _is_document_busy() -> ColumnElement[bool]:
    """That the document beside a claim is on its way, or nobody knows what became of it."""
    document = aliased(Delivery)
    return exists().where(
        document.invoice_id == Delivery.invoice_id,
        document.part == Part.DOCUMENT,
        or_(document.state == State.SENDING, is_unsettled(document)),
    )


def close_what_is_not_owed(session: Session, now: dt.datetime) -> int:
    """Close the parts that wait, or are held, for invoices nobody owes any more; gives how many. Commits.

    What nobody knows the fate of is asked about first, unless there is nobody left to ask.
    """
    gone = select(Invoice.id).where(Invoice.closed_at.is_not(None))
    # Nobody asks about what is held: a person need not let go what nobody owes.
    session.execute(
        update(Delivery)
        .where(
            Delivery.state == State.HELD,
            Delivery.hold != Reason.SENT_TWICE,
            Delivery.channel.is_not(None),
            Delivery.invoice_id.in_(gone),
            is_unsettled(),
        )
        .values(state=State.WAITING, hold=None, next_try_at=now, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    closed = session.scalars(
        update(Delivery)
        .where(
            Delivery.state.in_((State.WAITING, State.HELD)),
            Delivery.invoice_id.in_(gone),
            or_(~is_unsettled(), Delivery.hold == Reason.SENT_TWICE),
        )
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
    is_lost = (Delivery.state == State.HELD, Delivery.hold == Reason.CLAIM_LOST)
    return _give_up_claims(session, now, bits_of("has_lost_claim"), *is_lost)


def give_up_late_claims(session: Session, settings: Settings, now: dt.datetime) -> int:
    """Plan anew what has waited until its claim would come too late for the bank; gives how many. Commits.

    A claim that the bank notifies of itself has a deadline of its own.
    """
    waiting = (Delivery.part == Part.CLAIM, Delivery.state == State.WAITING)
    query = (
        select(PlanRow.claim, Invoice.due_on)
        .select_from(Delivery)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .join(PlanRow, PlanRow.id == Delivery.plan_id)
        .where(*waiting)
        .distinct()
    )
    days = Days(settings, now)
    late = [(claim, due_on) for claim, due_on in session.execute(query) if _is_claim_late(days.facts(due_on), claim)]
    return _give_up_claims(session, now, 0, *waiting, tuple_(PlanRow.claim, Invoice.due_on).in_(late)) if late else 0


def _is_claim_late(facts: DayFacts, claim: str | None) -> bool:
    is_by_bank = claim == Claim.BANK_NOTIFIES.value
    return facts.is_too_late_for_bank_notice if is_by_bank else facts.is_too_late_for_claim


def _give_up_claims(session: Session, now: dt.datetime, add: int, *which: ColumnElement[bool]) -> int:
    session.commit()
    begin_writing(session)
    query = (
        select(Delivery, Invoice, PlanRow)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .join(PlanRow, PlanRow.id == Delivery.plan_id)
        .where(Delivery.part == Part.CLAIM, *which, ~is_unsettled(), ~_is_document_busy())
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True, of=Delivery)
        .execution_options(populate_existing=True)
    )
    rows = session.execute(query).all()
    for claim, invoice, plan in rows:
        rest(claim, State.CLOSED, now)
        replan(session, invoice, plan, now, add=add)
        document = session.scalars(
            select(Delivery).where(Delivery.invoice_id == invoice.id, Delivery.part == Part.DOCUMENT)
        ).one_or_none()
        if document is not None:
            document.is_notice = False
    session.commit()
    return len(rows)


def replan_what_changed(session: Session, settings: Settings, now: dt.datetime) -> int:
    """Plan anew what waits under a plan that is no longer true; gives how many. Commits.

    The resident is known otherwise by now (moved, died, closed a channel, an address bounced), the channel has come
    too late while it waited, or the mandate of a claim has ended, or asks for a notice by now.
    """
    session.commit()
    begin_writing(session)
    # What was said since the last planning counts before the next letter leaves, not after it.
    refresh_resident_facts(session)
    days = Days(settings, now)
    waiting = (
        Delivery.part == Part.DOCUMENT,
        Delivery.state == State.WAITING,
        Delivery.channel.is_not(None),
    )
    late = _too_late(session, days, waiting)
    # Where nothing is owed no channel is too late: the same plan would be made over and over.
    is_late = and_(Invoice.kind == Kind.DEMAND, tuple_(Delivery.channel, Invoice.due_on).in_(late))
    is_changed = ResidentFactsRow.facts != PlanRow.resident_facts
    query = (
        select(Delivery, Invoice, PlanRow)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .join(PlanRow, PlanRow.id == Delivery.plan_id)
        .outerjoin(ResidentFactsRow, ResidentFactsRow.resident_id == func.coalesce(Invoice.resident_id, 0))
        .where(*waiting, or_(is_changed, is_late), ~is_unsettled())
        .order_by(Delivery.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True, of=Delivery)
        .execution_options(populate_existing=True)
    )
    rows = session.execute(query).all()
    for delivery, invoice, plan in rows:
        replan(session, invoice, plan, now, add=refused_bits(session, delivery.id))
    session.commit()
    return len(rows) + _replan_changed_claims(session, settings, now)


def _too_late(
    session: Session, days: Days, waiting: Sequence[ColumnElement[bool]]
) -> list[tuple[Channel | None, dt.date]]:
    """The channels that what waits would reach too late, each with the due date."""
    query = select(Delivery.channel, Invoice.due_on).join(Invoice, Invoice.id == Delivery.invoice_id)
    pairs = session.execute(query.where(*waiting).distinct())
    return [(channel, due_on) for channel, due_on in pairs if channel and _is_late(days.facts(due_on), channel)]


def _replan_changed_claims(session: Session, settings: Settings, now: dt.datetime) -> int:
    known = select(ResidentFactsRow.facts).where(ResidentFactsRow.resident_id == func.coalesce(Invoice.resident_id, 0))
    is_changed = known.correlate(Invoice).scalar_subquery() != PlanRow.resident_facts
    has_other_mandate = PlanRow.invoice_facts.bitwise_and(InvoiceFacts.mask("mandate")) != mandate_bits(settings)
    return _give_up_claims(session, now, 0, Delivery.state == State.WAITING, or_(is_changed, has_other_mandate))


def _is_late(facts: DayFacts, channel: Channel) -> bool:
    return bool(getattr(facts, f"is_too_late_for_{channel.value}", False))


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
