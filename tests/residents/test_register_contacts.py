"""What the register may do to contact points: every case, and what holds whatever happens in whatever order."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.residents.models import ClosedReason, ContactSource
from app.residents.register_contacts import NOTHING, Change, Point, decide

REGISTER, RESIDENT, STAFF = ContactSource.REGISTER, ContactSource.RESIDENT, ContactSource.STAFF
WITHDRAWN, REPLACED = ClosedReason.WITHDRAWN, ClosedReason.REPLACED
BARRED = (ClosedReason.REPLACED, ClosedReason.REMOVED, ClosedReason.BOUNCED, ClosedReason.NOT_ME)


def point(
    number: int,
    value: str,
    source: ContactSource = REGISTER,
    *,
    confirmed: bool = False,
    closed: ClosedReason | None = None,
) -> Point:
    return Point(number, value, source, confirmed, closed)


def test_a_first_value_is_opened() -> None:
    assert decide([], "new") == Change(add="new")


def test_a_register_value_replaces_an_earlier_one_of_the_register() -> None:
    assert decide([point(1, "old")], "new") == Change({1: WITHDRAWN}, add="new")


def test_a_register_value_replaces_what_staff_wrote_down_unconfirmed() -> None:
    assert decide([point(1, "old", STAFF)], "new") == Change({1: WITHDRAWN}, add="new")


@pytest.mark.parametrize(
    "own", [point(1, "own", confirmed=True), point(1, "own", STAFF, confirmed=True), point(1, "own", RESIDENT)]
)
def test_a_register_value_never_replaces_the_residents_own(own: Point) -> None:
    assert decide([own], "new") == Change(add="new", add_closed=REPLACED)
    assert decide([own], None) == NOTHING


@pytest.mark.parametrize("reason", BARRED)
def test_what_a_person_or_a_bounce_closed_stays_closed(reason: ClosedReason) -> None:
    assert decide([point(1, "gone", closed=reason)], "gone") == NOTHING


@pytest.mark.parametrize("reason", BARRED)
def test_a_different_value_opens_after_one_was_closed(reason: ClosedReason) -> None:
    assert decide([point(1, "gone", closed=reason)], "new") == Change(add="new")


def test_the_register_may_bring_back_what_it_withdrew_itself() -> None:
    assert decide([point(1, "back", closed=WITHDRAWN)], "back") == Change(reopen=1)
    assert decide([point(1, "back", closed=WITHDRAWN), point(2, "now")], "back") == Change({2: WITHDRAWN}, reopen=1)


def test_an_empty_field_withdraws_the_registers_own_value_alone() -> None:
    assert decide([point(1, "old")], None) == Change({1: WITHDRAWN})
    assert decide([point(1, "old", STAFF)], None) == NOTHING


def test_a_barred_value_withdraws_the_one_the_register_brought_in_between() -> None:
    points = [point(1, "gone", closed=ClosedReason.BOUNCED), point(2, "now")]
    assert decide(points, "gone") == Change({2: WITHDRAWN})
    assert decide([points[0], replace_source(points[1], STAFF)], "gone") == NOTHING


def test_a_withdrawn_value_that_comes_beside_the_residents_own_is_barred_from_then_on() -> None:
    points = [point(1, "old", closed=WITHDRAWN), point(2, "own", RESIDENT, confirmed=True)]
    assert decide(points, "old") == Change({1: REPLACED})


def replace_source(found: Point, source: ContactSource) -> Point:
    return found._replace(source=source)


class Event(NamedTuple):
    """Something that happens to one resident's points of a kind."""

    who: str
    value: str | None


VALUES = st.sampled_from(["a", "b", "c"])
EVENTS = st.one_of(
    st.builds(Event, st.just("register"), st.one_of(st.none(), VALUES)),
    st.builds(Event, st.sampled_from(["resident", "staff"]), VALUES),
    st.builds(Event, st.sampled_from(["confirm", "remove", "bounce"]), st.none()),
)
CLOSES = {"remove": ClosedReason.REMOVED, "bounce": ClosedReason.BOUNCED}


def apply(points: dict[str, Point], change: Change) -> dict[str, Point]:
    """What the database does with a change."""
    by_id = {found.id: found for found in points.values()}
    for number, reason in change.close.items():
        by_id[number] = by_id[number]._replace(closed_reason=reason)
    if change.reopen:
        by_id[change.reopen] = point(change.reopen, by_id[change.reopen].value)
    if change.add:
        assert change.add not in points
        by_id[len(by_id) + 1] = point(len(by_id) + 1, change.add, closed=change.add_closed)
    return {found.value: found for found in by_id.values()}


def happen(points: dict[str, Point], event: Event) -> dict[str, Point]:
    """What a person, a bounce or the register does."""
    current = next((found for found in points.values() if found.closed_reason is None), None)
    if event.who == "register":
        return apply(points, decide(points.values(), event.value))
    if event.who in CLOSES or event.who == "confirm":
        if current is None:
            return points
        closed = CLOSES.get(event.who)
        return points | {current.value: current._replace(is_confirmed=closed is None, closed_reason=closed)}
    assert event.value is not None
    after = dict(points)
    if current and current.value != event.value:
        after[current.value] = current._replace(closed_reason=REPLACED)
    number = after[event.value].id if event.value in after else len(after) + 1
    source = RESIDENT if event.who == "resident" else STAFF
    return after | {event.value: point(number, event.value, source, confirmed=event.who == "resident")}


@given(st.lists(EVENTS, max_size=12))
def test_whatever_happens_one_is_open_and_persons_have_the_last_word(events: list[Event]) -> None:
    points: dict[str, Point] = {}
    for event in events:
        before, points = points, happen(points, event)
        assert sum(found.closed_reason is None for found in points.values()) <= 1
        if event.who == "register":
            for value, old in before.items():
                if old.closed_reason in BARRED or (old.closed_reason is None and old.is_the_residents_own):
                    assert points[value] == old


@given(st.lists(EVENTS, max_size=12), st.one_of(st.none(), VALUES), st.lists(EVENTS, max_size=6))
def test_the_same_value_again_changes_nothing_whatever_persons_did_meanwhile(
    before: list[Event], value: str | None, after: list[Event]
) -> None:
    points: dict[str, Point] = {}
    for event in [*before, Event("register", value), *(event for event in after if event.who != "register")]:
        points = happen(points, event)
    assert decide(points.values(), value) == NOTHING
