"""Banking days and the deadlines counted in them, by Oslo time."""

from __future__ import annotations

import datetime as dt

import netsgiro
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.calendar import (
    OSLO,
    add_months,
    earliest_avtalegiro_due,
    is_banking_day,
    latest_safe_day,
    next_banking_day,
    oslo_date,
)

DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2040, 12, 31))
MOMENTS = st.builds(dt.datetime.combine, DAYS, st.times(), tzinfo=st.just(OSLO))


def oslo(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=OSLO)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_the_day_is_norways_and_not_greenwichs() -> None:
    assert oslo_date(dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC)) == day("2026-12-01")
    assert oslo_date(dt.datetime(2026, 6, 30, 22, 30, tzinfo=dt.UTC)) == day("2026-07-01")


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        oslo_date(dt.datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test


# Norges Bank's own list of closed days for 2017, and New Year's Eve, which it does not name.
@pytest.mark.parametrize(
    ("date", "is_open"),
    [
        ("2017-01-02", True),
        ("2017-04-12", True),
        ("2017-04-13", False),
        ("2017-04-14", False),
        ("2017-04-17", False),
        ("2017-05-01", False),
        ("2017-05-17", False),
        ("2017-05-25", False),
        ("2017-06-05", False),
        ("2017-12-24", False),
        ("2017-12-25", False),
        ("2017-12-26", False),
        ("2026-11-21", False),
        ("2026-11-22", False),
        ("2026-12-24", False),
        ("2026-12-31", True),
    ],
)
def test_banks_are_open_as_the_settlement_calendar_says(date: str, is_open: bool) -> None:
    assert is_banking_day(day(date)) is is_open


@given(DAYS)
def test_the_next_banking_day_is_later_open_and_has_none_before_it(start: dt.date) -> None:
    found = next_banking_day(start)
    assert found > start
    assert is_banking_day(found)
    between = (start + dt.timedelta(days=step) for step in range(1, (found - start).days))
    assert not any(is_banking_day(skipped) for skipped in between)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-23T13:59:59", "2026-11-27"),
        ("2026-11-23T14:00:00", "2026-11-28"),
        ("2026-11-27T14:00:00", "2026-12-04"),
        ("2026-11-28T09:00:00", "2026-12-04"),
        ("2026-03-31T10:00:00", "2026-04-08"),
        ("2026-12-23T15:00:00", "2027-01-02"),
        ("2026-12-31T11:59:00", "2027-01-05"),
        ("2026-12-31T12:00:00", "2027-01-08"),
    ],
)
def test_four_days_of_notice_count_from_the_banks_day_without_holidays(now: str, due: str) -> None:
    assert earliest_avtalegiro_due(oslo(now), 4) == day(due)


def test_the_cut_off_is_read_in_oslo_whatever_zone_now_comes_in() -> None:
    assert earliest_avtalegiro_due(dt.datetime(2026, 7, 6, 12, 0, tzinfo=dt.UTC), 10) == day("2026-07-17")
    assert earliest_avtalegiro_due(dt.datetime(2026, 7, 6, 11, 59, tzinfo=dt.UTC), 10) == day("2026-07-16")


def test_the_cut_off_can_be_another() -> None:
    assert earliest_avtalegiro_due(oslo("2026-11-23T12:30"), 4, cut_off=dt.time(12, 0)) == day("2026-11-28")


@given(MOMENTS)
def test_we_never_promise_an_earlier_day_than_the_reference_library(now: dt.datetime) -> None:
    # On other days that library counts a lost day twice: as weekend or holiday, and again as late or holiday.
    assume(is_banking_day(now.date()))
    assert earliest_avtalegiro_due(now, 4) >= netsgiro.get_minimum_due_date(now)


@given(MOMENTS, st.integers(0, 30))
def test_waiting_never_makes_the_due_date_earlier(now: dt.datetime, hours: int) -> None:
    assert earliest_avtalegiro_due(now + dt.timedelta(hours=hours), 10) >= earliest_avtalegiro_due(now, 10)


def test_the_latest_safe_day_lies_its_lead_before_the_due_date() -> None:
    assert latest_safe_day(day("2026-12-14"), 14) == day("2026-11-30")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2025-05-23", 18, "2026-11-23"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-11-23", -18, "2025-05-23"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-08-31", -6, "2026-02-28"),
    ],
)
def test_months_are_calendar_months(start: str, months: int, end: str) -> None:
    assert add_months(day(start), months) == day(end)


@given(DAYS, st.integers(-60, 60))
def test_moving_by_months_keeps_the_day_when_it_exists(start: dt.date, months: int) -> None:
    moved = add_months(start, months)
    assert (moved.year - start.year) * 12 + moved.month - start.month == months
    assert moved.day == start.day or (moved + dt.timedelta(days=1)).day == 1
