"""Reads one register row: a bad field leaves its old value, and a row that cannot be trusted is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import String

from app.core.account import OrganisationNumberInvalid, check_organisation_number
from app.core.contact import EmailInvalid, MobileInvalid, normalise_email, normalise_mobile
from app.core.national_id import NationalIdFault, NationalIdInvalid, NationalIdRules, check_national_id
from app.residents.models import AddressProtection, ContactKind, Resident, ResidentKind
from app.residents.register_file import ADDRESS

Reject = Callable[[str | None, str], None]
"""Notes a field (None: the whole row) that is not taken, with the reason."""

LANGUAGES = ("nb", "nn", "en")

_HOME = frozenset({"", "NO", "NOR", "NORGE", "NOREG", "NORWAY"})
_POSTAL_CODE = re.compile(r"[0-9]{4}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ORGANISATION_NUMBER = re.compile(r"(?:[0-9][ .\u00a0]?){9}")
_LENGTHS = {
    column.name: column.type.length
    for column in Resident.__table__.columns
    if isinstance(column.type, String) and column.type.length
}
_CONTACT_FIELDS = ((ContactKind.MOBILE, "mobile", normalise_mobile), (ContactKind.EMAIL, "email", normalise_email))
_ID_SENTENCES = {
    NationalIdFault.NOT_ELEVEN_DIGITS: "not eleven digits",
    NationalIdFault.BAD_DATE: "the first six digits are no date",
    NationalIdFault.BAD_CHECK_DIGIT: "wrong check digit",
    NationalIdFault.SYNTHETIC_NOT_ALLOWED: "a made-up national id, which this installation refuses",
    NationalIdFault.REAL_NOT_ALLOWED: "not a made-up national id: this installation refuses those of real people",
}


@dataclass(slots=True)
class RegisterRow:
    """One accepted row. What the file has no column for, or brought badly, is absent; its old value stays.

    ``columns`` are values of `Resident`; ``contacts`` the normalised values, None where the register has none.
    ``national_id`` counts only when ``has_national_id``; None then says that the register has none.
    """

    row: int
    customer_number: str
    columns: dict[str, Any] = field(default_factory=dict)
    contacts: dict[ContactKind, str | None] = field(default_factory=dict)
    has_national_id: bool = False
    national_id: str | None = field(default=None, repr=False)
    is_clean: bool = True

    @property
    def protection(self) -> AddressProtection | None:
        """The grading this row brings, or None where the file has no such column."""
        found: AddressProtection | None = self.columns.get("address_protection")
        return found


class RowRefused(Exception):
    """The whole row is not taken; carries the field and the reason, never a value."""

    def __init__(self, name: str | None, reason: str) -> None:
        super().__init__(reason)
        self.name, self.reason = name, reason


@dataclass(frozen=True, slots=True)
class RowReader:
    """The rules of one import."""

    rules: NationalIdRules
    default_language: str
    today: dt.date

    def read(self, row: int, texts: dict[str, str], reject: Reject) -> RegisterRow:
        """The values in *texts*; bad fields go to *reject*. Raises `RowRefused`."""
        found = RegisterRow(row, self._customer_number(texts["customer_number"]))

        def bad(name: str | None, reason: str) -> None:
            found.is_clean = False
            reject(name, reason)

        found.columns["name"] = _name(texts["name"])
        # A grading or a death that cannot be read must not leave a resident reachable who may not be.
        if "address_protection" in texts:
            found.columns["address_protection"] = _protection(texts["address_protection"])
        if "deceased_on" in texts:
            found.columns["deceased_on"] = self._deceased_on(texts["deceased_on"])
        self._read_choices(found, texts, bad)
        self._read_numbers(found, texts, bad)
        if found.protection in (None, AddressProtection.NONE):
            _read_address(found, texts, bad)
        for kind, name, normalise in _CONTACT_FIELDS:
            if name in texts:
                _read_contact(found, kind, name, normalise, texts[name], bad)
        return found

    def _customer_number(self, text: str) -> str:
        if not text:
            raise RowRefused("customer_number", "missing")
        if len(text) > _LENGTHS["customer_number"]:
            raise RowRefused("customer_number", f"longer than {_LENGTHS['customer_number']} characters")
        if len(text) >= 11 and _is_national_id(text, self.rules):
            # Customer numbers stand in files, logs and addresses, where a national id must never stand.
            raise RowRefused("customer_number", "a national id, which may not serve as a customer number")
        return text

    def _deceased_on(self, text: str) -> dt.date | None:
        if not text:
            return None
        try:
            day = dt.date.fromisoformat(text) if _DATE.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None:
            raise RowRefused("deceased_on", "not a date written as YYYY-MM-DD")
        if day > self.today:
            raise RowRefused("deceased_on", "a date in the future")
        return day

    def _read_choices(self, found: RegisterRow, texts: dict[str, str], bad: Reject) -> None:
        if "kind" in texts:
            try:
                found.columns["kind"] = ResidentKind(texts["kind"] or ResidentKind.PERSON)
            except ValueError:
                bad("kind", f"not one of {', '.join(ResidentKind)}")
        if "language" in texts:
            language = texts["language"] or self.default_language
            if language in LANGUAGES:
                found.columns["language"] = language
            else:
                bad("language", f"not one of {', '.join(LANGUAGES)}")

    def _read_numbers(self, found: RegisterRow, texts: dict[str, str], bad: Reject) -> None:
        if "national_id" not in texts:
            return
        text = texts["national_id"]
        may_be_organisation = found.columns.get("kind") is not ResidentKind.PERSON
        try:
            if may_be_organisation and _ORGANISATION_NUMBER.fullmatch(text):
                found.columns["organisation_number"] = check_organisation_number(text)
            else:
                found.national_id = check_national_id(text, self.rules) if text else None
                found.columns["organisation_number"] = None
            found.has_national_id = True
        except OrganisationNumberInvalid:
            bad("national_id", "an organisation number with a wrong check digit")
        except NationalIdInvalid as error:
            bad("national_id", _ID_SENTENCES[error.reason])


def _is_national_id(text: str, rules: NationalIdRules) -> bool:
    try:
        check_national_id(text, rules)
    except NationalIdInvalid as error:
        return error.reason in (NationalIdFault.SYNTHETIC_NOT_ALLOWED, NationalIdFault.REAL_NOT_ALLOWED)
    return True


def _name(text: str) -> str:
    if not text:
        raise RowRefused("name", "missing")
    if len(text) > _LENGTHS["name"]:
        raise RowRefused("name", f"longer than {_LENGTHS['name']} characters")
    return text


def _protection(text: str) -> AddressProtection:
    try:
        return AddressProtection(text or AddressProtection.NONE)
    except ValueError:
        raise RowRefused("address_protection", f"not one of {', '.join(AddressProtection)}") from None


def _read_address(found: RegisterRow, texts: dict[str, str], bad: Reject) -> None:
    """An address is taken whole or not at all: the new street with the old place would be nobody's address."""
    address = {name: texts[name] for name in ADDRESS if name in texts}
    faults = {
        name: f"longer than {_LENGTHS[name]} characters" for name in address if len(address[name]) > _LENGTHS[name]
    }
    postal_code = address.get("postal_code", "")
    if postal_code and texts.get("country", "").upper() in _HOME and _POSTAL_CODE.fullmatch(postal_code) is None:
        faults["postal_code"] = "not four digits, as Norwegian postal codes are"
    for name, reason in faults.items():
        bad(name, reason)
    if not faults:
        found.columns |= address


def _read_contact(
    found: RegisterRow, kind: ContactKind, name: str, normalise: Callable[[str], str], text: str, bad: Reject
) -> None:
    try:
        found.contacts[kind] = normalise(text) if text else None
    except (MobileInvalid, EmailInvalid) as error:
        bad(name, error.reason.value.replace("_", " "))
