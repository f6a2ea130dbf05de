"""Check digits that the real services check: KID (mod10 or mod11), account and organisation numbers (mod11)."""

from __future__ import annotations

import re
from typing import Any


def _mod11(body: str) -> str:
    """The check character of *body*, weights 2 to 7 from the right; ``-`` for the remainder that gives 10."""
    rest = -sum(int(digit) * (2 + position % 6) for position, digit in enumerate(reversed(body))) % 11
    return "-" if rest == 10 else str(rest)


def _mod10(body: str) -> str:
    """The Luhn check digit of *body*."""
    total = 0
    for position, digit in enumerate(reversed(body)):
        product = int(digit) * (2 if position % 2 == 0 else 1)
        total += product // 10 + product % 10
    return str(-total % 10)


def is_kid(value: Any) -> bool:
    """4 to 25 characters, digits with ``-`` only last, right by mod10 or mod11."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{3,24}[\d-]", value):
        return False
    return value[-1] in {_mod10(value[:-1]), _mod11(value[:-1])}


def is_account(value: Any) -> bool:
    """11 digits, right by mod11."""
    return isinstance(value, str) and bool(re.fullmatch(r"\d{11}", value)) and value[-1] == _mod11(value[:-1])


def is_organisation_number(value: Any) -> bool:
    """9 digits, right by mod11."""
    return isinstance(value, str) and bool(re.fullmatch(r"\d{9}", value)) and value[-1] == _mod11(value[:-1])
