"""Money, dates, moments and numbers as people of each language write them."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from app.web import formatting

NBSP = "\u00a0"
NIGHT = dt.datetime(2026, 11, 3, 23, 5, tzinfo=dt.UTC)

EXPECTED = {
    "nb": {
        "money": f"kr{NBSP}1{NBSP}234,50",
        "owed": f"−kr{NBSP}0,05",
        "date": "3. november 2026",
        "short_date": "03.11.2026",
        "moment": "4. november 2026 kl. 00.05",
        "number": f"1{NBSP}234",
        "percent": f"42,5{NBSP}%",
    },
    "nn": {
        "money": f"kr{NBSP}1{NBSP}234,50",
        "owed": f"−kr{NBSP}0,05",
        "date": "3. november 2026",
        "short_date": "03.11.2026",
        "moment": "4. november 2026 kl. 00.05",
        "number": f"1{NBSP}234",
        "percent": f"42,5{NBSP}%",
    },
    "en": {
        "money": f"NOK{NBSP}1,234.50",
        "owed": f"−NOK{NBSP}0.05",
        "date": "3 November 2026",
        "short_date": "03/11/2026",
        "moment": "4 November 2026 at 00:05",
        "number": "1,234",
        "percent": "42.5%",
    },
}


@pytest.mark.parametrize("language", EXPECTED)
def test_each_language_has_its_way_of_writing(site: Flask, language: str) -> None:
    day = dt.date(2026, 11, 3)
    with site.test_request_context(f"/?lang={language}"):
        assert {
            "money": formatting.money(123450),
            "owed": formatting.money(-5),
            "date": formatting.date(day),
            "short_date": formatting.short_date(day),
            "moment": formatting.moment(NIGHT),
            "number": formatting.number(1234),
            "percent": formatting.percent(0.425),
        } == EXPECTED[language]


def test_winter_and_summer_time_are_oslo_s(site: Flask) -> None:
    with site.test_request_context("/?lang=nb"):
        assert formatting.moment(dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)).endswith("kl. 14.00")
        assert formatting.moment(dt.datetime(2026, 1, 1, 12, 0, tzinfo=dt.UTC)).endswith("kl. 13.00")


def test_a_moment_that_could_be_anywhere_is_refused(site: Flask) -> None:
    with site.test_request_context("/?lang=nb"), pytest.raises(ValueError, match="time zone"):
        formatting.moment(dt.datetime(2026, 7, 1, 12, 0))  # noqa: DTZ001 - the point of the test


def test_what_must_stand_on_one_line_does() -> None:
    assert formatting.unbroken("51 74 – 9") == "51\u00a074\u00a0\u2060–\u2060\u00a09"
    assert formatting.phone_address("+47 51 74 30 00") == "tel:+4751743000"
