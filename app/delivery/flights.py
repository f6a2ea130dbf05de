"""Calls under way: what was claimed together, what was begun of it, and whether it goes well so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from app.channels.contract import Consignment, Outcome, Result
from app.delivery.desk import result_of
from app.delivery.parcels import Parcel

# More of a group not taken than this, and its end is waited for: it may be that nothing more should leave.
MOST_NOT_TAKEN = 0.125


@dataclass(slots=True)
class Flight:
    """Calls for *parcels*: a future for each of ``batches``. ``answers``: what is known without a call."""

    parcels: Sequence[Parcel]
    answers: Mapping[str, Result]
    batches: Sequence[Sequence[Consignment]]
    futures: Sequence[Future[Mapping[str, Result]]]

    def landed(self) -> Mapping[str, Result]:
        """What came of each, by key; call it when all futures are finished."""
        answers = dict(self.answers)
        for batch, future in zip(self.batches, self.futures, strict=True):
            answer: Mapping[str, Result] | Result = result_of(future)
            answers |= {one.key: answer for one in batch} if isinstance(answer, Result) else answer
        return answers

    @property
    def goes_well(self) -> bool:
        """Whether nearly everything that is answered so far was taken."""
        done = [future for future in self.futures if future.done()]
        if any(future.exception() is not None for future in done):
            return False
        results = [result for future in done for result in future.result().values()]
        taken = sum(result.outcome is Outcome.ACCEPTED for result in results)
        return len(results) - taken <= MOST_NOT_TAKEN * len(results)


@dataclass(slots=True)
class Group:
    """Parts claimed together. ``fruitless``: how many of them came no further so far."""

    ids: Sequence[int]
    flight: Flight | None = None
    fruitless: int = 0

    def may_be_followed(self, size: int) -> bool:
        """Whether the next group may begin before this one ends. One smaller than *size* is most likely the last."""
        return len(self.ids) == size and self.flight is not None and self.flight.goes_well
