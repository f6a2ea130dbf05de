"""Made-up people and organisations by fixed rules: the same seed and number always give the same one."""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass

from app.sandbox.names import FAMILY_NAMES, GIVEN_NAMES, STREETS

FIRST_BORN_ON = dt.date(1936, 1, 1)
BIRTH_DAYS = (dt.date(2008, 1, 1) - FIRST_BORN_ON).days
BLOCK = 10
BLOCKS_A_DAY = 45
MOST_PEOPLE = BIRTH_DAYS * BLOCKS_A_DAY
MOBILE_RANGES = (40, 41, 46, 47, 48, *range(90, 100))
MOST_MOBILES = len(MOBILE_RANGES) * 1_000_000
SYNTHETIC_MONTH = 80
D_NUMBER_DAY = 40
FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
ORGANISATION_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)

PLACES = (("4100", "Jørpeland"), ("4120", "Tau"), ("4122", "Fiskå"), ("4110", "Forsand"), ("4123", "Sør-Hidle"))
PLACE_SHARES = (60, 28, 8, 3, 1)
TRADES = ("Bygg", "Rør", "Elektro", "Bakeri", "Havbruk", "Regnskap", "Båtforening", "Idrettslag", "Borettslag", "Kafé")


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person; ``national_id`` is synthetic (month + 80), a D-number where ``has_d_number``."""

    number: int
    given_name: str
    family_name: str
    born_on: dt.date
    has_d_number: bool
    national_id: str

    @property
    def name(self) -> str:
        """Given name and family name."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Address:
    """A made-up street address in or near Strand."""

    street: str
    postal_code: str
    city: str


def chance(seed: int, purpose: str, number: int) -> random.Random:
    """A random source that depends on nothing but its three arguments."""
    return random.Random(f"{seed}/{purpose}/{number}")


def made_up_person(seed: int, number: int) -> Person:
    """Person *number* (0 … `MOST_PEOPLE` - 1) of the world *seed*; raises `ValueError` outside that range.

    Different numbers of one seed never share a national id.
    """
    if not 0 <= number < MOST_PEOPLE:
        raise ValueError(f"there are {MOST_PEOPLE} made-up people, numbered from 0")
    dice = chance(seed, "person", number)
    day, block = divmod(shuffled(seed, number, MOST_PEOPLE), BLOCKS_A_DAY)
    born_on = FIRST_BORN_ON + dt.timedelta(days=day)
    has_d_number = dice.random() < 0.04
    return Person(
        number=number,
        given_name=dice.choice(GIVEN_NAMES),
        family_name=dice.choice(FAMILY_NAMES),
        born_on=born_on,
        has_d_number=has_d_number,
        national_id=national_id(born_on, block * BLOCK, has_d_number=has_d_number),
    )


def shuffled(seed: int, number: int, size: int) -> int:
    """A one-to-one mixing of 0 … *size* - 1, so that neighbours lie far apart and nobody needs a list."""
    factor = int(size * 0.6180339887) + seed % 97
    while math.gcd(factor, size) != 1:
        factor += 1
    return (number * factor + seed * 7919) % size


def national_id(born_on: dt.date, first: int, *, has_d_number: bool = False) -> str:
    """The first synthetic number of the ten from individual number *first* (0 … 449) whose check digits exist.

    Month + 80, D-numbers day + 40. Individual numbers 000-499 belong to births 1900-1999, 500-999 to 2000-2039.
    """
    century = 500 if born_on.year >= 2000 else 0
    day = born_on.day + (D_NUMBER_DAY if has_d_number else 0)
    date = f"{day:02d}{born_on.month + SYNTHETIC_MONTH:02d}{born_on.year % 100:02d}"
    for individual in range(century + first, century + first + BLOCK):
        body = f"{date}{individual:03d}"
        check = check_digits(body)
        if check is not None:
            return body + check
    raise ValueError(f"no number with check digits from {first} on that day")


def check_digits(body: str) -> str | None:
    """The two check digits of nine digits, or None where one would be 10 (modulus 11, today's rule)."""
    first = modulus_11(body, FIRST_WEIGHTS)
    if first == 10:
        return None
    second = modulus_11(f"{body}{first}", SECOND_WEIGHTS)
    return None if second == 10 else f"{first}{second}"


def modulus_11(body: str, weights: tuple[int, ...]) -> int:
    """The check value 0 … 10 that makes the weighted sum divisible by 11."""
    return -sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11


def organisation_number(seed: int, number: int) -> str:
    """A number with a valid check digit from the 3-series, which the register has not given out (it uses 8 and 9)."""
    for step in range(11):
        body = f"3{(shuffled(seed, number, 900_000) * 11 + step) % 10_000_000:07d}"
        check = modulus_11(body, ORGANISATION_WEIGHTS)
        if check != 10:
            return f"{body}{check}"
    raise ValueError("no organisation number with a check digit there")


def organisation_name(seed: int, number: int) -> str:
    """A made-up name of a firm or a society."""
    dice = chance(seed, "organisation", number)
    trade = dice.choice(TRADES)
    form = {"Båtforening": "", "Idrettslag": "", "Borettslag": " BRL"}.get(trade, " AS")
    return f"{dice.choice(FAMILY_NAMES)} {trade}{form}"


def mobile_number(seed: int, number: int) -> str:
    """Eight digits in ranges given out for mobiles; different numbers of one seed never share one."""
    head, tail = divmod(shuffled(seed, number, MOST_MOBILES), 1_000_000)
    return f"{MOBILE_RANGES[head]}{tail:06d}"


def street_address(dice: random.Random) -> Address:
    """A made-up address; the postal codes are those of the area, the house need not exist."""
    letter = dice.choice("ABCD") if dice.random() < 0.12 else ""
    postal_code, city = dice.choices(PLACES, PLACE_SHARES)[0]
    return Address(f"{dice.choice(STREETS)} {dice.randint(1, 140)}{letter}", postal_code, city)
