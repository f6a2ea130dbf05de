"""Hides groups of fewer than five, so that nobody can work them out from sums, other periods or other filters either.

A small group counts as `TYPICAL` in every sum, whatever its size: all that is shown is made of the groups that may be
shown and of the mere fact that another one is small. So two pages, or two files, that differ by one small group differ
by the same number whether it holds one or four.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FEWEST = 5
TYPICAL = 2


@dataclass(frozen=True, slots=True)
class Amount:
    """A number that may be shown: the ``sure`` part exactly, and ``small`` groups of one to four that it also holds."""

    sure: int = 0
    small: int = 0

    @classmethod
    def of(cls, count: int) -> Amount:
        """One whole group. Only groups of the finest grain are made so; everything larger is their sum."""
        return cls(small=1) if 0 < count < FEWEST else cls(sure=count)

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.sure + other.sure, self.small + other.small)

    @property
    def value(self) -> int:
        """For sums, shares and charts."""
        return self.sure + self.small * TYPICAL

    @property
    def limit(self) -> int | None:
        """When it is hidden: fewer than this it surely is. None when `value` may be shown."""
        is_hidden = self.small > 0 and self.sure == 0 and self.small < FEWEST
        return self.small * (FEWEST - 1) + 1 if is_hidden else None

    @property
    def is_rounded(self) -> bool:
        """Whether it holds small groups, so that `value` is about right only."""
        return self.small > 0

    def share_of(self, whole: Amount) -> float | None:
        """From 0 to 1; None when there is nothing to be a share of, or it is hidden."""
        return self.value / whole.value if whole.value and self.limit is None else None


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of *amounts*."""
    found = Amount()
    for amount in amounts:
        found += amount
    return found
