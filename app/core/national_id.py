"""Checks Norwegian national identity numbers by the rules of today and those that begin in 2032."""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

RULE_2032_FROM = dt.date(2032, 1, 1)
TENOR_OFFSET = 80
NHN_OFFSET = 65
DOLLY_OFFSET = 40
SYNTHETIC_OFFSETS = frozenset({TENOR_OFFSET, NHN_OFFSET, DOLLY_OFFSET})

_SHAPE = re.compile(r"([0-9]{6})[ \u00a0]?([0-9]{5})")
_D_NUMBER_OFFSET = 40
_FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_REMAINDERS_BEFORE_2032 = frozenset({0})
_REMAINDERS_FROM_2032 = frozenset({0, 1, 2, 3})


class NationalIdFault(StrEnum):
    """Why a text is not a national id that this installation takes."""

    NOT_ELEVEN_DIGITS = "not_eleven_digits"
    BAD_DATE = "bad_date"
    BAD_CHECK_DIGIT = "bad_check_digit"
    SYNTHETIC_NOT_ALLOWED = "synthetic_not_allowed"
    REAL_NOT_ALLOWED = "real_not_allowed"


class NationalIdInvalid(ValueError):
    """A refused national id; carries the fault and never the number, so it may be logged."""

    def __init__(self, reason: NationalIdFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class NationalIdRules:
    """What this installation takes: production refuses synthetic numbers, every other place refuses real ones.

    ``allowed_offsets`` are the additions to the month that count as synthetic here (of 80, 65 and 40); they
    matter only where synthetic numbers are required.
    """

    synthetic: Literal["refused", "required"]
    allowed_offsets: frozenset[int]
    accepts_2032_rule: bool

    @classmethod
    def on(
        cls,
        day: dt.date,
        *,
        synthetic: Literal["refused", "required"],
        allowed_offsets: frozenset[int] = frozenset({TENOR_OFFSET}),
        accepts_2032_rule_early: bool = False,
    ) -> Self:
        """The rules in force on *day*: the wider first check digit comes of itself on 1 January 2032."""
        return cls(synthetic, allowed_offsets, accepts_2032_rule_early or day >= RULE_2032_FROM)


def check_national_id(text: str, rules: NationalIdRules) -> str:
    """The eleven digits of *text* (``ddmmyynnnnn`` or ``ddmmyy nnnnn``), ordinary or D-number.

    Says nothing about whether the number was issued, and derives neither century nor sex, which numbers issued
    from 2032 no longer hold. Raises `NationalIdInvalid`. Source: Skatteetaten, «Nytt fødselsnummer fra 2032».
    """
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None:
        raise NationalIdInvalid(NationalIdFault.NOT_ELEVEN_DIGITS)
    number = shape[1] + shape[2]
    offset = _month_offset(number)
    _check_control_digits(number, _REMAINDERS_FROM_2032 if rules.accepts_2032_rule else _REMAINDERS_BEFORE_2032)
    _check_policy(offset, rules)
    return number


def _month_offset(number: str) -> int:
    day, month, year = int(number[:2]), int(number[2:4]), int(number[4:6])
    if day > _D_NUMBER_OFFSET:
        day -= _D_NUMBER_OFFSET
    for offset in (0, *SYNTHETIC_OFFSETS):
        if 1 <= month - offset <= 12:
            # 20yy has the leap years of every possible century but 1900; a born 29 February 1900 passes by mistake.
            if 1 <= day <= monthrange(2000 + year, month - offset)[1]:
                return offset
            break
    raise NationalIdInvalid(NationalIdFault.BAD_DATE)


def _check_control_digits(number: str, allowed_remainders: frozenset[int]) -> None:
    digits = [int(digit) for digit in number]
    first = sum(weight * digit for weight, digit in zip(_FIRST_WEIGHTS, digits, strict=False)) + digits[9]
    second = sum(weight * digit for weight, digit in zip(_SECOND_WEIGHTS, digits, strict=False)) + digits[10]
    if first % 11 not in allowed_remainders or second % 11 != 0:
        raise NationalIdInvalid(NationalIdFault.BAD_CHECK_DIGIT)


def _check_policy(offset: int, rules: NationalIdRules) -> None:
    if rules.synthetic == "required" and offset == 0:
        raise NationalIdInvalid(NationalIdFault.REAL_NOT_ALLOWED)
    if offset and (rules.synthetic == "refused" or offset not in rules.allowed_offsets):
        raise NationalIdInvalid(NationalIdFault.SYNTHETIC_NOT_ALLOWED)
