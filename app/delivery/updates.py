"""Plans for invoices that had one before: their parts are changed, not written anew.

A part that is with a provider stays as it is, with one exception: a notice whose claim is lost must go again as a
demand.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, insert, literal, null, or_, select, update
from sqlalchemy.orm import Session

from app.core.database import UtcDateTime
from app.delivery.models import Delivery, Part, State
from app.delivery.planning_tables import batch, delivery, execute, known
from app.routing.channels import Channel

RESTING = (State.WAITING, State.HELD)
GONE = (State.IN_TRANSIT, State.DELIVERED)


def update_parts(session: Session, now: dt.datetime) -> None:
    """Bring the parts of the batch's re-planned invoices in step with their new plans."""
    if execute(session, select(batch.c.invoice_id).where(batch.c.is_replan).limit(1)).first() is None:
        return
    _documents(session, now)
    _claims(session, now)


def _documents(session: Session, now: dt.datetime) -> None:
    becomes_demand = and_(Delivery.state.in_(GONE), Delivery.is_notice, ~known.c.is_notice)
    _change(
        session, now, Part.DOCUMENT, known.c.state.is_not(None), or_(Delivery.state.in_(RESTING), becomes_demand),
        state=known.c.state, channel=known.c.channel, hold=known.c.hold, is_notice=known.c.is_notice,
    )  # fmt: skip
    # The claim alone is enough now.
    _change(
        session, now, Part.DOCUMENT, and_(known.c.is_claim, known.c.state.is_(None)), Delivery.state.in_(RESTING),
        state=literal(State.CLOSED, Delivery.state.type), hold=null(),
    )  # fmt: skip
    _add(session, now, Part.DOCUMENT, known.c.state.is_not(None),
         known.c.state, known.c.channel, known.c.hold, known.c.is_notice)  # fmt: skip


def _claims(session: Session, now: dt.datetime) -> None:
    waiting, avtalegiro = (
        literal(State.WAITING, Delivery.state.type),
        literal(Channel.AVTALEGIRO, Delivery.channel.type),
    )
    _change(
        session, now, Part.CLAIM, known.c.is_claim, Delivery.state.in_((*RESTING, State.CLOSED)),
        state=waiting, channel=avtalegiro, hold=null(),
    )  # fmt: skip
    _change(
        session, now, Part.CLAIM, ~known.c.is_claim & ~known.c.is_waiting, Delivery.state.in_(RESTING),
        state=literal(State.CLOSED, Delivery.state.type), hold=null(),
    )  # fmt: skip
    _add(session, now, Part.CLAIM, known.c.is_claim, waiting, avtalegiro, null(), false())


def _change(
    session: Session, now: dt.datetime, part: Part, plan: ColumnElement[bool], may: ColumnElement[bool], **values: Any
) -> None:
    execute(session,
        update(delivery)
        .where(
            Delivery.invoice_id == batch.c.invoice_id, batch.c.is_replan, batch.c.key == known.c.key,
            Delivery.part == part, plan, may,
        )
        .values(
            plan_id=known.c.plan_id, position=0, tries=0, next_try_at=now, settle_at=None, ask_at=None, worker=None,
            claimed_at=None, changed_at=now, **values,
        )
    )  # fmt: skip


def _add(session: Session, now: dt.datetime, part: Part, plan: ColumnElement[bool], *values: Any) -> None:
    columns = ["invoice_id", "part", "plan_id", "state", "channel", "hold", "is_notice", "position", "tries",
               "next_try_at", "changed_at"]  # fmt: skip
    moment = literal(now, UtcDateTime())
    is_there = exists().where(Delivery.invoice_id == batch.c.invoice_id, Delivery.part == part)
    query = (
        select(batch.c.invoice_id, literal(part, Delivery.part.type), known.c.plan_id, *values, literal(0), literal(0),
               moment, moment)
        .select_from(batch.join(known, known.c.key == batch.c.key))
        .where(batch.c.is_replan, plan, ~is_there)
    )  # fmt: skip
    execute(session, insert(delivery).from_select(columns, query, include_defaults=False))
