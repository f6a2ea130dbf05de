"""One bad entry spoils no other's answer, and a register that refuses everything is not asked a thousand times."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clients.exchange import Answered, AnswerLost, CallFailed, NotSent
from app.clients.look_ups import MOST_REFUSALS_IN_A_ROW, ChunkRefused, ask_in_halves, check_look_up


class Register:
    def __init__(self, bad: set[int]) -> None:
        self.bad, self.asked = bad, list[Sequence[int]]()

    def ask(self, items: Sequence[int]) -> dict[int, str]:
        self.asked.append(items)
        if self.bad & set(items):
            raise ChunkRefused("krr", "answered 422")
        return dict.fromkeys(items, "yes")


@given(st.integers(1, 1000), st.data())
def test_everyone_but_the_bad_ones_is_answered_for(size: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, size - 1), max_size=5))
    register = Register(bad)
    found = ask_in_halves(range(size), register.ask)
    assert set(found.answers) == set(range(size)) - bad
    assert found.calls == len(register.asked) <= 1 + len(bad) * 2 * 11
    assert (found.failure is None) == (not bad)
    assert not found.needs_alarm


def test_nobody_to_ask_about_is_no_call() -> None:
    found = ask_in_halves([], Register(set()).ask)
    assert (found.calls, found.answers, found.failure) == (0, {}, None)


def test_a_register_that_refuses_every_question_is_left_in_peace_with_an_alarm() -> None:
    register = Register(set(range(1000)))
    found = ask_in_halves(range(1000), register.ask)
    assert found.calls == MOST_REFUSALS_IN_A_ROW + 1
    assert found.answered_calls == 0
    assert found.needs_alarm


@pytest.mark.parametrize("error", [NotSent("krr", "no connection"), AnswerLost("krr", "answered 500")])
def test_what_splitting_cannot_help_ends_the_asking(error: CallFailed) -> None:
    calls = []

    def ask(items: Sequence[int]) -> dict[int, str]:
        calls.append(items)
        if len(calls) == 1:
            raise ChunkRefused("krr", "answered 422")
        if len(calls) == 3:
            raise error
        return dict.fromkeys(items, "yes")

    found = ask_in_halves(range(100), ask)
    assert len(found.answers) == 50
    assert (found.calls, found.answered_calls) == (3, 1)
    assert found.failure == str(error)


@pytest.mark.parametrize(
    ("status", "error", "needs_alarm"),
    [
        (302, NotSent, True),
        (400, ChunkRefused, False),
        (401, NotSent, True),
        (403, NotSent, True),
        (404, NotSent, True),
        (405, NotSent, True),
        (408, AnswerLost, False),
        (413, ChunkRefused, False),
        (422, ChunkRefused, False),
        (429, AnswerLost, False),
        (500, AnswerLost, False),
        (503, AnswerLost, False),
    ],
)
def test_only_a_refusal_of_the_entries_is_split(status: int, error: type[CallFailed], needs_alarm: bool) -> None:
    with pytest.raises(CallFailed) as caught:
        check_look_up(Answered("krr", status, {}, b""))
    assert type(caught.value) is error
    assert caught.value.needs_alarm == needs_alarm


def test_a_success_is_no_failure() -> None:
    check_look_up(Answered("krr", 200, {}, b""))
