"""What sending works with: the session, the channels, and how many may call a provider at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.orm import Session

from app.channels.contract import FileChannel, MessageChannel, Outcome, Result
from app.clients.bounce_box import BounceBox
from app.clients.sftp import SftpFolder
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.consignments import Consignments, Letters
from app.delivery.outcomes import Ledger
from app.delivery.workers import Worker
from app.routing.channels import Channel

log = structlog.get_logger(__name__)
Work = TypeVar("Work")
Answer = TypeVar("Answer")


class Channels(Protocol):
    """Every channel, by how it leaves: as messages or as whole files."""

    @property
    def messages(self) -> Mapping[Channel, MessageChannel]: ...
    @property
    def files(self) -> Mapping[Channel, FileChannel]: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything one pass of sending works with; ``progress`` hears how many parts are done, ``boxes`` are where
    returned mails come to, ``bank`` where bank files are brought (None: they are fetched)."""

    session: Session
    settings: Settings
    clock: Clock
    channels: Channels
    worker: Worker
    consignments: Consignments
    letters: Letters
    ledger: Ledger
    progress: Callable[[int], None] = field(default=lambda _done: None)
    boxes: Sequence[BounceBox] = ()
    bank: SftpFolder | None = None


class Seats:
    """Parallel calls to one provider. No call touches the database: that stays with the thread that asks."""

    def __init__(self, count: int, renew: Callable[[], None], renew_after: float) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="seat")
        self._renew = renew
        self._renew_after = renew_after

    def begin(self, call: Callable[[Work], Answer], work: Sequence[Work]) -> list[Future[Answer]]:
        """Begin *call* for each of *work*, behind what was begun before; gives the futures in order."""
        return [self._pool.submit(call, one) for one in work]

    def wait(self, futures: Sequence[Future[Answer]], at_most: int = 0) -> None:
        """Until *at_most* of *futures* are unfinished. Claims are renewed while it takes long."""
        pending, renew_at = set(futures), time.monotonic() + self._renew_after
        until = FIRST_COMPLETED if at_most else ALL_COMPLETED
        while len(pending) > at_most:
            pending = wait(pending, timeout=max(0.0, renew_at - time.monotonic()), return_when=until).not_done
            if pending and time.monotonic() >= renew_at:
                self._renew()
                renew_at = time.monotonic() + self._renew_after

    def map(self, call: Callable[[Work], Answer], work: Sequence[Work]) -> list[Future[Answer]]:
        """Do *call* for each of *work*; gives the finished futures in order."""
        futures = self.begin(call, work)
        self.wait(futures)
        return futures

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def result_of(future: Future[Answer]) -> Answer | Result:
    """The answer of a finished call.

    A channel that raises has broken its contract, and whether it had handed over is unknown: an uncertain result.
    What is no error (the program is told to end) is raised again.
    """
    error = future.exception()
    if error is None:
        return future.result()
    if not isinstance(error, Exception):
        raise error
    log.error("a channel raised", error=type(error).__name__)
    return Result(Outcome.UNCERTAIN, detail=type(error).__name__, needs_alarm=True)
