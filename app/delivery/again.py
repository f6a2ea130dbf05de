"""Sending an invoice by another channel than the one in turn, without ever a second demand in force.

Why a letter on its way is not simply sent again: docs/decisions/send-again.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.audit import AuditEvent
from app.core.clock import Clock
from app.core.errors import NotPossible
from app.core.settings import Settings
from app.delivery.actions import Act
from app.delivery.bounces import note_refused_address
from app.delivery.models import Attempt, Delivery, Part, PlanRow, State
from app.delivery.outcomes import Ledger
from app.delivery.parcels import UNSETTLED, load
from app.delivery.replans import rest
from app.invoices.models import Invoice
from app.routing.channels import Channel, Reason

RESTING = (State.WAITING, State.HELD)
IN_FORCE = (State.IN_TRANSIT, State.DELIVERED)
# Where a person can hold the proof in their hand: the envelope, or the mail that came back. What lies in a bank or in
# Vipps can be paid there until the provider itself says otherwise, and a mailbox tells us by itself.
COMES_BACK = (Channel.PAPER, Channel.EMAIL)
RETURNED = "returned to a person"


@dataclass(frozen=True, slots=True)
class Standing:
    """What may be done about one invoice. ``ways``: channels it may go by next, in the plan's order.

    ``returnable``: the channel whose demand (or notice) is in force and may be found to have come back.
    """

    ways: tuple[Channel, ...] = ()
    returnable: Channel | None = None


def standing_of(session: Session, invoice: Invoice) -> Standing:
    """What `Again` would do now; changes nothing."""
    query = select(Delivery).where(Delivery.invoice_id == invoice.id, Delivery.part == Part.DOCUMENT)
    document = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if document is None or invoice.closed_at is not None:
        return Standing()
    attempts = _attempts(session, document)
    if document.state in IN_FORCE and document.channel in COMES_BACK and _in_force(document, attempts):
        return Standing(returnable=document.channel)
    return Standing(ways=_ways(session, document, attempts))


@dataclass(frozen=True, slots=True)
class Again(Act):
    """What a person does about the way of one invoice, recorded with its reason."""

    settings: Settings
    clock: Clock

    def send_by(self, number: str, channel: Channel, source: str | None = None) -> Invoice:
        """Let the document go by *channel* next, of those the plan allows; what comes after it in the plan stays so.

        Only while none of it is in force: it waits or is held, and no attempt stands or is unsettled. Raises `NotFound`
        and `NotPossible`. Commits.
        """
        invoice, parts = self._read(number, source)
        document = self._owed(invoice, parts)
        if channel not in _ways(self.session, document, _attempts(self.session, document)):
            raise self._no(f"invoice {number} cannot be sent by {channel} now")
        plan = self.session.get_one(PlanRow, document.plan_id)
        rest(document, State.WAITING, self.now)
        document.channel, document.position = channel, plan.route.index(channel.value)
        document.next_try_at, document.tries = self.now, 0
        return self._done(invoice, AuditEvent.INVOICE_SENT_AGAIN)

    def came_back(self, number: str, source: str | None = None) -> Invoice:
        """The letter or mail is back here: it is taken back, and the plan goes on at its next channel, as by a bounce.

        Raises `NotFound` and `NotPossible`. Commits.
        """
        invoice, parts = self._read(number, source)
        document = self._owed(invoice, parts)
        attempts = _attempts(self.session, document)
        standing = _in_force(document, attempts)
        if document.state not in IN_FORCE or document.channel not in COMES_BACK or not standing:
            raise self._no(f"invoice {number} has not left by letter or e-mail")
        for attempt in standing:
            attempt.taken_back_at, attempt.detail = self.now, RETURNED
        latest = standing[-1]
        if latest.channel is Channel.EMAIL:
            note_refused_address(self.session, self.settings.bounce_soft_limit, invoice, latest, self.now)
        (parcel,) = load(self.session, [document.id])
        Ledger(self.session, self.settings, self.clock).lead_on(parcel)
        return self._done(invoice, AuditEvent.INVOICE_SENT_AGAIN)

    def _owed(self, invoice: Invoice, parts: Sequence[Delivery]) -> Delivery:
        document = next((part for part in parts if part.part is Part.DOCUMENT), None)
        if invoice.closed_at is not None:
            raise self._no(f"nothing is owed on invoice {invoice.number} any more: {invoice.closed_reason}")
        if document is None:
            raise self._no(f"invoice {invoice.number} has no document to send")
        return document

    def _no(self, sentence: str) -> NotPossible:
        self.session.rollback()
        return NotPossible(sentence)


def _ways(session: Session, document: Delivery, attempts: Sequence[Attempt]) -> tuple[Channel, ...]:
    """Channels of the plan beside the one in turn that have not refused; none while anything stands or is unsettled."""
    is_resting = document.state in RESTING and document.hold is not Reason.SENT_TWICE
    if not is_resting or document.plan_id is None or _in_force(document, attempts):
        return ()
    if any(attempt.outcome in UNSETTLED or _is_resent(attempt) for attempt in attempts):
        return ()
    if document.state is State.WAITING and document.channel is None:
        # It is being planned anew: whatever is chosen now would be overwritten.
        return ()
    if document.is_notice and not _has_claim(session, document):
        # Its claim was called back: a notice would wait for it for ever, and must be planned anew as what it is now.
        return ()
    over = {attempt.channel for attempt in attempts if attempt.outcome is Outcome.REFUSED or attempt.taken_back_at}
    if document.state is State.WAITING and document.channel is not None:
        over.add(document.channel)
    plan = session.get_one(PlanRow, document.plan_id)
    return tuple(way for way in map(Channel, plan.route) if way not in over)


def _is_resent(attempt: Attempt) -> bool:
    """Whether it is on its way a second time, and may have arrived the first."""
    return attempt.resent and attempt.outcome is Outcome.UNAVAILABLE


def _has_claim(session: Session, document: Delivery) -> bool:
    query = select(Delivery.id).where(
        Delivery.invoice_id == document.invoice_id, Delivery.part == Part.CLAIM, Delivery.state != State.CLOSED
    )
    return session.scalar(query) is not None


def _in_force(document: Delivery, attempts: Sequence[Attempt]) -> list[Attempt]:
    """What was taken and not taken back, oldest first: as a demand, or as the notice that the document is."""
    return [
        attempt
        for attempt in attempts
        if attempt.outcome is Outcome.ACCEPTED
        and attempt.taken_back_at is None
        and (document.is_notice or not attempt.is_notice)
    ]


def _attempts(session: Session, document: Delivery) -> Sequence[Attempt]:
    query = select(Attempt).where(Attempt.delivery_id == document.id).order_by(Attempt.number)
    return session.scalars(query.execution_options(populate_existing=True)).all()
