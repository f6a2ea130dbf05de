"""One HTTP client per provider: bounded in time, without redirects, with every failure as a type.

A caller must be able to tell "surely not sent" from "perhaps taken", because only the first may be sent again unasked.
What surely never left is told from what may have been taken in `app.clients.exchange`.
"""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import stamina

from app.clients.exchange import Answered, AnswerLost, CallFailed, NotSent
from app.clients.gate import Gate, GateRule, LeftInPeace, Pace
from app.core.errors import SettingsInvalid
from app.core.settings import Settings

__all__ = [
    "AnswerLost",
    "Answered",
    "CallFailed",
    "NotSent",
    "Outside",
    "ServiceClient",
    "Timeouts",
    "Witness",
    "outside",
    "until_answered",
]

LARGEST_ANSWER = 64_000_000
LOOK_UP_TRIES = 3
LOOK_UP_SECONDS = 60.0
LONGEST_ASKED_WAIT = 20.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a call may take, by phase; ``total`` bounds an answer that trickles."""

    connect: float = 5.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 5.0
    total: float = 120.0


@dataclass(frozen=True, slots=True)
class Witness:
    """What invoice a call is about, and as what (demand, notice, claim, offer, code, lookup): for the sandbox alone."""

    kind: str
    invoice: str | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """How this process reaches every outside service. Without ``transport`` it is the network.

    ``gate``: when a provider is left in peace (None: never). ``calls_a_second``: by provider; unnamed, without limit.
    """

    transport: httpx.BaseTransport | None = None
    is_sandbox: bool = False
    seats: int = 4
    timeouts: Timeouts = Timeouts()
    gate: GateRule | None = None
    calls_a_second: Mapping[str, int] = field(default_factory=dict)


def outside(settings: Settings, transport: httpx.BaseTransport | None) -> Outside:
    """What the settings and the transport given by the application make. Raises `SettingsInvalid` when the sandbox is
    on and no stand-in was given: development must never reach a real service by accident."""
    if settings.sandbox and transport is None:
        raise SettingsInvalid("SANDBOX is on and no stand-in is there to answer: set SANDBOX=false to use the network")
    return Outside(
        transport,
        is_sandbox=bool(settings.sandbox),
        seats=settings.seats,
        timeouts=Timeouts(**settings.call_timeouts),
        gate=GateRule(settings.breaker_failures, settings.breaker_rest_seconds),
        calls_a_second=settings.calls_per_second,
    )


class ServiceClient:
    """The connections to one provider; safe for threads, one a process."""

    def __init__(
        self, provider: str, base_url: str, outside: Outside, *, headers: Mapping[str, str] | None = None
    ) -> None:
        self.provider, self._outside = provider, outside
        times, seats = outside.timeouts, outside.seats
        # A caller waits here for its turn, rather than for a connection, which would end in a time-out.
        self._seats = threading.BoundedSemaphore(seats)
        self._gate = Gate(provider, outside.gate) if outside.gate else None
        calls = outside.calls_a_second.get(provider)
        self._pace = Pace(calls) if calls else None
        self._client = httpx.Client(
            base_url=base_url,
            headers=dict(headers or {}),
            transport=_Shared(outside.transport) if outside.transport else None,
            verify=_trusted(),
            timeout=httpx.Timeout(connect=times.connect, read=times.read, write=times.write, pool=times.pool),
            limits=httpx.Limits(max_connections=seats, max_keepalive_connections=seats),
            follow_redirects=False,
            http2=False,
        )

    def call(self, method: str, path: str, *, witness: Witness | None = None, **request: Any) -> Answered:
        """One request, once. *request* are httpx's ``json, content, data, params, headers, auth``.

        Raises `NotSent` (`LeftInPeace` when no call was made at all) or `AnswerLost`.
        """
        request["headers"] = {**request.pop("headers", {}), **self._witness_headers(witness)}
        with self._seats:
            if self._gate is None:
                return self._made(method, path, request)
            with self._gate.passage() as told:
                answered = self._made(method, path, request)
                told(answered)
            return answered

    def _made(self, method: str, path: str, request: Mapping[str, Any]) -> Answered:
        if self._pace is not None:
            self._pace.wait()
        failure: CallFailed
        try:
            with self._client.stream(method, path, **request) as response:
                content = self._read(response)
                return Answered(self.provider, response.status_code, response.headers, content)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            failure = _failure(self.provider, error)
        # Outside the handler: the library's error holds the request, and with it the body.
        raise failure

    def look_up(self, method: str, path: str, *, witness: Witness | None = None, **request: Any) -> Answered:
        """A question that changes nothing, asked again as `until_answered` says. Raises `NotSent` or `AnswerLost`."""
        return until_answered(lambda: self.call(method, path, witness=witness, **request))

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _witness_headers(self, witness: Witness | None) -> dict[str, bytes]:
        if witness is None or not self._outside.is_sandbox:
            return {}
        # As bytes: an invoice number may hold letters that a header's ASCII does not.
        invoice = {"X-Witness-Invoice": witness.invoice.encode()} if witness.invoice else {}
        return {"X-Witness-Kind": witness.kind.encode(), **invoice}

    def _read(self, response: httpx.Response) -> bytes:
        """The body, as long as it comes in time and is of a sensible size."""
        content, deadline = bytearray(), time.monotonic() + self._outside.timeouts.total
        for part in response.iter_bytes():
            content += part
            if len(content) > LARGEST_ANSWER or time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer is too long")
        return bytes(content)


def until_answered(call: Callable[[], Answered]) -> Answered:
    """Make a call that is safe to repeat up to three times, with growing, uneven waits, within a minute.

    No answer, 429 and 5xx are asked again; ``Retry-After`` is kept to when it is at most 20 seconds. Gives the last
    answer, or raises the last `NotSent` or `AnswerLost`.
    """
    answered: list[Answered] = []
    try:
        for attempt in stamina.retry_context(
            _wait_before_retry, LOOK_UP_TRIES, LOOK_UP_SECONDS, wait_initial=0.2, wait_max=5.0, wait_jitter=0.3
        ):
            with attempt:
                answered.append(call())
                if answered[-1].status == 429 or answered[-1].status >= 500:
                    raise _AskAgain(answered[-1].retry_after_seconds)
    except _AskAgain:
        return answered[-1]
    return answered[-1]


class _Shared(httpx.BaseTransport):
    """A transport that several clients share: closing one client leaves it open for the rest."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass on."""
        return self._transport.handle_request(request)


