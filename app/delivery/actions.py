"""What a person may do to an invoice's journey: hold it, let it go on, cancel it. Each is recorded with its reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.audit import AuditEvent, record
from app.core.dialect import begin_writing, insert_ignoring
from app.core.errors import NotPossible
from app.delivery.models import Attempt, Delivery, Part, PlanRow, State
from app.delivery.parcels import may_have_arrived
from app.delivery.replans import bits_of, replan, rest
from app.invoices.models import Closure, Invoice, Pending
from app.invoices.queries import invoice_by_number
from app.residents.models import Resident
from app.routing.channels import Reason
from app.routing.facts import InvoiceFacts

LEFT = (State.IN_TRANSIT, State.DELIVERED)
HELD_BIT = InvoiceFacts.weight("is_held_by_staff")
# Gates that a person waives by letting the invoice go. Behind the other reasons no gate is closed: it is planned as
# if nobody had looked.
GATES = frozenset(
    {
        Reason.DECEASED,
        Reason.PROTECTED_ADDRESS,
        Reason.WRONG_KID,
        Reason.WRONG_ACCOUNT,
        Reason.PARTLY_CREDITED,
        Reason.IDENTIFIER_SHARED,
        Reason.REGISTER_SILENT,
    }
)
# What a person has settled by letting the invoice go, so that every channel may be tried again.
SETTLED_BITS = HELD_BIT | bits_of(
    "is_partly_credited",
    "refused_efaktura",
    "refused_vipps",
    "refused_mailbox",
    "refused_email",
    "refused_paper",
)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a person does. ``actor`` and ``reason`` are kept for ever."""

    session: Session
    now: dt.datetime
    actor: str
    reason: str

    def hold(self, number: str, source: str | None = None) -> Invoice:
        """Let nothing more of the invoice leave; raises `NotFound` and `NotPossible`. Commits."""
        invoice, parts = self._read(number, source)
        resting = [part for part in parts if part.state in (State.WAITING, State.HELD)]
        if parts and not resting:
            raise NotPossible(f"invoice {number} has already left, or is closed: nothing of it can be held")
        for part in resting:
            rest(part, State.HELD, self.now)
            part.hold = Reason.HELD_BY_STAFF
        if not parts:
            self._mark_pending(invoice, add=HELD_BIT, remove=0)
        else:
            self.session.execute(delete(Pending).where(Pending.invoice_id == invoice.id, Pending.is_replan))
        return self._done(invoice, AuditEvent.INVOICE_HELD)

    def release(self, number: str, source: str | None = None) -> Invoice:
        """Let a held invoice be planned anew, its gates waived; raises `NotFound` and `NotPossible`. Commits.

        What may have arrived goes on where it stopped: the provider is asked about it before anything else is decided.
        """
        invoice, parts = self._read(number, source)
        held = [part for part in parts if part.state is State.HELD]
        pending = self.session.get(Pending, invoice.id, populate_existing=True)
        if not held and not (pending is not None and pending.facts & HELD_BIT):
            raise NotPossible(f"invoice {number} is not held")
        if self._ask_first(held):
            return self._done(invoice, AuditEvent.INVOICE_RELEASED)
        if invoice.resident_id is None:
            self._find_buyer(invoice)
        add = bits_of("is_released") if any(part.hold in GATES for part in held) else 0
        if invoice.resident_id is not None:
            add |= InvoiceFacts.weight("has_buyer")
        if not parts:
            self._mark_pending(invoice, add=add, remove=SETTLED_BITS)
            return self._done(invoice, AuditEvent.INVOICE_RELEASED)
        plan = next((self.session.get(PlanRow, part.plan_id) for part in held if part.plan_id), None)
        for part in held:
            if part.hold is Reason.SENT_TWICE:
                # Whoever lets it go again says that it did not arrive.
                self._settle_open(part, Outcome.UNAVAILABLE, "released")
            if part.part is Part.CLAIM:
                add |= bits_of("has_lost_claim") if part.hold is Reason.CLAIM_LOST else 0
                rest(part, State.CLOSED, self.now)
        replan(self.session, invoice, plan, self.now, add=add, remove=SETTLED_BITS)
        return self._done(invoice, AuditEvent.INVOICE_RELEASED)

    def arrived(self, number: str, source: str | None = None) -> Invoice:
        """Count a mail that was sent twice without an answer as delivered; raises `NotFound`, `NotPossible`. Commits.

        A bounce that comes later takes it back as any other.
        """
        invoice, parts = self._read(number, source)
        held = [part for part in parts if part.state is State.HELD and part.hold is Reason.SENT_TWICE]
        if not held:
            raise NotPossible(f"invoice {number} is not held for a mail without an answer")
        for part in held:
            self._settle_open(part, Outcome.ACCEPTED, "found to have arrived")
            rest(part, State.DELIVERED, self.now)
        return self._done(invoice, AuditEvent.INVOICE_RELEASED)

    def cancel(self, number: str, source: str | None = None) -> Invoice:
        """Nothing is owed on the invoice; what has not left never does, and a claim is called back from the bank.

        Raises `NotFound`, and `NotPossible` when the resident has the demand already. Commits.
        """
        invoice, parts = self._read(number, source)
        if invoice.closed_at is not None:
            raise NotPossible(f"invoice {number} is closed already: {invoice.closed_reason}")
        document = next((part for part in parts if part.part is Part.DOCUMENT), None)
        if document is not None and document.state in LEFT and not document.is_notice:
            raise NotPossible(f"invoice {number} has left by {document.channel}: credit it in the accounting system")
        invoice.closed_at, invoice.closed_reason = self.now, Closure.CANCELLED
        for part in parts:
            is_asked_about = self._is_unsettled(part) and part.hold is not Reason.SENT_TWICE
            if part.state in (State.WAITING, State.HELD) and not is_asked_about:
                rest(part, State.CLOSED, self.now)
        self.session.execute(delete(Pending).where(Pending.invoice_id == invoice.id))
        if not parts:
            values = {"invoice_id": invoice.id, "part": Part.DOCUMENT, "state": State.CLOSED, "position": 0, "tries": 0,
                      "is_notice": False, "next_try_at": self.now, "changed_at": self.now}  # fmt: skip
            self.session.execute(insert_ignoring(self.session, Delivery), values)
        return self._done(invoice, AuditEvent.INVOICE_CANCELLED)

    def _read(self, number: str, source: str | None) -> tuple[Invoice, list[Delivery]]:
        """The invoice and its parts, with nobody else writing meanwhile. What is being sent just now is left alone."""
        self.session.commit()
        begin_writing(self.session)
        invoice = invoice_by_number(self.session, number, source)
        # Planning takes these two in the same order: the other way round each would wait for the other.
        self.session.execute(select(Pending.invoice_id).where(Pending.invoice_id == invoice.id).with_for_update())
        query = select(Delivery).where(Delivery.invoice_id == invoice.id).order_by(Delivery.id).with_for_update()
        parts = list(self.session.scalars(query.execution_options(populate_existing=True)))
        if any(part.state is State.SENDING for part in parts):
            self.session.rollback()
            raise NotPossible(f"invoice {number} is being sent just now: try again in a minute")
        return invoice, parts

    def _ask_first(self, held: Sequence[Delivery]) -> bool:
        """Let *held* parts wait as before when one of them may have arrived; whether one may.

        Planned anew, it could get a claim beside a demand that the resident has already.
        """
        asked = [part for part in held if part.channel is not None and part.hold is not Reason.SENT_TWICE]
        if not any(self._is_unsettled(part) for part in asked):
            return False
        for part in held:
            if part.hold not in (Reason.SENT_TWICE, Reason.CLAIM_LOST):
                rest(part, State.WAITING, self.now)
                part.next_try_at, part.tries = self.now, 0
        return True

    def _mark_pending(self, invoice: Invoice, add: int, remove: int) -> None:
        marked = self.session.execute(
            update(Pending)
            .where(Pending.invoice_id == invoice.id)
            .values(facts=Pending.facts.bitwise_and(~remove).bitwise_or(add), resident_id=invoice.resident_id or 0)
            .returning(Pending.invoice_id)
        ).scalar()
        if marked is None:
            # Planning had it when we looked, and has let it go since: what we said would be lost.
            self.session.rollback()
            raise NotPossible(f"invoice {invoice.number} was being planned just now: try again")

    def _find_buyer(self, invoice: Invoice) -> None:
        """Look again for an unknown buyer, as the import did: the register may have brought it since."""
        keys = (
            (Resident.customer_number, invoice.buyer_reference),
            (Resident.organisation_number, invoice.buyer_organisation),
        )
        for column, value in keys:
            if value and invoice.resident_id is None:
                # An organisation number that several residents have finds none of them.
                found = self.session.scalars(select(Resident.id).where(column == value).limit(2)).all()
                invoice.resident_id = found[0] if len(found) == 1 else None
        self.session.flush()

    def _is_unsettled(self, part: Delivery) -> bool:
        query = select(Attempt.id).where(Attempt.delivery_id == part.id, may_have_arrived())
        return self.session.scalar(query.limit(1)) is not None

    def _settle_open(self, part: Delivery, outcome: Outcome, detail: str) -> None:
        """Write down what a person found out about an attempt that nobody answers for."""
        self.session.execute(
            update(Attempt)
            .where(Attempt.delivery_id == part.id, Attempt.outcome == Outcome.UNCERTAIN)
            .values(outcome=outcome, closed_at=self.now, detail=detail, resent=outcome is Outcome.ACCEPTED)
            .execution_options(synchronize_session=False)
        )

    def _done(self, invoice: Invoice, event: AuditEvent) -> Invoice:
        record(
            self.session,
            at=self.now,
            actor=self.actor,
            event=event,
            subject=f"invoice:{invoice.public_id}",
            reason=self.reason,
        )
        self.session.commit()
        return invoice
