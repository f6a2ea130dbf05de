"""Decides what a value of the register does to a resident's contact points; pure, so that every case can be listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.residents.models import ClosedReason, ContactSource


class Point(NamedTuple):
    """A stored contact point of one resident and kind; ``closed_reason`` None means open."""

    id: int
    value: str
    source: ContactSource
    is_confirmed: bool
    closed_reason: ClosedReason | None

    @property
    def is_the_residents_own(self) -> bool:
        """Whether the register may not replace it."""
        return self.is_confirmed or self.source is ContactSource.RESIDENT


@dataclass(frozen=True, slots=True)
class Change:
    """What to do, closing first: point ids to close or re-open, and a value to add, open or closed at once."""

    close: Mapping[int, ClosedReason] = field(default_factory=dict)
    reopen: int | None = None
    add: str | None = None
    add_closed: ClosedReason | None = None

    def __bool__(self) -> bool:
        return bool(self.close or self.reopen or self.add)


NOTHING = Change()


def decide(points: Iterable[Point], value: str | None) -> Change:
    """What the register's *value* (normalised; None: the register has none) does to *points* of one kind.

    A value that a person or a bounce closed stays closed. The register re-opens only what it closed itself
    (`ClosedReason.WITHDRAWN`). A value that comes beside the resident's own is kept as replaced, so that it does not
    come back by itself when the resident's own is removed. Deciding the same value again changes nothing.
    """
    by_value = {point.value: point for point in points}
    current = next((point for point in by_value.values() if point.closed_reason is None), None)
    if value is None:
        is_the_registers = current is not None and current.source is ContactSource.REGISTER and not current.is_confirmed
        return Change(close={current.id: ClosedReason.WITHDRAWN}) if current and is_the_registers else NOTHING
    known = by_value.get(value)
    if known and known is current:
        return NOTHING
    if current and current.is_the_residents_own:
        return _set_aside(known, value)
    if known and known.closed_reason is not ClosedReason.WITHDRAWN:
        # The register has moved on from its earlier value, to one that may not be used.
        is_withdrawn = current is not None and current.source is ContactSource.REGISTER
        return Change(close={current.id: ClosedReason.WITHDRAWN}) if current and is_withdrawn else NOTHING
    closing = {current.id: ClosedReason.WITHDRAWN} if current else {}
    return Change(closing, reopen=known.id) if known else Change(closing, add=value)


def _set_aside(known: Point | None, value: str) -> Change:
    if known is None:
        return Change(add=value, add_closed=ClosedReason.REPLACED)
    if known.closed_reason is ClosedReason.WITHDRAWN:
        return Change(close={known.id: ClosedReason.REPLACED})
    return NOTHING
