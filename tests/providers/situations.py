"""The ways in which a provider can answer, fail, lie or be late, and a transport in which they happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

from app.sandbox.transport import SandboxTransport


class Situation(StrEnum):
    """One row of the matrix; the value is what the page calls it."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    CONFLICT = "409"
    TOO_MANY = "429"
    BROKEN = "500"
    CONNECT_TIMEOUT = "connect time-out"
    TIMEOUT_AFTER = "time-out after taking it"
    RESET = "reset after taking it"
    MALFORMED = "malformed body after taking it"
    SLOW = "slow"
    LATE_REFUSAL = "late refusal"
    DUPLICATE_RECEIPT = "duplicate receipt"
    EARLY_RECEIPT = "receipt before the send's answer"
    UNKNOWN_RECEIPT = "receipt of an unknown id"


STATUSES = {
    Situation.UNAUTHORIZED: 401,
    Situation.FORBIDDEN: 403,
    Situation.CONFLICT: 409,
    Situation.TOO_MANY: 429,
    Situation.BROKEN: 500,
}
LOST = (Situation.TIMEOUT_AFTER, Situation.RESET, Situation.EARLY_RECEIPT)
# What the stand-in itself does to the invoice, in its own words.
FAULTS = {Situation.REFUSED: "refuse", Situation.LATE_REFUSAL: "late_refusal", Situation.SLOW: "slow"}


@dataclass
class Faulty(httpx.BaseTransport):
    """The stand-ins, with one *situation* at the calls that *takes* says hand something over.

    ``conflict``: the body of a 409 in the provider's own words.
    """

    inner: SandboxTransport
    takes: Callable[[httpx.Request], bool]
    conflict: Mapping[str, Any] = field(default_factory=dict)
    situation: Situation | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        situation = self.situation if self.takes(request) else None
        if situation is Situation.CONNECT_TIMEOUT:
            raise httpx.ConnectTimeout("no answer", request=request)
        if situation in STATUSES:
            return self._status(STATUSES[situation])
        response = self.inner.handle_request(request)
        if situation is Situation.MALFORMED:
            return httpx.Response(response.status_code, text="<html>Welcome")
        if situation in LOST:
            lost = httpx.ReadError if situation is Situation.RESET else httpx.ReadTimeout
            raise lost("the answer is lost", request=request)
        return response

    def _status(self, status: int) -> httpx.Response:
        headers = {"Retry-After": "1200"} if status == 429 else {}
        return httpx.Response(status, json=dict(self.conflict) if status == 409 else {}, headers=headers)
