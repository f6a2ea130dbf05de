"""Several calls at once: as many as there are seats, read a little ahead, and stopped when nobody reads on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.clients.seats import AHEAD, in_seats


def test_every_item_is_worked_on_once() -> None:
    assert sorted(in_seats(lambda item: item * 2, range(100), 4)) == [item * 2 for item in range(100)]


def test_nothing_to_do_is_nothing() -> None:
    assert list(in_seats(lambda item: item, (), 4)) == []


def test_as_many_at_once_as_there_are_seats() -> None:
    pair = threading.Barrier(2)
    seen: set[str] = set()

    def work(item: int) -> int:
        seen.add(threading.current_thread().name)
        pair.wait(10)
        return item

    assert len(list(in_seats(work, range(8), 2))) == 8
    assert len(seen) == 2


def test_items_are_read_in_the_callers_thread_and_only_a_little_ahead() -> None:
    read: list[str] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            read.append(threading.current_thread().name)
            yield item

    results = in_seats(lambda item: item, items(), 2)
    next(results)
    assert len(read) <= 2 * AHEAD
    results.close()  # type: ignore[attr-defined]
    assert set(read) == {threading.current_thread().name}
    assert len(read) <= 2 * AHEAD


def test_what_the_work_raises_reaches_the_caller() -> None:
    def work(item: int) -> int:
        raise LookupError(str(item))

    with pytest.raises(LookupError):
        list(in_seats(work, range(3), 2))