class _AskAgain(Exception):
    """An answer that says: not now."""

    def __init__(self, after: float | None) -> None:
        super().__init__("the provider asked us to come back")
        self.after = after


def _wait_before_retry(error: Exception) -> bool | float:
    """Whether, or after how many seconds, a look-up is asked again."""
    if isinstance(error, _AskAgain) and error.after is not None:
        return error.after + random.uniform(0, 0.3) if error.after <= LONGEST_ASKED_WAIT else False  # noqa: S311
    is_passing = isinstance(error, CallFailed) and not error.needs_alarm and not isinstance(error, LeftInPeace)
    return isinstance(error, _AskAgain) or is_passing


def _failure(provider: str, error: Exception) -> CallFailed:
    """The library's error as one of our two."""
    name = type(error).__name__
    if _is_about_tls(error):
        return NotSent(provider, "the certificate or the encryption was not acceptable", needs_alarm=True)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return NotSent(provider, f"the request could not be made: {name}", needs_alarm=True)
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | httpx.PoolTimeout | httpx.ProxyError):
        return NotSent(provider, f"no connection: {name}")
    return AnswerLost(provider, f"no readable answer: {name}")


def _is_about_tls(error: BaseException) -> bool:
    """Whether a connection failed for its certificate; a broken pipe later on is not that."""
    if not isinstance(error, httpx.ConnectError):
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


@cache
def _trusted() -> ssl.SSLContext:
    """One context for all providers: loading the authorities takes longer than many a call."""
    return httpx.create_ssl_context()
