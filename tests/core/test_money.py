"""Money: whole øre in, the same øre out, and nothing rounded on the way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import LARGEST_ORE, AmountFault, AmountInvalid, format_ore, kroner, parse_ore

AMOUNTS = st.integers(-LARGEST_ORE, LARGEST_ORE)


@given(AMOUNTS)
def test_ore_to_kroner_and_back_loses_nothing(amount_ore: int) -> None:
    assert parse_ore(kroner(amount_ore)) == amount_ore
    assert parse_ore(f"{kroner(amount_ore)}") == amount_ore


@pytest.mark.parametrize(
    ("text", "amount_ore"),
    [("1543.34", 154334), ("1543,34", 154334), ("12.5", 1250), ("-0.01", -1), ("+7", 700), (" 0 ", 0), ("0.29", 29)],
)
def test_kroner_are_read_exactly(text: str, amount_ore: int) -> None:
    assert parse_ore(text) == amount_ore


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1.543", AmountFault.TOO_MANY_DECIMALS),
        ("10.500", AmountFault.TOO_MANY_DECIMALS),
        (Decimal("0.001"), AmountFault.TOO_MANY_DECIMALS),
        ("", AmountFault.NOT_AN_AMOUNT),
        ("1 543,34", AmountFault.NOT_AN_AMOUNT),
        ("1,543.34", AmountFault.NOT_AN_AMOUNT),
        (".50", AmountFault.NOT_AN_AMOUNT),
        ("5.", AmountFault.NOT_AN_AMOUNT),
        ("1e3", AmountFault.NOT_AN_AMOUNT),
        ("NaN", AmountFault.NOT_AN_AMOUNT),
        ("١٢", AmountFault.NOT_AN_AMOUNT),
        (Decimal("NaN"), AmountFault.NOT_AN_AMOUNT),
        (Decimal("-Infinity"), AmountFault.NOT_AN_AMOUNT),
        (Decimal("1E+999999"), AmountFault.TOO_LARGE),
        ("1000000000000000.00", AmountFault.TOO_LARGE),
        ("9" * 30, AmountFault.NOT_AN_AMOUNT),
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(value: str | Decimal, reason: AmountFault) -> None:
    with pytest.raises(AmountInvalid) as caught:
        parse_ore(value)
    assert caught.value.reason == reason


def test_a_whole_number_with_an_exponent_is_exact() -> None:
    assert parse_ore(Decimal("1E+2")) == 10000


def test_kroner_always_have_two_decimals() -> None:
    assert str(kroner(100)) == "1.00"


@pytest.mark.parametrize(
    ("amount_ore", "locale", "text"),
    [
        (154334, "nb", "1\u00a0543,34"),
        (154334, "nn", "1\u00a0543,34"),
        (154334, "en", "1,543.34"),
        (5, "nb", "0,05"),
        (-123456700, "nb", "-1\u00a0234\u00a0567,00"),
    ],
)
def test_amounts_are_written_as_the_language_does(amount_ore: int, locale: str, text: str) -> None:
    assert format_ore(amount_ore, locale) == text
