"""The comparison itself: every way to differ is seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.shapes import differences

SAMPLES: list[Any] = [
    {"id": 1, "to": [{"name": "Kari"}], "note": "x", "is_read": True},
    {"id": 2, "to": [], "is_read": False},
]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"id": 3, "to": [{"name": "Ola"}], "is_read": True}, []),
        ({"id": 3, "to": [], "is_read": True, "note": "y"}, []),
        ({"id": "3", "to": [], "is_read": True}, ["id: string, not number"]),
        ({"id": 3, "to": [], "is_read": "true"}, ["is_read: string, not boolean"]),
        ({"id": 3, "to": [{}], "is_read": True}, ["to[]: name is missing"]),
        ({"id": 3, "to": [{"name": "Ola", "age": 3}], "is_read": True}, ["to[].age: unknown"]),
        ({"id": 3, "to": [1], "is_read": True}, ["to[]: number, not object"]),
        ({"to": [], "is_read": True, "more": 1}, ["all: id is missing", "more: unknown"]),
        ([], ["all: array, not object"]),
        (None, ["all: null, not object"]),
    ],
)
def test_every_difference_is_named_with_its_place(value: Any, expected: list[str]) -> None:
    assert list(differences(value, SAMPLES, {})) == expected


def test_what_is_documented_elsewhere_may_be_there_or_be_missing() -> None:
    known = {"more": "a page", "id?": "a page"}
    assert list(differences({"to": [], "is_read": True, "more": 1}, SAMPLES, known)) == []
