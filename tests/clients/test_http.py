"""Calls: what surely never left is told from what may have been taken, and look-ups are asked again within bounds."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from pathlib import Path

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
