"""National ids: both first-digit rules, D-numbers, synthetic numbers by policy, and no number in any error."""

from __future__ import annotations

import datetime as dt
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.no import fodselsnummer

from app.core.national_id import (
    SYNTHETIC_OFFSETS,
    NationalIdFault,
    NationalIdInvalid,
    NationalIdRules,
    check_national_id,
)

PRODUCTION = NationalIdRules("refused", frozenset(), accepts_2032_rule=False)
PRODUCTION_2032 = NationalIdRules("refused", frozenset(), accepts_2032_rule=True)
TEST = NationalIdRules("required", frozenset({80}), accepts_2032_rule=False)
TEST_ALL = NationalIdRules("required", SYNTHETIC_OFFSETS, accepts_2032_rule=False)


def number_for(date_digits: str, individual: int, remainder: int = 0) -> str | None:
    """A number with right check digits and the given first remainder, or None when a digit would be 10."""
    body = f"{date_digits}{individual:03d}"
    first = -sum(w * int(d) for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2), body, strict=True)) + remainder
    if first % 11 == 10:
        return None
    body += str(first % 11)
    second = -sum(w * int(d) for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), body, strict=True))
    return None if second % 11 == 10 else body + str(second % 11)


@st.composite
def numbers(draw: st.DrawFn, month_offset: int = 0, remainder: int = 0) -> str:
    day = draw(st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)))
    day_offset = draw(st.sampled_from((0, 40)))
    digits = f"{day.day + day_offset:02d}{day.month + month_offset:02d}{day.year % 100:02d}"
    individuals = st.integers(0, 999).map(lambda individual: number_for(digits, individual, remainder))
    return draw(individuals.filter(lambda number: number is not None).map(str))


def fault(text: str, rules: NationalIdRules) -> NationalIdFault:
    with pytest.raises(NationalIdInvalid) as caught:
        check_national_id(text, rules)
    return caught.value.reason


@pytest.mark.parametrize("number", ["02013299997", "02013299806", "30108299920"])
def test_official_examples_with_remainder_0_pass_today_and_after_2032(number: str) -> None:
    assert check_national_id(number, PRODUCTION) == number
    assert check_national_id(number, PRODUCTION_2032) == number


@pytest.mark.parametrize("number", ["02013299903", "30108299939"])
def test_official_examples_with_other_remainders_pass_only_by_the_rule_of_2032(number: str) -> None:
    assert fault(number, PRODUCTION) == NationalIdFault.BAD_CHECK_DIGIT
    assert check_national_id(number, PRODUCTION_2032) == number


@pytest.mark.parametrize("number", ["47906701517", "06819774798"])
def test_the_test_persons_of_the_log_in_service_pass_only_outside_production(number: str) -> None:
    assert check_national_id(number, TEST) == number
    assert fault(number, PRODUCTION) == NationalIdFault.SYNTHETIC_NOT_ALLOWED


@given(numbers())
def test_real_numbers_pass_in_production_and_are_refused_elsewhere(number: str) -> None:
    assert check_national_id(number, PRODUCTION) == number
    assert fault(number, TEST_ALL) == NationalIdFault.REAL_NOT_ALLOWED


@pytest.mark.parametrize("offset", sorted(SYNTHETIC_OFFSETS))
def test_each_synthetic_kind_passes_only_where_it_is_named(offset: int) -> None:
    number = next(found for index in range(20) if (found := number_for(f"05{6 + offset:02d}90", index)))
    assert check_national_id(number, TEST_ALL) == number
    assert check_national_id(number, NationalIdRules("required", frozenset({offset}), False)) == number
    others = NationalIdRules("required", SYNTHETIC_OFFSETS - {offset}, False)
    assert fault(number, others) == NationalIdFault.SYNTHETIC_NOT_ALLOWED
    assert fault(number, PRODUCTION) == NationalIdFault.SYNTHETIC_NOT_ALLOWED


@given(st.data(), st.integers(0, 3))
def test_remainders_up_to_3_pass_by_the_rule_of_2032(data: st.DataObject, remainder: int) -> None:
    number = data.draw(numbers(remainder=remainder))
    assert check_national_id(number, PRODUCTION_2032) == number


@given(numbers(remainder=4), st.sampled_from((PRODUCTION, PRODUCTION_2032)))
def test_a_remainder_beyond_3_is_refused_by_both_rules(number: str, rules: NationalIdRules) -> None:
    assert fault(number, rules) == NationalIdFault.BAD_CHECK_DIGIT


@given(numbers(), st.integers(0, 10), st.integers(1, 9))
def test_every_single_wrong_digit_is_found_today(number: str, position: int, step: int) -> None:
    wrong = number[:position] + str((int(number[position]) + step) % 10) + number[position + 1 :]
    with pytest.raises(NationalIdInvalid):
        check_national_id(wrong, PRODUCTION)


@given(numbers())
def test_a_second_opinion_finds_the_same_check_digits(number: str) -> None:
    assert fodselsnummer.calc_check_digit1(number) + fodselsnummer.calc_check_digit2(number) == number[-2:]


@pytest.mark.parametrize("text", ["020132 99997", " 02013299997 ", "020132\u00a099997"])
def test_the_written_form_with_a_space_is_brought_to_eleven_digits(text: str) -> None:
    assert check_national_id(text, PRODUCTION) == "02013299997"


@pytest.mark.parametrize(
    "text", ["", "0201329999", "020132999970", "0201-3299997", "02013 299997", "٠٢٠١٣٢٩٩٩٩٧", "02013299997\n1"]
)
def test_anything_but_eleven_ascii_digits_is_refused(text: str) -> None:
    assert fault(text, PRODUCTION) == NationalIdFault.NOT_ELEVEN_DIGITS


@pytest.mark.parametrize("digits", ["000199", "320199", "310499", "290299", "010099", "011399", "720199", "810199"])
def test_a_day_that_no_calendar_has_is_refused(digits: str) -> None:
    number = next(found for index in range(20) if (found := number_for(digits, index)))
    assert fault(number, PRODUCTION) == NationalIdFault.BAD_DATE


def test_29_february_needs_a_leap_year() -> None:
    number = next(found for index in range(20) if (found := number_for("290204", index)))
    assert check_national_id(number, PRODUCTION) == number


@pytest.mark.parametrize("text", ["02013299998", "31029912345", "1234"])
def test_neither_the_error_nor_its_trace_holds_the_number(text: str) -> None:
    with pytest.raises(NationalIdInvalid) as caught:
        check_national_id(text, PRODUCTION)
    assert text not in "".join(traceback.format_exception(caught.value)).replace(str(__file__), "")
    assert text not in repr(caught.value)


def test_the_rule_of_2032_comes_by_itself_or_by_setting() -> None:
    def accepts(day: dt.date, early: bool = False) -> bool:
        return NationalIdRules.on(day, synthetic="refused", accepts_2032_rule_early=early).accepts_2032_rule

    assert not accepts(dt.date(2031, 12, 31))
    assert accepts(dt.date(2032, 1, 1))
    assert accepts(dt.date(2026, 1, 1), early=True)
