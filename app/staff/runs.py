"""The runs of the job: what each did, how far one under way is, and what the next would do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.forecast import Forecast
from app.delivery.models import Delivery, RunRow
from app.delivery.planning import dry_run
from app.delivery.workers import is_gone
from app.invoices.models import Pending
from app.routing.channels import Channel

PAGE = 20
# A run on another machine cannot be looked up: one that has said nothing for so long is taken for broken off.
LONGEST = dt.timedelta(days=1)
# So many are planned in a second or two. More are a job for the command, which nobody waits for.
MOST_TRIED = 50_000


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run. ``state`` is ``going``, ``done``, ``stopped`` (told to end) or ``broken`` (its process is gone)."""

    state: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    counts: dict[str, Any]

    @property
    def minutes(self) -> int | None:
        """How long it took, in whole minutes."""
        return None if self.finished_at is None else int((self.finished_at - self.started_at).total_seconds() // 60)


@dataclass(frozen=True, slots=True)
class Due:
    """What is planned and waits to leave, by how it leaves. ``cost_ore``: whole øre, by CHANNEL_PRICE_ORE."""

    channel: Channel
    count: int
    cost_ore: int


def runs(session: Session, now: dt.datetime, page: int) -> tuple[Sequence[RunLine], int]:
    """One page of the runs, the newest first, and how many pages there are."""
    total = session.scalar(select(func.count()).select_from(RunRow)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(page, 1), pages)
    query = select(RunRow).order_by(RunRow.id.desc()).limit(PAGE).offset((number - 1) * PAGE)
    rows = session.scalars(query.execution_options(populate_existing=True)).all()
    return [RunLine(_state(row, now), row.started_at, row.finished_at, row.counts) for row in rows], pages


def due(session: Session, settings: Settings) -> list[Due]:
    """What waits to leave, in the municipality's order, the channels that have nothing left out."""
    query = (
        select(Delivery.channel, func.count())
        .where(literal_column("(delivery.state = 'waiting')"), Delivery.channel.is_not(None))
        .group_by(Delivery.channel)
    )
    counts: dict[Any, int] = {row[0]: row[1] for row in session.execute(query)}
    prices = prices_of(settings)
    order = [Channel(name) for name in settings.routing_order]
    return [Due(channel, counts[channel], counts[channel] * prices[channel]) for channel in order if channel in counts]


def prices_of(settings: Settings) -> dict[Channel, int]:
    """Whole øre for one, by channel; the shipped price where the setting names none."""
    shipped: dict[str, int] = type(settings).model_fields["channel_price_ore"].default
    prices = {**shipped, **settings.channel_price_ore}
    return {channel: prices[channel.value] for channel in Channel}


def unplanned(session: Session) -> int:
    """How many invoices have no plan; `MOST_TRIED` + 1 stands for more than can be tried on a page."""
    rows = select(Pending.invoice_id).limit(MOST_TRIED + 1).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def try_plan(session: Session, settings: Settings, clock: Clock) -> Forecast:
    """What planning would do now. Nothing is kept, and no register is asked."""
    return dry_run(session, settings, clock)


def _state(row: RunRow, now: dt.datetime) -> str:
    if row.finished_at is not None:
        return "stopped" if row.counts.get("stopped") else "done"
    return "broken" if is_gone(row.worker) or now - row.started_at > LONGEST else "going"
