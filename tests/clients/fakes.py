"""Providers that do as told, in the process and on a real socket."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from joserfc.jwk import RSAKey

from app.clients.http import Outside, Timeouts
from app.clients.maskinporten import Maskinporten

Reply = httpx.Response | Exception
Answerer = Callable[[httpx.Request], Reply]
QUICK = Timeouts(connect=0.5, read=0.3, write=0.3, pool=0.5, total=1.0)


class Told(httpx.BaseTransport):
    """Answers each request by the first path that fits, with the next of its replies; the last one is kept to."""

    def __init__(self, replies: Mapping[str, Reply | Answerer | list[Reply]]) -> None:
        self._replies = {path: list(reply) if isinstance(reply, list) else reply for path, reply in replies.items()}
        self.requests: list[httpx.Request] = []
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or fail, as told."""
        with self._lock:
            self.requests.append(request)
            reply = self._reply(request)
        if isinstance(reply, Exception):
            raise reply
        # Each caller reads its own copy.
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    def _reply(self, request: httpx.Request) -> Reply:
        for path, reply in self._replies.items():
            if request.url.path.startswith(path):
                if isinstance(reply, list):
                    return reply.pop(0) if len(reply) > 1 else reply[0]
                return reply(request) if callable(reply) and not isinstance(reply, Exception) else reply
        raise AssertionError(f"nothing told for {request.url.path}")

    def paths(self) -> list[str]:
        """The paths asked, in order."""
        return [request.url.path for request in self.requests]

    def bodies(self, path: str) -> list[Any]:
        """The JSON bodies sent to *path*."""
        return [json.loads(request.content) for request in self.requests if request.url.path == path]


def outside(replies: Mapping[str, Reply | Answerer | list[Reply]]) -> tuple[Outside, Told]:
    """A way to a provider that answers as told, and what it was asked."""
    told = Told(replies)
    return Outside(told, seats=2), told


def answer(status: int, content: Any = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer with JSON."""
    return httpx.Response(status, json=content if content is not None else {}, headers=headers or {})


TOKEN = answer(200, {"access_token": "token-1", "token_type": "Bearer", "expires_in": 599})
KEY = RSAKey.generate_key(2048, {"kid": "test-1"}, private=True)


def maskinporten(replies: Reply | Answerer | list[Reply] = TOKEN, **more: Any) -> tuple[Maskinporten, Told]:
    """A client of a Maskinporten that answers as told."""
    way, told = outside({"/token": replies})
    return Maskinporten(way, issuer="https://maskinporten.test/", client_id="us", key=KEY, **more), told


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on this machine that treats each connection with *serve*; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    serve(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def reset(connection: socket.socket) -> None:
    """Read the request, then break the connection off."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def say(text: bytes) -> Callable[[socket.socket], None]:
    """Read the request, then answer *text* whatever it is."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(text)

    return serve
