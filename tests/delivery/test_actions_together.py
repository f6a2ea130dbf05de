"""A person acts while the job plans the same invoice: one waits for the other, and neither fails."""

from __future__ import annotations

import threading
import time

from flask import Flask
from sqlalchemy import Engine, delete, text, update
from sqlalchemy.orm import Session

from app.core.database import db
from app.delivery.actions import Act
from app.delivery.models import Delivery, State
from app.delivery.replans import replan
from app.invoices.models import Pending
from app.routing.channels import Channel, Reason
from tests.conftest import several_writers
from tests.delivery.town import Town

LOCKED_OUT = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
LONGEST_SECONDS = 30


def wait_until_one_waits(engine: Engine) -> None:
    """Until a connection of this database is stopped by a lock."""
    until = time.monotonic() + LONGEST_SECONDS
    while True:
        # A transaction sees one picture of the others from its beginning to its end.
        with engine.connect() as connection:
            if connection.scalar(text(LOCKED_OUT)):
                return
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.01)


@several_writers
def test_who_holds_an_invoice_that_is_planned_anew_just_now_holds_it_after_that(town: Town, app: Flask) -> None:
    invoice = town.invoice()
    replan(town.session, invoice, None, town.clock.now())
    town.session.commit()
    number, now = invoice.number, town.clock.now()

    def hold() -> None:
        with app.app_context():
            Act(db.session(), now, "staff:1", "because").hold(number)

    person = threading.Thread(target=hold)
    with Session(town.session.get_bind()) as planning:
        planning.execute(delete(Pending).where(Pending.invoice_id == invoice.id))
        person.start()
        wait_until_one_waits(db.engine)
        # As planning does: the outbox first, then the delivery.
        changed = update(Delivery).where(Delivery.invoice_id == invoice.id).values(channel=Channel.EMAIL)
        planning.execute(changed)
        planning.commit()
    person.join(LONGEST_SECONDS)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.HELD_BY_STAFF)
