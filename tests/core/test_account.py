"""Account and organisation numbers: one written form, and a fault for each way to be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban

from app.core.account import (
    AccountFault,
    AccountInvalid,
    OrganisationNumberFault,
    OrganisationNumberInvalid,
    check_account,
    check_organisation_number,
)

WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def with_check_digit(body: str) -> str | None:
    digit = -sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True)) % 11
    return None if digit == 10 else f"{body}{digit}"


ACCOUNTS = (
    st.text("0123456789", min_size=10, max_size=10)
    .map(with_check_digit)
    .filter(lambda account: account is not None)
    .map(str)
)


@given(ACCOUNTS)
def test_an_account_and_its_iban_give_the_same_eleven_digits(account: str) -> None:
    international = f"NO{iban.calc_check_digits('NO00' + account)}{account}"
    assert check_account(account) == check_account(international) == account


@pytest.mark.parametrize("text", ["8601.11.17947", "8601 11 17947", "NO93 8601 1117 947", " no9386011117947 "])
def test_every_usual_way_of_writing_is_read(text: str) -> None:
    assert check_account(text) == "86011117947"


@given(ACCOUNTS, st.integers(0, 10), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(account: str, position: int, step: int) -> None:
    wrong = account[:position] + str((int(account[position]) + step) % 10) + account[position + 1 :]
    with pytest.raises(AccountInvalid) as caught:
        check_account(wrong)
    assert caught.value.reason == AccountFault.BAD_CHECK_DIGIT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", AccountFault.NOT_ELEVEN_DIGITS),
        ("8601111", AccountFault.NOT_ELEVEN_DIGITS),
        ("8601-11-17947", AccountFault.NOT_ELEVEN_DIGITS),
        ("NO93860111179470", AccountFault.NOT_ELEVEN_DIGITS),
        ("NO94 8601 1117 947", AccountFault.BAD_CHECK_DIGIT),
        ("NO2386011117948", AccountFault.BAD_CHECK_DIGIT),
        ("SE45 5000 0000 0583 9825 7466", AccountFault.NOT_NORWEGIAN),
    ],
)
def test_each_fault_has_its_own_reason(text: str, reason: AccountFault) -> None:
    with pytest.raises(AccountInvalid) as caught:
        check_account(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize("text", ["991825827", "991 825 827"])
def test_an_organisation_number_comes_as_nine_digits(text: str) -> None:
    assert check_organisation_number(text) == "991825827"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("991825828", OrganisationNumberFault.BAD_CHECK_DIGIT),
        ("99182582", OrganisationNumberFault.NOT_NINE_DIGITS),
        ("NO991825827MVA", OrganisationNumberFault.NOT_NINE_DIGITS),
    ],
)
def test_a_wrong_organisation_number_is_refused(text: str, reason: OrganisationNumberFault) -> None:
    with pytest.raises(OrganisationNumberInvalid) as caught:
        check_organisation_number(text)
    assert caught.value.reason == reason
