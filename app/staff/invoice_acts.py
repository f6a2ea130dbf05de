"""What somebody of the municipality may do with one invoice now, and doing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.actions import HELD_BIT, LEFT
from app.delivery.again import RESTING, Again, standing_of
from app.delivery.models import Delivery, Part, State
from app.invoices.models import Invoice, Pending
from app.routing.channels import Channel, Reason


class Doing(StrEnum):
    """The actions that are not a channel."""

    HOLD = "hold"
    RELEASE = "release"
    ARRIVED = "arrived"
    CAME_BACK = "came_back"
    CANCEL = "cancel"


Choice = Doing | Channel


def possible(session: Session, invoice: Invoice) -> list[Choice]:
    """What may be done now, the gentlest first; nothing while a part is being sent. Changes nothing."""
    parts = session.scalars(select(Delivery).where(Delivery.invoice_id == invoice.id)).all()
    pending = session.get(Pending, invoice.id, populate_existing=True)
    if any(part.state is State.SENDING for part in parts) or invoice.closed_at is not None:
        return []
    standing = standing_of(session, invoice)
    is_marked = pending is not None and bool(pending.facts & HELD_BIT)
    is_held = is_marked or any(part.state is State.HELD for part in parts)
    may: dict[Choice, bool] = {
        Doing.RELEASE: is_held,
        Doing.ARRIVED: any(part.hold is Reason.SENT_TWICE for part in parts),
        Doing.HOLD: not is_held and (any(part.state in RESTING for part in parts) or pending is not None),
        **dict.fromkeys(standing.ways, True),
        Doing.CAME_BACK: standing.returnable is not None,
        Doing.CANCEL: not _has_the_demand(parts),
    }
    return [choice for choice, is_possible in may.items() if is_possible]


def choice_of(value: str) -> Choice:
    """The choice that a form sent."""
    return Doing(value) if value in list(Doing) else Channel(value)


def do(
    session: Session,
    settings: Settings,
    clock: Clock,
    actor: str,
    invoice: Invoice,
    choice: Choice,
    reason: str,
) -> None:
    """Do it, with its reason. Commits. Raises `NotFound` and `NotPossible`, since the invoice may have moved on."""
    now: dt.datetime = clock.now()
    act = Again(session, now, actor, reason, settings, clock)
    if isinstance(choice, Channel):
        act.send_by(invoice.number, choice, invoice.source)
        return
    {
        Doing.HOLD: act.hold,
        Doing.RELEASE: act.release,
        Doing.ARRIVED: act.arrived,
        Doing.CAME_BACK: act.came_back,
        Doing.CANCEL: act.cancel,
    }[choice](invoice.number, invoice.source)


def _has_the_demand(parts: Sequence[Delivery]) -> bool:
    return any(part.part is Part.DOCUMENT and part.state in LEFT and not part.is_notice for part in parts)
