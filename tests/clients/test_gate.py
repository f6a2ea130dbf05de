"""A provider that does not answer is left in peace, then tried by one call; none is asked faster than it bears."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import circuitbreaker
import httpx
import pytest
import structlog

from app.clients.exchange import Answered, AnswerLost, NotSent
from app.clients.gate import Gate, GateRule, LeftInPeace, Pace
from app.clients.http import Outside, ServiceClient, Timeouts, outside
from tests.conftest import make_settings

RULE = GateRule(failures=3, rest_seconds=30)


class Time:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(circuitbreaker, "monotonic", time)
    return time


class Provider:
    """Answers with ``status``, or breaks off when that is 0; ``calls`` counts."""

    def __init__(self) -> None:
        self.status, self.calls = 200, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if not self.status:
            raise httpx.ReadTimeout("slow", request=request)
        if self.status < 0:
            raise httpx.ConnectError("no", request=request)
        return httpx.Response(self.status)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def client(provider: Provider, time: Time) -> ServiceClient:
    return ServiceClient("p", "https://p.example", Outside(httpx.MockTransport(provider), gate=RULE))


def ask(client: ServiceClient) -> str:
    """What came of one call."""
    try:
        return str(client.call("GET", "/").status)
    except (NotSent, AnswerLost) as failure:
        return type(failure).__name__


@pytest.mark.parametrize(("status", "came"), [(0, "AnswerLost"), (-1, "NotSent"), (503, "503")])
def test_after_so_many_failures_in_a_row_no_call_is_made_and_nothing_can_have_been_sent(
    client: ServiceClient, provider: Provider, status: int, came: str
) -> None:
    provider.status = status
    assert [ask(client) for _ in range(5)] == [came] * 3 + ["LeftInPeace"] * 2
    assert provider.calls == 3
    with pytest.raises(NotSent):
        client.call("GET", "/")


@pytest.mark.parametrize("status", [200, 401, 404, 409, 429])
def test_any_answer_that_is_not_the_provider_s_own_failure_starts_the_count_anew(
    client: ServiceClient, provider: Provider, status: int
) -> None:
    for wanted in (0, 0, status, 0, 0, status):
        provider.status = wanted
        assert ask(client) != "LeftInPeace"


def test_when_it_has_rested_one_call_tries_and_an_answer_opens_the_way(
    client: ServiceClient, provider: Provider, time: Time
) -> None:
    provider.status = 0
    for _ in range(3):
        ask(client)
    time.pass_by(29)
    assert ask(client) == "LeftInPeace"
    time.pass_by(2)
    assert [ask(client) for _ in range(3)] == ["AnswerLost", "LeftInPeace", "LeftInPeace"]
    time.pass_by(31)
    provider.status = 200
    with structlog.testing.capture_logs() as lines:
        assert [ask(client) for _ in range(3)] == ["200"] * 3
    assert [line["event"] for line in lines] == ["provider tried again", "provider answers again"]


def test_that_a_provider_is_left_in_peace_is_said_once(client: ServiceClient, provider: Provider) -> None:
    provider.status = 0
    with structlog.testing.capture_logs() as lines:
        for _ in range(9):
            ask(client)
    assert lines == [{"event": "provider left in peace", "log_level": "warning", "provider": "p", "seconds": 30}]


def test_of_many_that_would_try_one_does(time: Time) -> None:
    gate, first_is_in, others_are_done = Gate("p", RULE), threading.Event(), threading.Event()
    for _ in range(3):
        with pytest.raises(AnswerLost), gate.passage():
            raise AnswerLost("p", "gone")
    time.pass_by(31)

    def try_first() -> None:
        with gate.passage() as told:
            first_is_in.set()
            assert others_are_done.wait(20)
            told(Answered("p", 200, {}, b""))

    def try_other(_number: int) -> bool:
        try:
            with gate.passage():
                return True
        except LeftInPeace:
            return False

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(try_first)
        assert first_is_in.wait(20)
        assert not any(pool.map(try_other, range(7)))
        others_are_done.set()
        first.result(20)
        assert try_other(8)


def test_a_late_answer_to_an_old_call_opens_nothing(time: Time) -> None:
    gate = Gate("p", RULE)
    with gate.passage() as told:
        for _ in range(3):
            with pytest.raises(AnswerLost), gate.passage():
                raise AnswerLost("p", "gone")
        told(Answered("p", 200, {}, b""))
    with pytest.raises(LeftInPeace), gate.passage():
        pass


def test_our_own_fault_and_our_own_death_say_nothing_about_the_provider(time: Time) -> None:
    gate = Gate("p", RULE)
    errors: list[BaseException] = [NotSent("p", "bad certificate", needs_alarm=True), KeyboardInterrupt(), ValueError()]
    for error in errors * 4:
        with pytest.raises(type(error)), gate.passage():
            raise error
    with gate.passage():
        pass


def test_a_look_up_does_not_wait_for_a_provider_that_is_left_in_peace(
    client: ServiceClient, provider: Provider
) -> None:
    provider.status = 0
    for _ in range(3):
        ask(client)
    with pytest.raises(LeftInPeace):
        client.look_up("GET", "/")
    assert provider.calls == 3


# The pace


def many(pace: Pace, count: int, time: Time) -> list[float]:
    moments = []
    for _ in range(count):
        pace.wait()
        moments.append(time.now)
    return moments


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(1 for other in moments if moment <= other < moment + seconds) for moment in moments)


def test_no_more_calls_are_made_than_the_pace_allows() -> None:
    time = Time()
    moments = many(Pace(10, time, time.pass_by), 100, time)
    # A full burst, and the pace after it.
    assert most_within(moments, 1.0) <= 20
    assert 8.5 <= moments[-1] - moments[0] <= 10.5


def test_threads_share_the_pace() -> None:
    time, lock = Time(), threading.Lock()

    def sleep(seconds: float) -> None:
        with lock:
            time.now += seconds

    pace = Pace(10, time, sleep)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pace.wait(), range(100)))
    assert time.now - 1000 >= 8.5


def test_only_the_provider_that_is_named_is_slowed(provider: Provider) -> None:
    way = Outside(httpx.MockTransport(provider), calls_a_second={"slow": 5})
    assert ServiceClient("slow", "https://p.example", way)._pace is not None
    assert ServiceClient("fast", "https://p.example", way)._pace is None


def test_the_settings_give_the_gate_and_the_pace(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, breaker_failures=4, breaker_rest_seconds=2, calls_per_second="krr=7")
    way = outside(settings, httpx.MockTransport(Provider()))
    assert (way.gate, way.calls_a_second, way.timeouts) == (GateRule(4, 2), {"krr": 7}, Timeouts())


def test_a_pace_for_a_provider_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CALLS_PER_SECOND: pigeon"):
        make_settings(tmp_path, calls_per_second="pigeon=1")
