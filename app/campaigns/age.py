"""Whether a national id tells that somebody is a child."""

from __future__ import annotations

import datetime as dt

ADULT_YEARS = 18
_D_NUMBER_OFFSET = 40
_SYNTHETIC_OFFSETS = (0, 80, 65, 40)
_FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)


def is_minor(national_id: str, today: dt.date) -> bool:
    """Whether the eleven digits of *national_id* tell that its holder is under 18 on *today*.

    False where they do not tell: by its first check digit, or by its date, the number may be of the kind issued from
    2032, which holds no century. Source: Skatteetaten, «Nytt fødselsnummer fra 2032»; the ranges of the individual
    number until then as in «Fødselsnummer» by the same.
    """
    if sum(weight * int(digit) for weight, digit in zip(_FIRST_WEIGHTS, national_id, strict=False)) % 11:
        return False
    born_on = _born_on(national_id)
    if born_on is None or born_on > today:
        return False
    had_birthday = (today.month, today.day) >= (born_on.month, born_on.day)
    return today.year - born_on.year - (not had_birthday) < ADULT_YEARS


def _born_on(number: str) -> dt.date | None:
    day, month, year, individual = int(number[:2]), int(number[2:4]), int(number[4:6]), int(number[6:9])
    day -= _D_NUMBER_OFFSET if day > _D_NUMBER_OFFSET else 0
    offset = next((offset for offset in _SYNTHETIC_OFFSETS if 1 <= month - offset <= 12), None)
    century = _century(year, individual)
    if offset is None or century is None:
        return None
    try:
        return dt.date(century + year, month - offset, day)
    except ValueError:
        return None


def _century(year: int, individual: int) -> int | None:
    if individual < 500:
        return 1900
    if year < 40:
        return 2000
    if individual >= 900:
        return 1900
    return 1800 if individual < 750 and year >= 54 else None
