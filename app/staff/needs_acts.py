"""What is done to many invoices of a pile at once: each by itself, so that one that cannot leaves the others be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.errors import AppError
from app.delivery.actions import Act
from app.invoices.models import Invoice

MOST_AT_ONCE = 200


class Action(StrEnum):
    """What may be done, by its value in the form. Cancelling cannot be undone."""

    RELEASE = "release"
    ARRIVED = "arrived"
    HOLD = "hold"
    CANCEL = "cancel"


@dataclass(slots=True)
class Done:
    """How many were changed, and the numbers of those whose state forbade it (others were quicker, or it was pressed
    twice)."""

    changed: int = 0
    left: list[str] = field(default_factory=list)


def invoices_by(session: Session, public_ids: Sequence[str]) -> Sequence[Invoice]:
    """The invoices with these public ids, by number; at most `MOST_AT_ONCE`."""
    wanted = list(dict.fromkeys(public_ids))[:MOST_AT_ONCE]
    return session.scalars(select(Invoice).where(Invoice.public_id.in_(wanted)).order_by(Invoice.number)).all()


def act_on(session: Session, clock: Clock, actor: str, action: Action, reason: str, public_ids: Sequence[str]) -> Done:
    """Do *action* to each. Commits each by itself."""
    done = Done()
    chosen = [(invoice.number, invoice.source) for invoice in invoices_by(session, public_ids)]
    for number, source in chosen:
        act = Act(session, clock.now(), actor, reason)
        do = {Action.RELEASE: act.release, Action.ARRIVED: act.arrived, Action.HOLD: act.hold,
              Action.CANCEL: act.cancel}[action]  # fmt: skip
        try:
            do(number, source)
            done.changed += 1
        except AppError:
            session.rollback()
            done.left.append(number)
    return done
