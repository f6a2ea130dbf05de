"""Made-up people: synthetic, never twice the same, and the same again whenever asked."""

from __future__ import annotations

import datetime as dt

import pytest
from stdnum.no import fodselsnummer, orgnr

from app.core.contact import normalise_mobile
from app.core.national_id import NationalIdRules, check_national_id
from app.sandbox import people

MANY = range(5000)
RULES = NationalIdRules.on(dt.date(2026, 11, 24), synthetic="required")


def test_every_national_id_is_synthetic_and_passes_the_products_own_checker() -> None:
    for number in MANY:
        made = people.made_up_person(7, number)
        assert check_national_id(made.national_id, RULES) == made.national_id
        assert 81 <= int(made.national_id[2:4]) <= 92


def test_no_national_id_is_a_real_persons() -> None:
    assert not any(fodselsnummer.is_valid(people.made_up_person(7, number).national_id) for number in MANY)


def test_the_national_id_says_the_birth_date_and_d_numbers_occur() -> None:
    made = [people.made_up_person(3, number) for number in MANY]
    assert 100 < sum(person.has_d_number for person in made) < 300
    for person in made:
        day = int(person.national_id[:2]) - (40 if person.has_d_number else 0)
        assert (day, person.national_id[4:6]) == (person.born_on.day, f"{person.born_on:%y}")


def test_neither_national_ids_nor_numbers_are_given_out_twice() -> None:
    assert len({people.made_up_person(7, number).national_id for number in MANY}) == len(MANY)
    assert len({people.mobile_number(7, number) for number in MANY}) == len(MANY)
    assert len({people.organisation_number(7, number) for number in MANY}) == len(MANY)


@pytest.mark.parametrize("seed", [0, 1, 7, 123_456_789])
def test_the_mixing_is_one_to_one_for_every_seed(seed: int) -> None:
    assert sorted(people.shuffled(seed, number, 997 * 8) for number in range(997 * 8)) == list(range(997 * 8))


def test_every_birth_day_and_block_has_a_number_with_check_digits() -> None:
    for day in range(0, people.BIRTH_DAYS, 97):
        for block in range(people.BLOCKS_A_DAY):
            born_on = people.FIRST_BORN_ON + dt.timedelta(days=day)
            assert len(people.national_id(born_on, block * people.BLOCK, has_d_number=bool(block % 2))) == 11


def test_a_person_beyond_the_last_is_refused() -> None:
    with pytest.raises(ValueError, match="numbered from 0"):
        people.made_up_person(7, people.MOST_PEOPLE)


def test_mobile_numbers_are_norwegian_mobiles() -> None:
    for number in MANY:
        mobile = people.mobile_number(7, number)
        assert normalise_mobile(mobile) == f"+47{mobile}"


def test_organisation_numbers_check_and_are_from_the_series_kept_for_tests() -> None:
    for number in MANY:
        made = people.organisation_number(7, number)
        assert orgnr.is_valid(made)
        assert made.startswith("3")
