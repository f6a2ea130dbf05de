"""One register row: which fields are refused alone, which refuse the row, and what an empty field means."""

from __future__ import annotations

import datetime as dt

import pytest

from app.core.national_id import NationalIdRules
from app.residents.models import AddressProtection, ContactKind, ResidentKind
from app.residents.register_file import ADDRESS
from app.residents.register_row import RegisterRow, RowReader, RowRefused
from tests.residents.conftest import person_id

TODAY = dt.date(2026, 11, 24)
READER = RowReader(NationalIdRules.on(TODAY, synthetic="required"), "nn", TODAY)
PRODUCTION = RowReader(NationalIdRules.on(TODAY, synthetic="refused"), "nn", TODAY)
LATER = RowReader(NationalIdRules.on(TODAY, synthetic="required", accepts_2032_rule_early=True), "nn", TODAY)
ORGANISATION_NUMBER = "946485764"


def read(reader: RowReader = READER, **texts: str) -> tuple[RegisterRow, dict[str | None, str]]:
    """The row of *texts*, and what was rejected in it."""
    rejected: dict[str | None, str] = {}
    row = reader.read(2, {"customer_number": "1", "name": "Kari Berg", **texts}, rejected.__setitem__)
    assert row.is_clean == (not rejected)
    return row, rejected


def test_a_full_row_is_taken_in_its_normal_form() -> None:
    row, rejected = read(
        kind="person",
        national_id=f"{person_id(1)[:6]} {person_id(1)[6:]}",
        mobile="0047 900 12 345",
        email="Kari@EXAMPLE.com",
        language="en",
        address_protection="none",
        deceased_on="2026-01-31",
        postal_code="4100",
    )
    assert rejected == {}
    assert row.national_id == person_id(1)
    assert row.contacts == {ContactKind.MOBILE: "+4790012345", ContactKind.EMAIL: "Kari@example.com"}
    assert row.columns == {
        "name": "Kari Berg",
        "kind": ResidentKind.PERSON,
        "organisation_number": None,
        "language": "en",
        "address_protection": AddressProtection.NONE,
        "deceased_on": dt.date(2026, 1, 31),
        "postal_code": "4100",
    }


def test_a_column_the_file_does_not_have_says_nothing() -> None:
    row, _ = read()
    assert (row.columns, row.contacts, row.has_national_id) == ({"name": "Kari Berg"}, {}, False)


def test_an_empty_field_says_that_the_register_has_none() -> None:
    row, rejected = read(national_id="", mobile="", email="", language="", deceased_on="", city="")
    assert rejected == {}
    assert row.contacts == {ContactKind.MOBILE: None, ContactKind.EMAIL: None}
    assert row.has_national_id
    assert row.national_id is None
    assert row.columns["language"] == "nn"
    assert row.columns["deceased_on"] is None
    assert row.columns["city"] == ""


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("kind", "firma", "not one of person, organisation"),
        ("national_id", "2486364407O", "not eleven digits"),
        ("national_id", "99999999999", "the first six digits are no date"),
        ("national_id", "24863644078", "wrong check digit"),
        ("national_id", "30108299939", "not a made-up national id: this installation refuses those of real people"),
        ("mobile", "9O1 23 456", "not a number"),
        ("mobile", "51 74 00 12", "landline"),
        ("mobile", "1234", "wrong length"),
        ("email", "kari@@example.com", "malformed"),
        ("email", f"{'k' * 300}@example.com", "malformed"),
        ("language", "se", "not one of nb, nn, en"),
        ("postal_code", "41O0", "not four digits, as Norwegian postal codes are"),
        ("city", "x" * 81, "longer than 80 characters"),
    ],
)
def test_a_bad_field_is_rejected_alone(name: str, text: str, reason: str) -> None:
    row, rejected = read(LATER, **{name: text})
    assert rejected == {name: reason}
    assert name not in row.columns
    assert row.contacts == {}
    assert not row.has_national_id


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("customer_number", "", "missing"),
        ("customer_number", "1" * 41, "longer than 40 characters"),
        ("name", "", "missing"),
        ("name", "x" * 201, "longer than 200 characters"),
        ("address_protection", "hemmelig", "not one of none, confidential, strictly_confidential"),
        ("deceased_on", "2026-02-30", "not a date written as YYYY-MM-DD"),
        ("deceased_on", "31.01.2026", "not a date written as YYYY-MM-DD"),
        ("deceased_on", "20260131", "not a date written as YYYY-MM-DD"),
        ("deceased_on", "2026-11-25", "a date in the future"),
    ],
)
def test_a_row_that_cannot_be_trusted_is_refused(name: str, text: str, reason: str) -> None:
    with pytest.raises(RowRefused) as caught:
        read(READER, **{name: text})
    assert (caught.value.name, caught.value.reason) == (name, reason)


@pytest.mark.parametrize("reader", [READER, PRODUCTION])
@pytest.mark.parametrize("number", ["24863644077", "02013299997"])
def test_a_national_id_may_not_serve_as_customer_number(reader: RowReader, number: str) -> None:
    with pytest.raises(RowRefused, match="may not serve as a customer number"):
        read(reader, customer_number=number)


def test_eleven_digits_that_are_no_national_id_may_be_a_customer_number() -> None:
    assert read(customer_number="10000123456")[0].customer_number == "10000123456"


def test_a_made_up_national_id_is_refused_in_production() -> None:
    _, rejected = read(PRODUCTION, national_id=person_id(1))
    assert rejected == {"national_id": "a made-up national id, which this installation refuses"}


def test_an_organisation_brings_its_organisation_number_in_the_same_column() -> None:
    row, rejected = read(kind="organisation", national_id="946 485 764")
    assert rejected == {}
    assert row.columns["organisation_number"] == ORGANISATION_NUMBER
    assert row.has_national_id
    assert row.national_id is None


def test_an_organisation_number_must_check_and_is_none_of_a_persons() -> None:
    wrong = read(kind="organisation", national_id="946485765")[1]
    assert wrong == {"national_id": "an organisation number with a wrong check digit"}
    assert read(kind="person", national_id=ORGANISATION_NUMBER)[1] == {"national_id": "not eleven digits"}


def test_an_organisation_may_have_a_national_id() -> None:
    row, _ = read(kind="organisation", national_id=person_id(1))
    assert row.national_id == person_id(1)


def test_an_address_is_taken_whole_or_not_at_all() -> None:
    row, rejected = read(address_line_1="Torget 1", postal_code="4l00", city="Jørpeland")
    assert list(rejected) == ["postal_code"]
    assert not set(ADDRESS) & set(row.columns)


@pytest.mark.parametrize(
    ("postal_code", "country"), [("113 59", "SE"), ("80-827", "PL"), ("SW1A 1AA", "Storbritannia")]
)
def test_postal_codes_of_other_countries_are_taken_as_they_are(postal_code: str, country: str) -> None:
    row, rejected = read(postal_code=postal_code, country=country)
    assert rejected == {}
    assert row.columns["postal_code"] == postal_code


@pytest.mark.parametrize("protection", ["confidential", "strictly_confidential"])
def test_the_address_of_a_protected_resident_is_not_even_read(protection: str) -> None:
    row, rejected = read(address_protection=protection, address_line_1="Torget 1", postal_code="x", city="Tau")
    assert rejected == {}
    assert not set(ADDRESS) & set(row.columns)


def test_a_row_does_not_show_its_national_id() -> None:
    row, _ = read(national_id=person_id(1))
    assert person_id(1) not in repr(row)
