"""Brings mobile numbers and e-mail addresses to one written form, and hides most of them for display."""

from __future__ import annotations

from enum import StrEnum

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

# RFC 5321 allows 254; anything far longer is refused before the validator spends time on it.
_LONGEST_EMAIL = 320
_LONGEST_MOBILE = 40
_OWN_COUNTRY_CODE, _OWN_DIGITS = "+47", 8
# Some countries (USA, Canada) do not tell mobile from fixed by the number.
_MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


class MobileFault(StrEnum):
    """Why a text is not a mobile number."""

    NOT_A_NUMBER = "not_a_number"
    WRONG_LENGTH = "wrong_length"
    UNKNOWN_RANGE = "unknown_range"
    LANDLINE = "landline"
    NOT_MOBILE = "not_mobile"


class MobileInvalid(ValueError):
    """A refused mobile number; carries the fault and never the number."""

    def __init__(self, reason: MobileFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


class EmailFault(StrEnum):
    """Why a text is not an e-mail address that we can send to."""

    MALFORMED = "malformed"
    NOT_ASCII = "not_ascii"


class EmailInvalid(ValueError):
    """A refused e-mail address; carries the fault and never the address."""

    def __init__(self, reason: EmailFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


def normalise_mobile(text: str, default_region: str = "NO") -> str:
    """*text* as E.164 (``+4790012345``); a number without country code is read as *default_region*'s.

    Must lie in a range that its country gives to mobiles. Raises `MobileInvalid`.
    """
    # The library reads letters as the keys of an old telephone, and cuts a tail "ext. 5" off.
    if len(text) > _LONGEST_MOBILE or any(character.isalpha() for character in text):
        raise MobileInvalid(MobileFault.NOT_A_NUMBER)
    try:
        number = phonenumbers.parse(text, default_region)
    except NumberParseException:
        raise MobileInvalid(MobileFault.NOT_A_NUMBER) from None
    if number.extension is not None:
        raise MobileInvalid(MobileFault.NOT_A_NUMBER)
    if not phonenumbers.is_possible_number(number):
        raise MobileInvalid(MobileFault.WRONG_LENGTH)
    kind = phonenumbers.number_type(number)
    if kind not in _MOBILE_TYPES:
        raise MobileInvalid(_fault_of_kind(kind))
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def normalise_email(text: str) -> str:
    """*text* as an address in ASCII: domain in lower case and, when international, in its ``xn--`` form.

    That is the form mail servers answer with, so bounces find their address. Nothing is looked up in DNS.
    A local part beyond ASCII is refused as `EmailFault.NOT_ASCII`: Flask-Mail cannot send to it.
    Raises `EmailInvalid`.
    """
    address = text.strip()
    if len(address) > _LONGEST_EMAIL:
        raise EmailInvalid(EmailFault.MALFORMED)
    if not address.rpartition("@")[0].isascii():
        raise EmailInvalid(EmailFault.NOT_ASCII)
    try:
        valid = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise EmailInvalid(EmailFault.MALFORMED) from None
    if valid.ascii_email is None:
        raise EmailInvalid(EmailFault.NOT_ASCII)
    return valid.ascii_email


def pretty_mobile(number: str) -> str:
    """The E.164 *number* as people write it: ``987 65 432``, a foreign one with ``+`` and its country code."""
    own = number.removeprefix(_OWN_COUNTRY_CODE)
    if own != number and len(own) == _OWN_DIGITS:
        return f"{own[:3]} {own[3:5]} {own[5:]}"
    return phonenumbers.format_number(phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL)


def mask_email(address: str) -> str:
    """``kari@example.com`` as ``k***@example.com``: enough for its owner to know it again."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def mask_mobile(number: str) -> str:
    """``+4790012345`` as ``+47 *** ** 345``; anything that is no E.164 number becomes ``***``."""
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:
        return "***"
    return f"+{parsed.country_code} *** ** {number[-3:]}"


def _fault_of_kind(kind: int) -> MobileFault:
    if kind == PhoneNumberType.FIXED_LINE:
        return MobileFault.LANDLINE
    if kind == PhoneNumberType.UNKNOWN:
        return MobileFault.UNKNOWN_RANGE
    return MobileFault.NOT_MOBILE
