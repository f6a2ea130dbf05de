"""Look-ups are asked again within bounds, and a call that may change something is made once."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clients import http
from app.clients.http import (
    Answered,
    AnswerLost,
    ServiceClient,
)
from app.core.errors import SettingsInvalid
from app.core.settings import load_settings
from tests.clients.fakes import answer, outside


@pytest.mark.parametrize(
    "first", [answer(500), answer(429), answer(503), httpx.ReadTimeout("x"), httpx.ConnectError("x")]
)
def test_a_look_up_is_asked_again(first: Any) -> None:
    way, told = outside({"/": [first, answer(200, {"found": True})]})
    assert ServiceClient("bank", "https://bank.test", way).look_up("GET", "/").json() == {"found": True}
    assert len(told.requests) == 2


@pytest.mark.parametrize("reply", [answer(500), answer(429)])
def test_a_look_up_is_asked_three_times_and_gives_the_last_answer(reply: httpx.Response) -> None:
    way, told = outside({"/": reply})
    assert ServiceClient("bank", "https://bank.test", way).look_up("GET", "/").status == reply.status_code
    assert len(told.requests) == 3


def test_a_look_up_without_any_answer_fails_after_three_tries() -> None:
    way, told = outside({"/": httpx.ReadTimeout("x")})
    with pytest.raises(AnswerLost):
        ServiceClient("bank", "https://bank.test", way).look_up("GET", "/")
    assert len(told.requests) == 3


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 422])
def test_an_answer_that_will_not_change_is_not_asked_for_again(status: int) -> None:
    way, told = outside({"/": answer(status)})
    assert ServiceClient("bank", "https://bank.test", way).look_up("GET", "/").status == status
    assert len(told.requests) == 1


def test_a_call_that_is_no_look_up_is_made_once() -> None:
    way, told = outside({"/": answer(500)})
    assert ServiceClient("bank", "https://bank.test", way).call("POST", "/").status == 500
    assert len(told.requests) == 1


def test_a_wait_longer_than_we_have_is_not_waited_for() -> None:
    way, told = outside({"/": answer(429, headers={"Retry-After": "3600"})})
    answered = ServiceClient("bank", "https://bank.test", way).look_up("GET", "/")
    assert answered.retry_after_seconds == 3600
    assert len(told.requests) == 1


@pytest.mark.parametrize(
    ("value", "low", "high"), [("7", 7, 7), ("0", 0, 0), ("soon", None, None), ("", None, None), ("-5", None, None)]
)
def test_retry_after_in_seconds(value: str, low: float | None, high: float | None) -> None:
    seconds = Answered("bank", 429, {"retry-after": value}, b"").retry_after_seconds
    assert (seconds is None) if low is None else (seconds is not None and low <= seconds <= (high or 0))


def test_retry_after_as_a_date() -> None:
    later = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10), usegmt=True)
    seconds = Answered("bank", 429, {"retry-after": later}, b"").retry_after_seconds
    assert seconds is not None
    assert 500 < seconds <= 600
    assert Answered("bank", 429, {"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}, b"").retry_after_seconds == 0


def test_development_never_reaches_the_network_by_accident(tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, instance_dir=tmp_path)
    with pytest.raises(SettingsInvalid, match="SANDBOX"):
        http.outside(settings, None)
    assert http.outside(settings.model_copy(update={"sandbox": False}), None).transport is None
    transport = httpx.MockTransport(lambda _request: httpx.Response(200))
    assert http.outside(settings, transport).is_sandbox
