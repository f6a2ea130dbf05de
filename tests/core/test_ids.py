"""Derived ids: the same for the same thing, on every machine and for ever."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import derived_id

PARTS = st.lists(st.text() | st.integers(), min_size=1, max_size=4)


def test_an_id_given_away_once_never_changes() -> None:
    assert derived_id("attempt", 17) == uuid.UUID("1ce408b0-68cc-5797-a9d8-fc95685b1012")


@given(PARTS)
def test_the_same_parts_give_the_same_id(parts: list[str | int]) -> None:
    assert derived_id(*parts) == derived_id(*parts)
    assert derived_id(*parts).version == 5


@given(PARTS, PARTS)
def test_other_parts_give_another_id(one: list[str | int], two: list[str | int]) -> None:
    assert (derived_id(*one) == derived_id(*two)) is (list(map(str, one)) == list(map(str, two)))


def test_where_one_part_ends_matters() -> None:
    assert derived_id("ab", "c") != derived_id("a", "bc")
    assert derived_id("a", "") != derived_id("a")


def test_an_id_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="derive"):
        derived_id()
