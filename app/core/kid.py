"""Checks the payment reference of a Norwegian invoice, its KID, and takes out the part that names the customer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

MIN_LENGTH = 4
MAX_LENGTH = 25

_SHAPE = re.compile(r"[0-9]+[0-9-]")
_POSITIONS = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
# From the character to its value, and to the digit sum of its double, by a table that C walks.
_PLAIN = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


class KidFault(StrEnum):
    """Why a text is not a KID."""

    WRONG_LENGTH = "wrong_length"
    NOT_DIGITS = "not_digits"
    BAD_CHECK_DIGIT = "bad_check_digit"


class KidInvalid(ValueError):
    """A refused KID, with its fault."""

    def __init__(self, reason: KidFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class KidPositions:
    """The positions of a KID that a mandate fixes: 1-based, both ends included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last <= MAX_LENGTH:
            raise ValueError(f"KID positions must lie within 1-{MAX_LENGTH}, the lower one first")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """``"1-9"`` as positions; empty text means the whole KID and gives None. Raises ValueError."""
        if not text.strip():
            return None
        shape = _POSITIONS.fullmatch(text.strip())
        if shape is None:
            raise ValueError("KID positions must be written like 1-9, or left empty for the whole KID")
        return cls(int(shape[1]), int(shape[2]))


def check_kid(text: str) -> str:
    """The KID in *text* without surrounding blanks: 4 to 25 positions whose last one checks by mod10 or mod11.

    Leading zeros count. ``-`` stands only last, where mod11 gives 10. Raises `KidInvalid`.
    Source: OCR giro system manual and AvtaleGiro system specification 3.3.
    """
    kid = text.strip()
    if not MIN_LENGTH <= len(kid) <= MAX_LENGTH:
        raise KidInvalid(KidFault.WRONG_LENGTH)
    if _SHAPE.fullmatch(kid) is None:
        raise KidInvalid(KidFault.NOT_DIGITS)
    body, check = kid[:-1], kid[-1]
    if check != mod10_digit(body) and check != mod11_digit(body):
        raise KidInvalid(KidFault.BAD_CHECK_DIGIT)
    return kid


def mod10_digit(body: str) -> str:
    """The check digit of *body* (digits only) by weights 2, 1, 2, 1 … from the right, digit sums added."""
    digits = body.encode("ascii")
    total = sum(digits[-2::-2].translate(_PLAIN)) + sum(digits[::-2].translate(_DOUBLED))
    return str(-total % 10)


def mod11_digit(body: str) -> str:
    """The check character of *body* (digits only) by weights 2 to 7 from the right; ``-`` stands for 10."""
    remainder = -sum(int(digit) * (2 + index % 6) for index, digit in enumerate(reversed(body))) % 11
    return "-" if remainder == 10 else str(remainder)


def fixed_part(kid: str, positions: KidPositions | None) -> str:
    """What must equal between an invoice's KID and a mandate's: the named positions, or all when None.

    A KID too short to have those positions comes whole with blanks in front, so it equals only itself and never
    a piece cut out of another customer's longer KID.
    """
    if positions is None:
        return kid
    if len(kid) < positions.last:
        return kid.rjust(positions.last)
    return kid[positions.first - 1 : positions.last]
