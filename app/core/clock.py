"""The one place that reads the time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")


@dataclass(frozen=True, slots=True)
class Clock:
    """Moments as aware UTC, dates as Europe/Oslo.

    ``shift`` moves the calendar to the setting TODAY; time still runs, so waits and leases still end.
    """

    shift: dt.timedelta = dt.timedelta(0)

    @classmethod
    def for_day(cls, today: dt.date | None) -> Clock:
        """The real clock, or one moved so that it is *today* in Oslo now."""
        if today is None:
            return cls()
        return cls(today - dt.datetime.now(OSLO).date())

    def now(self) -> dt.datetime:
        """The moment, aware UTC."""
        return dt.datetime.now(dt.UTC) + self.shift

    def today(self) -> dt.date:
        """The date in Oslo."""
        return self.now().astimezone(OSLO).date()
