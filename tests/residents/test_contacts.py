"""Contact points as residents, staff and bounces change them."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from app.core.contact import EmailInvalid, MobileInvalid
from app.residents.contacts import close_contact, register_contact
from app.residents.models import ClosedReason, ContactKind, ContactPoint, ContactSource
from app.residents.queries import find_resident, find_resident_ids, open_contact_points
from tests.residents.conftest import TakeRegister, open_value, points, resident, take_stale

MOBILE, EMAIL = ContactKind.MOBILE, ContactKind.EMAIL
NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def kari(session: Session, take: TakeRegister) -> int:
    """A resident with an e-mail address from the register."""
    take({"customer_number": "1", "name": "Kari", "email": "kari@example.com"}, {"customer_number": "2", "name": "Ola"})
    take_stale(session)
    return resident(session, "1").id


def register(
    session: Session,
    resident_id: int,
    value: str,
    *,
    kind: ContactKind = EMAIL,
    at: dt.datetime = NOW,
    confirmed: bool = True,
) -> ContactPoint:
    point = register_contact(session, resident_id, kind, value, ContactSource.RESIDENT, at, is_confirmed=confirmed)
    session.commit()
    return point


def test_a_new_value_replaces_the_one_before(session: Session, kari: int) -> None:
    register(session, kari, "ny@EXAMPLE.com")
    old, new = points(session, "1", EMAIL)
    assert (old.closed_reason, old.closed_at) == (ClosedReason.REPLACED, NOW)
    assert (new.value, new.source, new.confirmed_at) == ("ny@example.com", ContactSource.RESIDENT, NOW)
    assert take_stale(session) == [kari]


def test_confirming_the_registers_value_makes_it_the_residents_own(session: Session, kari: int) -> None:
    register(session, kari, "kari@example.com")
    (point,) = points(session, "1", EMAIL)
    assert (point.source, point.confirmed_at, point.closed_at) == (ContactSource.RESIDENT, NOW, None)
    register(session, kari, "kari@example.com", at=LATER)
    assert points(session, "1", EMAIL)[0].confirmed_at == NOW


def test_a_value_that_was_closed_opens_again_unconfirmed(session: Session, kari: int) -> None:
    register(session, kari, "kari@example.com")
    close_contact(session, kari, EMAIL, "kari@example.com", ClosedReason.REMOVED, NOW)
    register(session, kari, "kari@example.com", at=LATER, confirmed=False)
    (point,) = points(session, "1", EMAIL)
    assert (point.confirmed_at, point.closed_at, point.closed_reason) == (None, None, None)
    assert point.registered_at == LATER


def test_a_mobile_number_is_stored_in_one_form(session: Session, kari: int) -> None:
    assert register(session, kari, "900 12 345", kind=MOBILE).value == "+4790012345"


def test_a_bad_value_is_refused_and_changes_nothing(session: Session, kari: int) -> None:
    with pytest.raises(EmailInvalid):
        register(session, kari, "kari@@example.com")
    with pytest.raises(MobileInvalid):
        register(session, kari, "51 74 30 00", kind=MOBILE)
    assert open_value(session, "1", EMAIL) == "kari@example.com"


def test_a_bounce_closes_and_unconfirms(session: Session, kari: int) -> None:
    register(session, kari, "kari@example.com")
    take_stale(session)
    assert close_contact(session, kari, EMAIL, "kari@example.com", ClosedReason.BOUNCED, LATER)
    (point,) = points(session, "1", EMAIL)
    assert (point.closed_at, point.closed_reason, point.confirmed_at) == (LATER, ClosedReason.BOUNCED, None)
    assert take_stale(session) == [kari]


def test_closing_twice_or_what_is_not_there_changes_nothing(session: Session, kari: int) -> None:
    assert close_contact(session, kari, EMAIL, "kari@example.com", ClosedReason.REMOVED, NOW)
    session.commit()
    take_stale(session)
    assert not close_contact(session, kari, EMAIL, "kari@example.com", ClosedReason.BOUNCED, LATER)
    assert not close_contact(session, kari, EMAIL, "nobody@example.com", ClosedReason.BOUNCED, LATER)
    assert not close_contact(session, kari, MOBILE, "kari@example.com", ClosedReason.BOUNCED, LATER)
    assert points(session, "1", EMAIL)[0].closed_reason is ClosedReason.REMOVED
    assert take_stale(session) == []


def test_a_bounce_that_comes_after_the_register_moved_on_still_bars_the_value(
    session: Session, kari: int, take: TakeRegister
) -> None:
    take({"customer_number": "1", "name": "Kari", "email": "ny@example.com"})
    assert close_contact(session, kari, EMAIL, "kari@example.com", ClosedReason.BOUNCED, NOW)
    session.commit()
    take({"customer_number": "1", "name": "Kari", "email": "kari@example.com"})
    assert open_value(session, "1", EMAIL) is None


def test_open_points_of_many_come_at_once(session: Session, kari: int) -> None:
    register(session, kari, "90012345", kind=MOBILE)
    ola = find_resident_ids(session, ["2", "3"])
    assert set(ola) == {"2"}
    found = open_contact_points(session, [kari, ola["2"], *range(1_000, 2_500)])
    assert {kind: point.value for kind, point in found[kari].items()} == {
        MOBILE: "+4790012345",
        EMAIL: "kari@example.com",
    }
    assert set(found) == {kari}


def test_a_resident_is_found_by_customer_number(session: Session, kari: int) -> None:
    found = find_resident(session, "1")
    assert found is not None
    assert found.id == kari
    assert find_resident(session, "none") is None
