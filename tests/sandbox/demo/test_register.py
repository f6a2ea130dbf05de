"""The register file: good rows that pass the product's checkers, and one bad row of each kind."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from app.core.account import check_organisation_number
from app.core.contact import EmailInvalid, MobileInvalid, normalise_email, normalise_mobile
from app.core.national_id import NationalIdInvalid, NationalIdRules, check_national_id
from app.sandbox.registry import load_world
from tests.sandbox.demo.conftest import Made

RULES = NationalIdRules.on(dt.date(2026, 11, 24), synthetic="required")
RESERVED = ("@example.com", "@example.org", "@example.net")


def test_the_columns_are_those_of_the_register_format(made: Made) -> None:
    header = (made.root / "residents.csv").read_text("utf-8").splitlines()[0]
    assert header == (
        "customer_number;kind;national_id;name;address_line_1;address_line_2;postal_code;city;country;mobile;email;"
        "language;address_protection;deceased_on"
    )


def test_good_rows_have_numbers_that_check(made: Made) -> None:
    rows = made.good_rows()
    for row in rows:
        if row["kind"] == "organisation":
            assert check_organisation_number(row["national_id"])
        elif row["national_id"]:
            assert check_national_id(row["national_id"], RULES)
    assert len({row["customer_number"] for row in rows}) == len(rows)
    assert any(not row["national_id"] for row in rows)


def test_no_mail_can_reach_anybody(made: Made) -> None:
    addresses = [row["email"] for row in made.good_rows() if row["email"]]
    good = [normalise_email(address) for address in addresses if not is_bad_email(address)]
    assert all(address.endswith(RESERVED) for address in good)
    assert 0 < len(addresses) - len(good) < 20
    krr = [person["krr"]["email"] for person in made.people() if person["krr"]["email"]]
    assert all(address.endswith(RESERVED) for address in krr)


def is_bad_email(address: str) -> bool:
    """Whether the product would turn the address away."""
    try:
        normalise_email(address)
    except EmailInvalid:
        return True
    return False


def is_bad_mobile(number: str) -> bool:
    """Whether the product would turn the number away."""
    try:
        normalise_mobile(number)
    except MobileInvalid:
        return True
    return False


def test_mobiles_are_written_in_every_way_and_a_few_are_none(made: Made) -> None:
    numbers = [row["mobile"] for row in made.good_rows() if row["mobile"]]
    assert {number[:3] for number in numbers} >= {"+47", "004"}
    assert any(" " in number for number in numbers)
    assert 0 < sum(is_bad_mobile(number) for number in numbers) < 20


def test_two_residents_share_one_email(made: Made) -> None:
    counts = Counter(row["email"] for row in made.good_rows() if row["email"].endswith(RESERVED))
    assert max(counts.values()) == 2


def test_names_hold_letters_that_latin_1_lacks(made: Made) -> None:
    names = "".join(row["name"] for row in made.good_rows())
    assert set("æøå") <= set(names.lower())
    assert set(names) & set("ćšđŠČĐ")


def bad_row(made: Made, place: int) -> dict[str, str]:
    """The bad row with the customer number *place* after the first of them."""
    return next(row for row in made.rows() if row["customer_number"] == str(800_000_001 + place))


@pytest.mark.parametrize("place", [0, 1])
def test_national_ids_with_letters_or_wrong_check_digits_are_refused(made: Made, place: int) -> None:
    with pytest.raises(NationalIdInvalid):
        check_national_id(bad_row(made, place)["national_id"], RULES)


def test_two_bad_rows_share_a_national_id_that_no_good_row_has(made: Made) -> None:
    shared = bad_row(made, 2)["national_id"]
    assert [row["national_id"] for row in made.rows()].count(shared) == 2
    assert shared not in {row["national_id"] for row in made.good_rows()}


def test_the_other_bad_rows_have_one_fault_each(made: Made) -> None:
    assert bad_row(made, 4)["name"] == ""
    assert sum(row["customer_number"] == "" for row in made.rows()) == 1
    assert bad_row(made, 6)["kind"] not in ("person", "organisation")
    assert not bad_row(made, 7)["postal_code"].isdigit()
    with pytest.raises(ValueError, match="day is out of range"):
        dt.date.fromisoformat(bad_row(made, 8)["deceased_on"])


def test_registries_know_every_person_and_no_organisation(made: Made) -> None:
    world = load_world(made.root)
    for row in made.good_rows():
        if row["national_id"]:
            assert (row["national_id"] in world.by_national_id) == (row["kind"] == "person")


def test_registries_know_stale_reserved_missing_and_blocking_people(made: Made) -> None:
    people = made.people()
    statuses = {person["krr"]["status"] for person in people}
    assert statuses == {"AKTIV", "SLETTET", "IKKE_REGISTRERT"}
    assert any(person["krr"]["reserved"] and person["krr"]["mailbox"] for person in people)
    assert any(person["krr"]["updated_at"] and person["krr"]["updated_at"] < "2025-05" for person in people)
    assert any(person["efaktura"]["accepts"] and person["efaktura"]["blocked_issuers"] for person in people)
