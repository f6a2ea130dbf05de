"""People find residents by what they are told: a name however it is spelt, a number however it is written."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.national_id import NationalIdInvalid
from app.core.settings import Settings
from app.residents.models import ContactKind, ContactPoint, Resident, ResidentName
from app.residents.name_index import index_missing
from app.residents.names import words_of
from app.residents.search import find_resident_by_national_id, ids_by_contact, ids_by_name
from tests.residents.conftest import TakeRegister, person_id, resident


def named(session: Session, text: str, most: int = 20) -> list[str]:
    """The customer numbers of those whom *text* finds, in their order."""
    ids = ids_by_name(session, text, most)
    numbers = {row.id: row.customer_number for row in session.scalars(select(Resident))}
    return [numbers[found] for found in ids]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Åse-Marie  O'Brien", ["ase", "marie", "obrien"]),
        ("BJØRN ÆRLIG", ["bjorn", "aerlig"]),
        ("Haakon Bjoern", ["hakon", "bjorn"]),
        ("Håkon André Đorđević", ["hakon", "andre", "dordevic"]),
        ("Kari Kari", ["kari"]),
        ("Strand Bygg A.S. (avd. 2)", ["strand", "bygg", "as", "avd", "2"]),
        ("---", []),
    ],
)
def test_a_name_is_its_words_however_they_are_spelt(name: str, words: list[str]) -> None:
    assert words_of(name) == words


def test_a_long_name_is_cut() -> None:
    assert words_of("a" * 90) == ["a" * 40]
    assert len(words_of(" ".join(f"ord{number}" for number in range(30)))) == 8


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("åse", ["1"]),
        ("AASE", ["1"]),
        ("ase", ["1"]),
        ("nord", ["2", "1"]),
        ("nordmann åse", ["1"]),
        ("Åse Nord", ["1"]),
        ("nor ås", ["1"]),
        ("åse nordmann li", ["1"]),
        ("åse nordmann berg", []),
        ("madonna", ["3"]),
        ("madonna nord", []),
        ("nordmannen", []),
        ("å", []),
        ("?!", []),
        ("%", []),
    ],
)
def test_each_word_may_begin_any_word_of_the_name(
    take: TakeRegister, session: Session, text: str, found: list[str]
) -> None:
    take(
        {"customer_number": "1", "name": "Åse Lindås Nordmann"},
        {"customer_number": "2", "name": "Kari Nordmann"},
        {"customer_number": "3", "name": "Madonna"},
    )
    assert sorted(named(session, text)) == sorted(found)


def test_whole_words_come_before_beginnings(take: TakeRegister, session: Session) -> None:
    take(
        {"customer_number": "1", "name": "Olaf Bergset"},
        {"customer_number": "2", "name": "Ola Berg"},
        {"customer_number": "3", "name": "Ola Bergset"},
    )
    assert named(session, "ola berg") == ["2", "3", "1"]
    assert named(session, "ola berg", most=2) == ["2", "3"]


def test_a_new_name_takes_the_old_ones_place(take: TakeRegister, session: Session) -> None:
    take({"customer_number": "1", "name": "Kari Nordmann"}, {"customer_number": "2", "name": "Ola Dunk"})
    take({"customer_number": "1", "name": "Kari Berg"}, {"customer_number": "2", "name": "Ola Dunk"})
    assert (named(session, "nordmann"), named(session, "berg"), named(session, "dunk")) == ([], ["1"], ["2"])


def test_who_has_no_words_yet_gets_them_and_nobody_twice(take: TakeRegister, session: Session) -> None:
    take(
        {"customer_number": "1", "name": "Kari Nordmann", "email": "Kari@Example.com"},
        {"customer_number": "2", "name": "Ola Dunk"},
        {"customer_number": "3", "name": "---"},
    )
    mine = resident(session, "1").id
    session.execute(delete(ResidentName).where(ResidentName.resident_id == mine))
    session.execute(update(ContactPoint).values(value_folded=None))
    index_missing(session)
    index_missing(session)
    assert named(session, "kari nordmann") == ["1"]
    assert session.scalar(select(func.count()).select_from(ResidentName)) == 4
    assert ids_by_contact(session, "kari@example.com", 5) == (ContactKind.EMAIL, [mine])


@pytest.mark.parametrize("text", ["90012345", "900 12 345", "+47 900 12 345", "0047 90012345", "(+47) 900-12-345"])
def test_a_mobile_number_is_found_however_it_is_written(take: TakeRegister, session: Session, text: str) -> None:
    take({"customer_number": "1", "name": "Kari", "mobile": "900 12 345"})
    assert ids_by_contact(session, text, 5) == (ContactKind.MOBILE, [resident(session, "1").id])


@pytest.mark.parametrize("text", ["kari.nordmann@example.com", " KARI.NORDMANN@EXAMPLE.COM "])
def test_an_address_is_found_in_any_case(take: TakeRegister, session: Session, text: str) -> None:
    take({"customer_number": "1", "name": "Kari", "email": "Kari.Nordmann@Example.com"})
    assert ids_by_contact(session, text, 5) == (ContactKind.EMAIL, [resident(session, "1").id])


def test_who_has_the_address_now_comes_before_who_had_it(take: TakeRegister, session: Session) -> None:
    take({"customer_number": "1", "name": "Kari", "email": "felles@example.com"})
    take({"customer_number": "1", "name": "Kari", "email": "ny@example.com"},
         {"customer_number": "2", "name": "Ola", "email": "felles@example.com"})  # fmt: skip
    both = [resident(session, "2").id, resident(session, "1").id]
    assert ids_by_contact(session, "felles@example.com", 5) == (ContactKind.EMAIL, both)


@pytest.mark.parametrize("text", ["kari", "12", "51 74 30 00", "kari@", "@"])
def test_what_is_no_mobile_number_or_address_is_looked_for_nowhere(session: Session, text: str) -> None:
    assert ids_by_contact(session, text, 5) is None


def test_a_national_id_finds_its_owner(take: TakeRegister, session: Session, settings: Settings, clock: Clock) -> None:
    take({"customer_number": "1", "name": "Kari", "national_id": person_id(1)})
    number = person_id(1)
    for written in (number, f"{number[:6]} {number[6:]}"):
        found = find_resident_by_national_id(session, settings, clock, written)
        assert found is not None
        assert found.customer_number == "1"
    assert find_resident_by_national_id(session, settings, clock, person_id(2)) is None
    with pytest.raises(NationalIdInvalid):
        find_resident_by_national_id(session, settings, clock, "12345678901")
