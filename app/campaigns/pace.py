"""When mails may leave: in the hours of the day that the settings name, and no faster than they say."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.campaigns.models import Campaign
from app.core.clock import OSLO
from app.core.settings import Settings

MINUTE = 60.0
# So long a mail may be late without the next ones hurrying to make up for it.
CATCH_UP_SECONDS = 1.0


def is_open_at(now: dt.datetime, settings: Settings) -> bool:
    """Whether mails may leave at *now* (aware)."""
    span = settings.offer_span
    return span is None or span[0] <= now.astimezone(OSLO).hour < span[1]


def pace_of(settings: Settings, campaign: Campaign) -> int:
    """Mails a minute for *campaign*; 0: no limit. A campaign may be slower than the setting, never faster."""
    most, own = settings.offer_mails_per_minute, campaign.mails_per_minute
    if own is None:
        return most
    return min(own, most) if most else own


@dataclass(slots=True)
class Pace:
    """Lets *per_minute* mails a minute leave, evenly; 0: all at once. Counts in this process alone.

    ``tell`` gives seconds that only grow, ``sleep`` waits for some.
    """

    per_minute: int
    tell: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    _next: float | None = field(default=None, init=False)

    def may_go(self, most: int) -> int:
        """How many of *most* may leave now; they count as gone."""
        if not self.per_minute:
            return most
        now, gap = self.tell(), MINUTE / self.per_minute
        due = now if self._next is None else max(self._next, now - CATCH_UP_SECONDS)
        count = min(most, int((now - due) / gap) + 1) if due <= now else 0
        self._next = due + count * gap
        return count

    def wait(self, most_seconds: float) -> None:
        """Until one more may leave, at most so long."""
        if self._next is not None:
            self.sleep(max(0.0, min(self._next - self.tell(), most_seconds)))
