"""A site of its own where something of everything needs one of the municipality's people."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery, Part, PlanRow, RunRow, State
from app.invoices.models import Invoice, Pending
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactSource
from app.routing.channels import Channel, Reason
from app.routing.facts import InvoiceFacts
from tests.portal.invoices import add_invoice
from tests.portal.people import add_resident

HELD = (1, 2, 3, 4)
LETTER, RETRIED, QUIET, UNPLANNED = 5, 6, 7, 8
COUNTS = {"planned": 1204, "accepted": 1180, "refused": 12, "unavailable": 3, "held": 9, "alarms": 3, "receipts": 40}


def settle(session: Session, settings: Settings, clock: Clock) -> None:
    """Move them in."""
    now, invoices = clock.now(), {}
    for number in (*HELD, LETTER, RETRIED, QUIET, UNPLANNED):
        resident = add_resident(session, settings, clock, number)
        register_contact(
            session, resident.id, ContactKind.EMAIL, f"k{number}@example.com", ContactSource.REGISTER, now,
            is_confirmed=False,
        )  # fmt: skip
        invoices[number] = add_invoice(session, resident, clock, 1)
    for number in HELD:
        since = now - dt.timedelta(days=3 * (number - 1))
        put(session, clock, invoices[number], None, hold=Reason.WRONG_KID, state=State.HELD, changed_at=since)
    put(session, clock, invoices[LETTER], Channel.PAPER)
    part = put(session, clock, invoices[RETRIED], Channel.VIPPS, tries=2)
    session.add(
        Attempt(delivery_id=part.id, channel=Channel.VIPPS, key="a", number=1, is_notice=False, opened_at=now,
                outcome=Outcome.UNAVAILABLE, detail="401")
    )  # fmt: skip
    put(session, clock, invoices[QUIET], Channel.MAILBOX, state=State.IN_TRANSIT, changed_at=now - dt.timedelta(days=9))
    unplanned = invoices[UNPLANNED]
    session.add(
        Pending(invoice_id=unplanned.id, resident_id=unplanned.resident_id or 0, facts=InvoiceFacts().as_bits(),
                due_on=unplanned.due_on)
    )  # fmt: skip
    done_at = now - dt.timedelta(hours=1)
    session.add(RunRow(worker="elsewhere:1:1.0:1", started_at=done_at - dt.timedelta(minutes=50), finished_at=done_at,
                       counts=COUNTS))  # fmt: skip
    session.add(RunRow(worker="elsewhere:2:1.0:1", started_at=now, counts={"planned": 40, "accepted": 12, "done": 12}))
    session.commit()


def put(session: Session, clock: Clock, invoice: Invoice, channel: Channel | None, **values: object) -> Delivery:
    """The part of *invoice* that is its document, with a plan of its own."""
    plan = PlanRow(
        policy="test", resident_facts=0, invoice_facts=InvoiceFacts().as_bits(), day_facts=invoice.id, claim=None,
        route=[channel.value] if channel else [], passed_over={}, hold=values.get("hold"), is_notice=False,
        is_waiting=False, is_open_ended=False,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    usual = {"part": Part.DOCUMENT, "state": State.WAITING, "next_try_at": clock.now(), "changed_at": clock.now()}
    part = Delivery(**{"invoice_id": invoice.id, "plan_id": plan.id, "channel": channel, **usual, **values})
    session.add(part)
    session.flush()
    return part
