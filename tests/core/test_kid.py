"""KID: check digits against the specification's examples and real references, and the part that names the customer."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import luhn

from app.core.kid import KidFault, KidInvalid, KidPositions, check_kid, fixed_part, mod10_digit, mod11_digit

BODIES = st.text("0123456789", min_size=3, max_size=24)

# References from public AvtaleGiro files: mandates, claims and payments.
MOD10_KIDS = (
    "000112000507155",
    "001006300507304",
    "001020200507462",
    "001026300507518",
    "001044400507783",
    "001045000507792",
    "001057800507922",
    "001060300509570",
    "001087600508176",
    "001105600508416",
    "001123000508621",
    "001124000508637",
    "001138900509107",
    "001143700509281",
    "001146800509317",
    "001186100509492",
    "008000011688373",
    "008000021688389",
    "008000031688395",
    "008000041688401",
    "008000051688416",
    "008000061688422",
    "133700501645",
    "02311291029238",
    "02311291034832",
)

# From a public OCR giro file; each checks by mod11 and not by mod10.
MOD11_KIDS = (
    "0000531",
    "0036633",
    "0048763",
    "0063851",
    "0120243",
    "0165867",
    "0178357",
    "000149012",
    "01211291038306",
    "02111291038305",
    "02212291038306",
    "02310291038308",
)


def fault(text: str) -> KidFault:
    with pytest.raises(KidInvalid) as caught:
        check_kid(text)
    return caught.value.reason


def test_the_examples_of_the_specification() -> None:
    assert mod10_digit("12345678") == "2"
    assert mod11_digit("12345678") == "5"


@pytest.mark.parametrize("kid", MOD10_KIDS)
def test_references_of_real_files_pass_by_mod10(kid: str) -> None:
    assert check_kid(kid) == kid
    assert mod10_digit(kid[:-1]) == kid[-1]


@pytest.mark.parametrize("kid", MOD11_KIDS)
def test_references_of_real_files_pass_by_mod11(kid: str) -> None:
    assert check_kid(kid) == kid
    assert mod11_digit(kid[:-1]) == kid[-1] != mod10_digit(kid[:-1])


@given(BODIES)
def test_mod10_agrees_with_a_second_opinion(body: str) -> None:
    assert mod10_digit(body) == luhn.calc_check_digit(body)


@given(BODIES)
def test_a_body_with_either_check_digit_passes_and_with_any_other_does_not(body: str) -> None:
    right = {mod10_digit(body), mod11_digit(body)}
    for check in "0123456789-":
        if check in right:
            assert check_kid(body + check) == body + check
        else:
            assert fault(body + check) == KidFault.BAD_CHECK_DIGIT


@given(BODIES, st.data(), st.integers(1, 9))
def test_each_method_finds_every_single_wrong_digit(body: str, data: st.DataObject, step: int) -> None:
    position = data.draw(st.integers(0, len(body) - 1))
    wrong = body[:position] + str((int(body[position]) + step) % 10) + body[position + 1 :]
    assert mod10_digit(wrong) != mod10_digit(body)
    assert mod11_digit(wrong) != mod11_digit(body)


@given(BODIES, st.data())
def test_mod11_finds_every_swap_of_neighbours(body: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(body) - 2))
    swapped = body[:position] + body[position + 1] + body[position] + body[position + 2 :]
    assume(swapped != body)
    assert mod11_digit(swapped) != mod11_digit(body)


def test_a_dash_is_a_check_character_of_mod11_only() -> None:
    body = next(str(number) for number in range(1000, 2000) if mod11_digit(str(number)) == "-")
    assert check_kid(f"{body}-") == f"{body}-"
    other = next(str(number) for number in range(1000, 2000) if mod11_digit(str(number)) == "3")
    assert fault(f"{other}-") == KidFault.BAD_CHECK_DIGIT
    assert fault(f"{body[:2]}-{body[2:]}2") == KidFault.NOT_DIGITS


@pytest.mark.parametrize("text", ["", "   ", "125", "0" * 26])
def test_lengths_outside_4_to_25_are_refused(text: str) -> None:
    assert fault(text) == KidFault.WRONG_LENGTH


@pytest.mark.parametrize("text", ["1234 56782", "12345a782", "١٢٣٤٥٦٧٨٢", "+123456782"])
def test_anything_but_digits_is_refused(text: str) -> None:
    assert fault(text) == KidFault.NOT_DIGITS


def test_the_wrong_reference_of_the_public_invoice_samples_is_found() -> None:
    assert fault("0003434323213231") == KidFault.BAD_CHECK_DIGIT


def test_leading_zeros_are_kept_and_surrounding_blanks_are_not() -> None:
    assert check_kid("  000112000507155 ") == "000112000507155"


def test_positions_read_as_written() -> None:
    assert KidPositions.parse(" 1-9 ") == KidPositions(1, 9)
    assert KidPositions.parse("") is None


@pytest.mark.parametrize("text", ["9", "0-9", "9-1", "1-26", "a-b", "1-9-3", "-1-9"])
def test_impossible_positions_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="KID positions"):
        KidPositions.parse(text)


def test_the_fixed_part_is_the_named_positions_or_all() -> None:
    assert fixed_part("008000011688373", KidPositions(1, 8)) == "00800001"
    assert fixed_part("008000011688373", KidPositions(3, 5)) == "800"
    assert fixed_part("008000011688373", None) == "008000011688373"


def test_a_short_kid_is_no_piece_of_another_customers_longer_one() -> None:
    positions = KidPositions(3, 9)
    assert fixed_part("991234567", positions) == "1234567"
    assert fixed_part("1234567", positions) == "  1234567"


@given(
    st.text("0123456789", min_size=4, max_size=25),
    st.text("0123456789", min_size=4, max_size=25),
    st.integers(1, 25),
    st.integers(1, 25),
)
def test_a_kid_too_short_for_the_positions_matches_only_itself(one: str, two: str, first: int, last: int) -> None:
    assume(first <= last and len(one) < last and one != two)
    positions = KidPositions(first, last)
    assert fixed_part(one, positions) == fixed_part(one, positions)
    assert fixed_part(one, positions) != fixed_part(two, positions)
