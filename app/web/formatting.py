"""Money, dates, moments and numbers as people write them, in the language of the page."""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask

from app.core.clock import OSLO
from app.core.money import kroner
from app.web.language import current

# Babel's own Norwegian pattern puts "kr" last, which Språkrådet does not; U+2212 is the minus sign.
MONEY = "¤\u00a0#,##0.00;\u2212¤\u00a0#,##0.00"
# Readers of English here write the day first.
LOCALES = {"nb": "nb", "nn": "nn", "en": "en_GB"}
MOMENTS = {"nb": "d. MMMM y 'kl.' HH.mm", "nn": "d. MMMM y 'kl.' HH.mm", "en": "d MMMM y 'at' HH:mm"}
SHORT_DATES = {"nb": "dd.MM.y", "nn": "dd.MM.y", "en": "dd/MM/y"}


def locale() -> str:
    """The name of the locale that the page's language is formatted by."""
    return LOCALES[current()]


def money(amount_ore: int) -> str:
    """Whole øre as ``kr 1 234,50`` (nb, nn) or ``NOK 1,234.50`` (en), with no-break spaces."""
    return format_currency(kroner(amount_ore), "NOK", format=MONEY, locale=locale(), currency_digits=False)


def date(day: dt.date) -> str:
    """``3. november 2026``."""
    return format_date(day, "long", locale=locale())


def short_date(day: dt.date) -> str:
    """``03.11.2026``, for tables."""
    return format_date(day, SHORT_DATES[current()], locale=locale())


def moment(at: dt.datetime) -> str:
    """``3. november 2026 kl. 14.05`` in Oslo. Raises ValueError for a moment without a time zone."""
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return format_datetime(at.astimezone(OSLO), MOMENTS[current()], tzinfo=OSLO, locale=locale())


def number(value: float) -> str:
    """``1 234``, with no-break spaces."""
    return format_decimal(value, locale=locale())


def percent(share: float) -> str:
    """A share between 0 and 1 as ``42,5 %``, one decimal at most."""
    return format_percent(share, format="#,##0.#\u00a0%" if current() != "en" else "#,##0.#%", locale=locale())


def unbroken(text: str) -> str:
    """*text* that stays on one line: telephone numbers, opening hours."""
    return text.replace(" ", "\u00a0").replace("–", "\u2060–\u2060")


def phone_address(phone: str) -> str:
    """The telephone number *phone* as a link's address."""
    return "tel:" + "".join(sign for sign in phone if sign.isdigit() or sign == "+")


def init_app(app: Flask) -> None:
    """Give templates the filters."""
    for filter_ in (money, date, short_date, moment, number, percent, unbroken, phone_address):
        app.jinja_env.filters[filter_.__name__] = filter_
