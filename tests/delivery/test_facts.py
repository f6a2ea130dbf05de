"""The two ways to gather a resident's facts, in SQL and in Python, mean the same."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.facts import UNKNOWN_BUYER, facts_of, rebuild_resident_facts, refresh_resident_facts
from app.delivery.models import ResidentFactsRow
from app.registries.models import Register, RegistryAnswer
from app.residents.models import AddressProtection, ContactKind, Preference, Resident, ResidentKind, StaleResident
from app.routing.channels import Answer, Channel
from app.routing.facts import ResidentFacts
from tests.conftest import several_writers
from tests.delivery.planning_support import NOW, PlanningTown


@pytest.fixture
def town(session: Session, settings: Settings, clock: Clock) -> PlanningTown:
    return PlanningTown(session, settings, clock)


def gathered(session: Session, resident: Resident) -> ResidentFacts:
    row = session.get(ResidentFactsRow, resident.id, populate_existing=True)
    assert row is not None
    return ResidentFacts.from_bits(row.facts)


BLANKS = st.sampled_from(["", " ", "  "])
OF_RESIDENT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(ResidentKind),
        "national_id_index": st.booleans(),
        "address_line_1": st.sampled_from(["", " ", "Rådhusgata 2"]),
        "address_line_2": st.sampled_from(["", " ", "c/o Ås"]),
        "postal_code": st.sampled_from(["4100", " 4100", "410", "41000", "41A0", "", "SW1A 1AA"]),
        "city": st.sampled_from(["Jørpeland", "", "  "]),
        "country": st.sampled_from(["", " ", "NO", "no", "Norge", "NORWAY", "Danmark", "Østerrike"]),
        "address_protection": st.sampled_from(AddressProtection),
        "deceased_on": st.sampled_from([None, dt.date(2026, 1, 2)]),
    }
)
CONTACT = st.tuples(st.booleans(), st.booleans(), st.booleans())  # is there, is confirmed, is closed
ANSWERS = st.dictionaries(st.sampled_from(Register), st.sampled_from(Answer))
REFERENCE = st.sampled_from([None, "", "shared", "own"])
PREFERENCES = st.tuples(st.sets(st.sampled_from(Channel)), st.booleans())
ONE = st.tuples(OF_RESIDENT, CONTACT, CONTACT, ANSWERS, REFERENCE, PREFERENCES)


def settle(town: PlanningTown, drawn: Any) -> Resident:
    values, mobile, email, answers, reference, (closed, letters) = drawn
    session = town.session
    own = {**values, "national_id_index": None} if not values["national_id_index"] else dict(values)
    if values["national_id_index"]:
        own.pop("national_id_index")
    resident = town.resident(**own)
    for row in session.scalars(select(RegistryAnswer).filter_by(resident_id=resident.id)):
        session.delete(row)
    session.flush()
    for kind, (is_there, is_confirmed, is_closed) in ((ContactKind.MOBILE, mobile), (ContactKind.EMAIL, email)):
        if is_there:
            moments = {"confirmed_at": NOW if is_confirmed else None, "closed_at": NOW if is_closed else None}
            town.contact(resident, kind, f"{kind}-{resident.id}", **moments)
    for register, answer in answers.items():
        name = f"own-{resident.id}" if reference == "own" else reference
        session.add(RegistryAnswer(
            resident_id=resident.id, register=register, answer=answer, asked_at=NOW,
            reference=name if register is Register.EFAKTURA else None,
        ))  # fmt: skip
    for channel in closed:
        session.add(Preference(resident_id=resident.id, channel=channel, chosen_at=NOW))
    if letters:
        session.add(Preference(resident_id=resident.id, channel=None, is_all_by_letter=True, chosen_at=NOW))
    town.touch(resident)
    return resident


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(drawn=st.lists(ONE, min_size=1, max_size=4))
def test_sql_and_python_gather_the_same_facts(town: PlanningTown, drawn: list[Any]) -> None:
    town.session.rollback()
    residents = [settle(town, one) for one in drawn]
    refresh_resident_facts(town.session)
    for resident in residents:
        assert gathered(town.session, resident) == facts_of(town.session, resident.id)
    town.session.rollback()


def test_nobody_known_has_row_zero(town: PlanningTown) -> None:
    assert refresh_resident_facts(town.session) == 0
    row = town.session.get(ResidentFactsRow, 0)
    assert row is not None
    assert ResidentFacts.from_bits(row.facts) == UNKNOWN_BUYER == facts_of(town.session, 0)


def test_only_the_stale_are_gathered_and_the_list_is_emptied(town: PlanningTown) -> None:
    first, second = town.resident(), town.resident()
    assert refresh_resident_facts(town.session) == 2
    assert town.session.scalar(select(func.count()).select_from(StaleResident)) == 0
    town.contact(first, ContactKind.EMAIL, "a@example.com")
    town.contact(first, ContactKind.MOBILE, "+4790000000")
    assert refresh_resident_facts(town.session) == 1
    assert gathered(town.session, first).has_email
    assert not gathered(town.session, second).has_email
    rebuild_resident_facts(town.session)
    assert refresh_resident_facts(town.session) == 2


def test_who_was_not_asked_is_unknown_and_who_cannot_be_asked_is_no(town: PlanningTown) -> None:
    person = town.resident(mobile="+4790000000")
    nobody = town.resident(national_id_index=None)
    company = town.resident(mobile="+4790000001", kind=ResidentKind.ORGANISATION)
    for row in town.session.scalars(select(RegistryAnswer)):
        town.session.delete(row)
    refresh_resident_facts(town.session)
    known = gathered(town.session, person)
    assert {known.efaktura, known.vipps, known.mailbox, known.reserved} == {Answer.UNKNOWN}
    for other in (nobody, company):
        facts = gathered(town.session, other)
        assert {facts.efaktura, facts.vipps, facts.mailbox, facts.reserved} == {Answer.NO}


def test_sharing_an_efaktura_identifier_marks_both_and_ceasing_clears_both(town: PlanningTown) -> None:
    first, second = town.resident(answers={"efaktura": Answer.YES}), town.resident(answers={"efaktura": Answer.YES})
    refresh_resident_facts(town.session)
    answer = town.session.scalars(select(RegistryAnswer).filter_by(resident_id=second.id, register="efaktura")).one()
    own, answer.reference = answer.reference, f"ref-{first.id}"
    town.touch(second)
    refresh_resident_facts(town.session)
    assert [gathered(town.session, one).shares_efaktura_identifier for one in (first, second)] == [True, True]
    answer.reference = own
    town.touch(second)
    refresh_resident_facts(town.session)
    assert [gathered(town.session, one).shares_efaktura_identifier for one in (first, second)] == [False, False]


@several_writers
def test_what_is_added_while_gathering_is_kept_for_the_next_time(town: PlanningTown, session: Session) -> None:
    """PostgreSQL: a change that is committed in the middle is neither lost nor half seen."""
    resident = town.resident()
    session.commit()
    with Session(session.get_bind()) as other:
        other.add(StaleResident(resident_id=resident.id))
        other.flush()
        assert refresh_resident_facts(session) == 1
        session.commit()
        other.commit()
    assert session.scalar(select(func.count()).select_from(StaleResident)) == 1
    assert refresh_resident_facts(session) == 1
