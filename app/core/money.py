"""Reads and writes amounts of money, which everywhere inside are whole øre."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

from babel.numbers import format_decimal

# An AvtaleGiro claim has 17 digits for its øre; that also stays inside a 64-bit column.
LARGEST_ORE = 10**17 - 1

_SHAPE = re.compile(r"([+-]?)([0-9]{1,20})(?:[.,]([0-9]{1,20}))?")
_PATTERN = "#,##0.00"


class AmountFault(StrEnum):
    """Why something is not an amount of money."""

    NOT_AN_AMOUNT = "not_an_amount"
    TOO_MANY_DECIMALS = "too_many_decimals"
    TOO_LARGE = "too_large"


class AmountInvalid(ValueError):
    """A refused amount, with its fault."""

    def __init__(self, reason: AmountFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


def parse_ore(text: str | Decimal) -> int:
    """Kroner as whole øre, exact: ``"1543.34"``, ``"1543,34"`` or ``Decimal("1543.34")`` give 154334.

    A third decimal is refused even when it is 0, since ``1.543`` may mean a thousand. No thousand separators, no
    exponents. Raises `AmountInvalid`.
    """
    if isinstance(text, Decimal):
        text = _plain(text)
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None:
        raise AmountInvalid(AmountFault.NOT_AN_AMOUNT)
    decimals = shape[3] or ""
    if len(decimals) > 2:
        raise AmountInvalid(AmountFault.TOO_MANY_DECIMALS)
    amount_ore = int(shape[2] + decimals.ljust(2, "0"))
    if amount_ore > LARGEST_ORE:
        raise AmountInvalid(AmountFault.TOO_LARGE)
    return -amount_ore if shape[1] == "-" else amount_ore


def kroner(amount_ore: int) -> Decimal:
    """Whole øre as kroner with exactly two decimals, for formats that want them."""
    return Decimal(amount_ore).scaleb(-2)


def format_ore(amount_ore: int, locale: str) -> str:
    """Whole øre as people of *locale* write kroner: nb ``1 543,34`` with a no-break space, en ``1,543.34``."""
    return format_decimal(kroner(amount_ore), format=_PATTERN, locale=locale)


def _plain(amount: Decimal) -> str:
    if not amount.is_finite():
        raise AmountInvalid(AmountFault.NOT_AN_AMOUNT)
    # Written out in full, 1E+9999 would fill memory.
    if amount.adjusted() > 18:
        raise AmountInvalid(AmountFault.TOO_LARGE)
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2:
        raise AmountInvalid(AmountFault.TOO_MANY_DECIMALS)
    return f"{amount:f}"
