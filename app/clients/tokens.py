"""Access tokens kept until shortly before they end, fetched by one thread while the others wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.clients.exchange import Answered

SPARE_SECONDS = 20
# What a token comes as: itself, and how many seconds it lives.
Fetch = Callable[[str], tuple[str, float]]


@dataclass(slots=True)
class _Kept:
    """The token of one scope, and the lock under which it is fetched."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = field(default="", repr=False)
    good_until: float = 0.0


class TokenCache:
    """Tokens by scope. Safe for threads. ``now``: seconds since 1970."""

    def __init__(self, fetch: Fetch, now: Callable[[], float] = time.time) -> None:
        self._fetch, self._now = fetch, now
        self._kept: dict[str, _Kept] = {}
        self._making = threading.Lock()

    def token(self, scope: str) -> str:
        """A token for *scope*, from the cache or fetched; raises what the fetching raises."""
        with self._making:
            kept = self._kept.setdefault(scope, _Kept())
        with kept.lock:
            if self._now() >= kept.good_until:
                kept.token, lifetime = self._fetch(scope)
                kept.good_until = self._now() + lifetime - SPARE_SECONDS
            return kept.token

    def authorized(self, scope: str, call: Callable[[str], Answered]) -> Answered:
        """The answer of *call* with a token for *scope*; after 401 once more, with a new token."""
        token = self.token(scope)
        answered = call(token)
        if answered.status != 401:
            return answered
        self._drop(scope, token)
        return call(self.token(scope))

    def _drop(self, scope: str, token: str) -> None:
        kept = self._kept[scope]
        with kept.lock:
            # Another thread may have brought a new one already.
            if kept.token == token:
                kept.good_until = 0.0
