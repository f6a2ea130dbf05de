"""Norwegian calendar days, banking days and the deadlines that are counted in them."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

OSLO = ZoneInfo("Europe/Oslo")
AVTALEGIRO_CUT_OFF = dt.time(14, 0)

_ONE_DAY = dt.timedelta(days=1)
_SATURDAY = 5
_CHRISTMAS_EVE = (12, 24)
_NEW_YEARS_EVE = (12, 31)
# On 31 December banks settle, so it is a banking day, but several take domestic payments only until noon.
_NEW_YEARS_EVE_CUT_OFF = dt.time(12, 0)


def oslo_date(moment: dt.datetime) -> dt.date:
    """The day it is in Norway at *moment*. Raises ValueError when *moment* is naive."""
    return _in_oslo(moment).date()


def is_banking_day(day: dt.date) -> bool:
    """Whether Norwegian banks settle on *day*: not on Saturdays, Sundays, public holidays or 24 December.

    Source: Norges Bank, «Oppgjørsdager» (24 December closed, 31 December open).
    """
    return day.weekday() < _SATURDAY and day not in _closed_days(day.year)


def next_banking_day(day: dt.date) -> dt.date:
    """The first banking day after *day*."""
    day += _ONE_DAY
    while not is_banking_day(day):
        day += _ONE_DAY
    return day


def earliest_avtalegiro_due(now: dt.datetime, lead_days: int, cut_off: dt.time = AVTALEGIRO_CUT_OFF) -> dt.date:
    """The earliest due date of an AvtaleGiro claim that is handed in at *now* (aware).

    lead_days: calendar days, at least 0; weekends count, public holidays and 24 December do not. They run from the
    day the bank takes the file in: today on a banking day before *cut_off* (Oslo time), else the next banking day.
    Source: AvtaleGiro system specification 3.3 and user manual, and the practice of netsgiro.
    """
    local = _in_oslo(now)
    day = local.date()
    if not is_banking_day(day) or local.time() >= _cut_off_on(day, cut_off):
        day = next_banking_day(day)
    for _ in range(lead_days):
        day += _ONE_DAY
        while day in _closed_days(day.year):
            day += _ONE_DAY
    return day


def latest_safe_day(due_on: dt.date, lead_days: int) -> dt.date:
    """The last day an invoice may still wait for an answer: *lead_days* calendar days before it is due."""
    return due_on - dt.timedelta(days=lead_days)


def add_months(day: dt.date, months: int) -> dt.date:
    """*day* moved by whole calendar months, backwards when negative; 31 January + 1 gives the last of February."""
    years, month_index = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month_index + 1
    return dt.date(year, month, min(day.day, monthrange(year, month)[1]))


def _in_oslo(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError("naive datetime: say which time zone it is in")
    return moment.astimezone(OSLO)


def _cut_off_on(day: dt.date, cut_off: dt.time) -> dt.time:
    return min(cut_off, _NEW_YEARS_EVE_CUT_OFF) if (day.month, day.day) == _NEW_YEARS_EVE else cut_off


@lru_cache(maxsize=64)
def _closed_days(year: int) -> frozenset[dt.date]:
    return frozenset({*country_holidays("NO", years=year), dt.date(year, *_CHRISTMAS_EVE)})
