"""Leaves a provider in peace that does not answer, and lets it be asked no faster than it bears.

Both are of one client in one process: several processes have a gate each, and share nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from circuitbreaker import STATE_CLOSED, STATE_HALF_OPEN, STATE_OPEN, CircuitBreaker
from pyrate_limiter import Duration, Rate, RateItem, StateBucket, TokenBucket

from app.clients.exchange import Answered, CallFailed, NotSent

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GateRule:
    """``failures``: so many in a row, and the provider is left in peace for ``rest_seconds``; then one call tries."""

    failures: int
    rest_seconds: float


class LeftInPeace(NotSent):
    """No call was made: the provider has not answered for a while. Asking again within a moment is of no use."""


class _Failed(Exception):
    """What the breaker is told of a call that got no usable answer."""


class Gate:
    """A circuit breaker around calls that threads make at once. The library's own counting is not safe for threads."""

    def __init__(self, provider: str, rule: GateRule) -> None:
        self._provider, self._rule = provider, rule
        self._breaker = CircuitBreaker(rule.failures, rule.rest_seconds, _Failed, name=provider)
        self._lock = threading.Lock()
        self._is_trying = False

    @contextmanager
    def passage(self) -> Iterator[Callable[[Answered], None]]:
        """Around one call; gives what must be told the answer. Raises `LeftInPeace` instead of letting it be made.

        A failure is a call that failed without our own fault, and an answer that says the provider itself is down.
        """
        is_trial = self._enter()
        answers: list[Answered] = []
        failed: bool | None = None
        try:
            yield answers.append
            failed = bool(answers) and answers[-1].status >= 500
        except CallFailed as failure:
            failed = not failure.needs_alarm or None
            raise
        finally:
            self._leave(is_trial, failed)

    def _enter(self) -> bool:
        """Whether this call is the one that tries."""
        with self._lock:
            state = self._breaker.state
            if state == STATE_OPEN or (state == STATE_HALF_OPEN and self._is_trying):
                raise LeftInPeace(self._provider, "left in peace: it has not answered for a while")
            self._is_trying = is_trial = bool(state == STATE_HALF_OPEN)
        if is_trial:
            log.info("provider tried again", provider=self._provider)
        return is_trial

    def _leave(self, is_trial: bool, failed: bool | None) -> None:
        """*failed* None: it says nothing about the provider."""
        with self._lock:
            before = self._breaker.state
            if is_trial:
                self._is_trying = False
            if failed:
                self._breaker.__exit__(_Failed, _Failed(), None)
            elif failed is False and (is_trial or before == STATE_CLOSED):
                # An answer to an old call, coming in after the gate has closed, opens nothing.
                self._breaker.reset()
            after = self._breaker.state
        if failed and after == STATE_OPEN and before != STATE_OPEN:
            log.warning("provider left in peace", provider=self._provider, seconds=self._rule.rest_seconds)
        elif failed is False and is_trial:
            log.info("provider answers again", provider=self._provider)


class Pace:
    """At most *calls_a_second* to a provider, bursts of as many included. Safe for threads."""

    def __init__(
        self,
        calls_a_second: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._bucket = StateBucket([Rate(calls_a_second, Duration.SECOND)], TokenBucket())
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next call may be made."""
        while True:
            with self._lock:
                item = RateItem("call", int(self._clock() * 1000))
                if self._bucket.put(item):
                    return
                milliseconds = self._bucket.waiting(item)
            # The library allows a bucket that answers later; this one answers at once.
            self._sleep(max(milliseconds, 1) / 1000 if isinstance(milliseconds, int) else 0.001)
