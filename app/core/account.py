"""Checks Norwegian bank account numbers and organisation numbers."""

from __future__ import annotations

import re
from enum import StrEnum

from stdnum import iban
from stdnum.exceptions import ValidationError
from stdnum.no import kontonr, orgnr

_SEPARATORS = re.compile(r"[ .\u00a0]")
_ACCOUNT = re.compile(r"[0-9]{11}")
_ORGANISATION = re.compile(r"[0-9]{9}")


class AccountFault(StrEnum):
    """Why a text is not a Norwegian account number."""

    NOT_ELEVEN_DIGITS = "not_eleven_digits"
    BAD_CHECK_DIGIT = "bad_check_digit"
    NOT_NORWEGIAN = "not_norwegian"


class AccountInvalid(ValueError):
    """A refused account number, with its fault."""

    def __init__(self, reason: AccountFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


class OrganisationNumberFault(StrEnum):
    """Why a text is not an organisation number."""

    NOT_NINE_DIGITS = "not_nine_digits"
    BAD_CHECK_DIGIT = "bad_check_digit"


class OrganisationNumberInvalid(ValueError):
    """A refused organisation number, with its fault."""

    def __init__(self, reason: OrganisationNumberFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


def check_account(text: str) -> str:
    """The eleven digits of a Norwegian account, from ``8601.11.17947`` or its IBAN ``NO93 8601 1117 947``.

    An IBAN must pass its own check and hold an account that passes mod11. Raises `AccountInvalid`.
    """
    compact = _SEPARATORS.sub("", text).upper()
    if compact[:2].isalpha():
        compact = _account_of_iban(compact)
    if _ACCOUNT.fullmatch(compact) is None:
        raise AccountInvalid(AccountFault.NOT_ELEVEN_DIGITS)
    if not kontonr.is_valid(compact):
        raise AccountInvalid(AccountFault.BAD_CHECK_DIGIT)
    return compact


def check_organisation_number(text: str) -> str:
    """The nine digits of an organisation number, blanks inside allowed. Raises `OrganisationNumberInvalid`."""
    compact = _SEPARATORS.sub("", text)
    if _ORGANISATION.fullmatch(compact) is None:
        raise OrganisationNumberInvalid(OrganisationNumberFault.NOT_NINE_DIGITS)
    if not orgnr.is_valid(compact):
        raise OrganisationNumberInvalid(OrganisationNumberFault.BAD_CHECK_DIGIT)
    return compact


def _account_of_iban(compact: str) -> str:
    if not compact.startswith("NO"):
        raise AccountInvalid(AccountFault.NOT_NORWEGIAN)
    if _ACCOUNT.fullmatch(compact[4:]) is None:
        raise AccountInvalid(AccountFault.NOT_ELEVEN_DIGITS)
    try:
        iban.validate(compact, check_country=False)
    except ValidationError:
        raise AccountInvalid(AccountFault.BAD_CHECK_DIGIT) from None
    return compact[4:]
