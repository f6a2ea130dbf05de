"""What a planning run does, or would do: how many by each channel, why not by the others, and at what price."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.delivery.models import State
from app.delivery.planning_tables import batch, execute, known
from app.routing.channels import Channel, Reason
from app.routing.policy import Plan


@dataclass(frozen=True, slots=True)
class Group:
    """How many of a batch go the same way. ``state`` is the document's; all unset where facts are not gathered yet."""

    count: int
    state: State | None
    channel: Channel | None
    hold: Reason | None
    is_claim: bool
    is_waiting: bool

    @property
    def is_lacking(self) -> bool:
        """Whether some facts of these are not gathered."""
        return self.state is None and not self.is_claim and not self.is_waiting


def _groups() -> Select[Any]:
    how = (known.c.state, known.c.channel, known.c.hold, known.c.is_claim, known.c.is_waiting)
    by_key = select(batch.c.key, func.count().label("count")).group_by(batch.c.key).subquery("by_key")
    joined = by_key.outerjoin(known, known.c.key == by_key.c.key)
    return select(cast(func.sum(by_key.c.count), BigInteger), *how).select_from(joined).group_by(*how)


GROUPS = _groups()


def groups_of(session: Session) -> list[Group]:
    """The batch by where it goes, after everything is decided."""
    return [
        Group(count, state, channel, hold, bool(claim), bool(waits))
        for count, state, channel, hold, claim, waits in execute(session, GROUPS)
    ]


def keys_of(session: Session) -> dict[int | None, int]:
    """How many of the batch have each key; None counts those whose facts are not all gathered."""
    return {row[0]: row[1] for row in execute(session, select(batch.c.key, func.count()).group_by(batch.c.key))}


@dataclass(slots=True)
class Forecast:
    """Counts over all plans of a run.

    ``by_channel`` counts each invoice that goes once, under AvtaleGiro when there is a claim, else under the first
    channel of its route; ``notices_by_channel`` counts the documents beside claims. ``reasons`` says how often each
    channel is passed over for what (a dry run counts them). ``closed``: nothing was owed any more.
    """

    by_channel: Counter[Channel] = field(default_factory=Counter)
    notices_by_channel: Counter[Channel] = field(default_factory=Counter)
    reasons: Counter[tuple[Channel, Reason]] = field(default_factory=Counter)
    holds: Counter[Reason] = field(default_factory=Counter)
    waiting: int = 0
    closed: int = 0

    def add(self, group: Group) -> None:
        """Count a group of invoices that go the same way."""
        count = group.count
        if group.is_waiting:
            self.waiting += count
        elif group.state is State.CLOSED:
            self.closed += count
        elif group.hold is not None:
            self.holds[group.hold] += count
        elif group.is_claim:
            self.by_channel[Channel.AVTALEGIRO] += count
            if group.channel is not None:
                self.notices_by_channel[group.channel] += count
        elif group.channel is not None:
            self.by_channel[group.channel] += count

    def add_reasons(self, plan: Plan, count: int) -> None:
        """Count why *count* invoices with the same plan pass channels over."""
        for channel, reason in plan.passed_over.items():
            self.reasons[channel, reason] += count

    @property
    def held(self) -> int:
        """How many wait for a person."""
        return self.holds.total()

    @property
    def planned(self) -> int:
        """How many got a plan that is no mere waiting, the closed ones included."""
        return self.by_channel.total() + self.held + self.closed

    def cost_ore(self, settings: Settings) -> int:
        """What the first try of everything costs, in whole øre, by CHANNEL_PRICE_ORE; each notice costs too."""
        shipped: dict[str, int] = type(settings).model_fields["channel_price_ore"].default
        prices = {**shipped, **settings.channel_price_ore}
        leaving = self.by_channel + self.notices_by_channel
        return sum(prices[channel.value] * count for channel, count in leaving.items())

    def as_json(self, settings: Settings) -> dict[str, Any]:
        """For ``--format json``."""
        reasons: dict[str, dict[str, int]] = {}
        for (channel, reason), count in sorted(self.reasons.items()):
            reasons.setdefault(channel.value, {})[reason.value] = count
        return {
            "planned": self.planned,
            "by_channel": {channel.value: self.by_channel[channel] for channel in Channel},
            "notices_by_channel": {channel.value: count for channel, count in sorted(self.notices_by_channel.items())},
            "passed_over": reasons,
            "held": {reason.value: count for reason, count in sorted(self.holds.items())},
            "waiting": self.waiting,
            "closed": self.closed,
            "cost_ore": self.cost_ore(settings),
        }
