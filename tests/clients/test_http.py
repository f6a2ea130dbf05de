"""Calls: what surely never left is told from what may have been taken, and look-ups are asked again within bounds."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.clients import http
from app.clients.http import (
    Answered,
    AnswerLost,
    CallFailed,
    NotSent,
    Outside,
    ServiceClient,
    Timeouts,
    Witness,
)
from app.core.errors import SettingsInvalid
from app.core.settings import load_settings
from tests.clients.fakes import QUICK, answer, outside, reset, say, server

NUMBER = "13857410038"


def client(url: str, timeouts: Timeouts = QUICK, seats: int = 2) -> ServiceClient:
    return ServiceClient("bank", url, Outside(timeouts=timeouts, seats=seats))


def failure_of(url: str, timeouts: Timeouts = QUICK) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        client(url, timeouts).call("POST", "/send", json={"number": NUMBER})
    return caught.value


def test_nobody_listening_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failure = failure_of(f"http://127.0.0.1:{port}")
    assert isinstance(failure, NotSent)
    assert not failure.needs_alarm


def test_a_broken_connection_after_the_request_means_the_answer_is_lost() -> None:
    with server(reset) as url:
        assert isinstance(failure_of(url), AnswerLost)


def test_a_connection_closed_without_a_word_means_the_answer_is_lost() -> None:
    with server(say(b"")) as url:
        assert isinstance(failure_of(url), AnswerLost)


def test_something_that_is_not_http_means_the_answer_is_lost() -> None:
    with server(say(b"220 mail.example.com ESMTP\r\n")) as url:
        assert isinstance(failure_of(url), AnswerLost)


def test_a_server_that_takes_the_request_and_is_silent_means_the_answer_is_lost() -> None:
    done = threading.Event()

    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        done.wait(5)

    with server(silent) as url:
        failure = failure_of(url)
        done.set()
    assert isinstance(failure, AnswerLost)


def test_an_answer_that_trickles_is_given_up_in_the_end() -> None:
    def trickle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" ")
            time.sleep(0.02)

    with server(trickle) as url:
        assert isinstance(failure_of(url, Timeouts(0.5, 0.5, 0.5, 0.5, total=0.2)), AnswerLost)


def test_a_slow_answer_within_the_time_out_is_an_answer() -> None:
    def slow(connection: socket.socket) -> None:
        connection.recv(65536)
        time.sleep(0.05)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with server(slow) as url:
        assert client(url).call("GET", "/").json() == {}


def test_an_answer_too_long_to_keep_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 10)
    way, _ = outside({"/": answer(200, {"text": "longer than ten"})})
    with pytest.raises(AnswerLost):
        ServiceClient("bank", "https://bank.test", way).call("GET", "/")


def test_a_certificate_nobody_vouches_for_means_not_sent_and_an_alarm(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))

    def handshake(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True):
            pass

    with server(handshake) as url:
        failure = failure_of(url.replace("http://", "https://"))
    assert isinstance(failure, NotSent)
    assert failure.needs_alarm


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(1), now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_an_address_that_is_none_means_not_sent_and_an_alarm() -> None:
    failure = failure_of("ftp://bank.test")
    assert isinstance(failure, NotSent)
    assert failure.needs_alarm


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectTimeout, httpx.ConnectError, httpx.PoolTimeout, httpx.ProxyError],
    ids=lambda kind: kind.__name__,
)
def test_failures_before_sending_mean_not_sent(error: type[httpx.TransportError]) -> None:
    way, _ = outside({"/": error("as told")})
    with pytest.raises(NotSent):
        ServiceClient("bank", "https://bank.test", way).call("GET", "/")


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError],
    ids=lambda kind: kind.__name__,
)
def test_failures_after_sending_began_mean_the_answer_is_lost(error: type[httpx.TransportError]) -> None:
    way, _ = outside({"/": error("as told")})
    with pytest.raises(AnswerLost):
        ServiceClient("bank", "https://bank.test", way).call("GET", "/")


def test_a_failure_holds_nothing_of_the_request() -> None:
    with server(reset) as url:
        failure = failure_of(url)
    assert failure.__context__ is None
    assert failure.__cause__ is None
    assert NUMBER not in f"{failure!r} {failure} {vars(failure)}"
    assert url.removeprefix("http://") not in str(failure)


def test_an_answer_shows_its_status_alone() -> None:
    way, _ = outside({"/": answer(200, {"number": NUMBER})})
    answered = ServiceClient("bank", "https://bank.test", way).call("GET", "/")
    assert NUMBER not in repr(answered)


def test_json_that_cannot_be_read_is_a_lost_answer() -> None:
    answered = Answered("bank", 200, {}, b"<html>")
    with pytest.raises(AnswerLost):
        answered.json()
    with pytest.raises(AnswerLost):
        Answered("bank", 200, {}, b"[1]").json_object()


def test_redirects_are_not_followed() -> None:
    way, told = outside({"/": httpx.Response(302, headers={"Location": "https://elsewhere.test/"})})
    assert ServiceClient("bank", "https://bank.test", way).call("GET", "/").status == 302
    assert len(told.requests) == 1


def test_only_the_sandbox_sees_the_witness() -> None:
    way, told = outside({"/": answer(200)})
    for is_sandbox in (True, False):
        there = Outside(told, is_sandbox=is_sandbox)
        ServiceClient("bank", "https://bank.test", there).call("GET", "/", witness=Witness("demand", "Få-1"))
    ServiceClient("bank", "https://bank.test", Outside(told, is_sandbox=True)).call("GET", "/")
    seen, hidden, none = told.requests
    assert way.transport is told
    assert seen.headers.get("x-witness-kind") == "demand"
    assert dict(seen.headers.raw)[b"X-Witness-Invoice"].decode() == "Få-1"
    for request in (hidden, none):
        assert not [name for name in request.headers if name.startswith("x-witness")]


def test_closing_one_client_leaves_the_shared_transport_to_the_others() -> None:
    class Closable(httpx.MockTransport):
        closed = False

        def close(self) -> None:
            self.closed = True

    transport = Closable(lambda _request: httpx.Response(200))
    first = ServiceClient("bank", "https://bank.test", Outside(transport))
    first.call("GET", "/")
    first.close()
    assert not transport.closed


def test_more_callers_than_seats_wait_for_their_turn() -> None:
    inside, most, lock, pair = [0], [0], threading.Lock(), threading.Barrier(2)

    def handle(_request: httpx.Request) -> httpx.Response:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        pair.wait(10)
        with lock:
            inside[0] -= 1
        return httpx.Response(200)

    bank = ServiceClient("bank", "https://bank.test", Outside(httpx.MockTransport(handle), seats=2))
    threads = [threading.Thread(target=bank.call, args=("GET", "/")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


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
