"""Several calls to one provider at a time, as many as it has seats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")

# Enough waiting work that no seat is idle while the next items are made ready.
AHEAD = 2


def in_seats(work: Callable[[Item], Done], items: Iterable[Item], seats: int) -> Iterator[Done]:
    """The results of *work* for each of *items*, as they come; *items* are read only a little ahead, in this thread.

    Raises what *work* raises. When the caller stops reading, what has not begun never begins.
    """
    source = iter(items)
    running: set[Future[Done]] = set()
    with ThreadPoolExecutor(seats, thread_name_prefix="seat") as pool:
        try:
            while True:
                while len(running) < seats * AHEAD:
                    try:
                        item = next(source)
                    except StopIteration:
                        break
                    running.add(pool.submit(work, item))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()
