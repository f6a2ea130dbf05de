"""Requests a second of the front page and of Min side against a bare Flask hello on the same server.

One Granian worker with one thread a site, all three at once, each loaded in turn and again from one process with 16
connections kept open, on SQLite with the demo municipality. ``ours`` and ``limit`` are requests a second, so here a
higher ratio is better.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import secrets
import selectors
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from app.core.sessions import NAME
from bench.rows import Row

ROOT = Path(__file__).parent.parent
CONNECTIONS, REPETITIONS = 16, 5
SECONDS, WARM_UP_SECONDS, SMALL_SECONDS = 3.0, 1.0, 0.5
START_SECONDS = 30
INVOICES = "600"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(slots=True)
class Load:
    """Answers a second, and how long each took in seconds."""

    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def rate(self) -> float:
        """The median of the repetitions."""
        return statistics.median(self.rates)

    def wait(self, percent: int) -> float:
        """The wait in milliseconds that *percent* of the answers did not exceed."""
        return statistics.quantiles(self.waits, n=100)[percent - 1] * 1000


def run(is_small: bool = False) -> list[Row]:
    """The rows ``page-front`` and ``page-min-side``."""
    seconds = SMALL_SECONDS if is_small else SECONDS
    with contextlib.ExitStack() as stack:
        instance = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-pages-")))
        environment = _municipality(instance)
        token = _logged_in(instance / "fakturaportalen.db")
        hello = stack.enter_context(_served("bench.hello:app", environment))
        site = stack.enter_context(_served("wsgi:app", environment))
        requests = {
            "hello": (hello, _request("/")),
            "page-front": (site, _request("/")),
            "page-min-side": (site, _request("/min-side", token)),
        }
        loads = {name: Load() for name in requests}
        for port, request in requests.values():
            _loaded(port, request, WARM_UP_SECONDS, Load())
        for _ in range(REPETITIONS):
            for name, (port, request) in requests.items():
                _loaded(port, request, seconds, loads[name])
    return [_row(name, loads[name], loads["hello"]) for name in ("page-front", "page-min-side")]


def _row(name: str, load: Load, hello: Load) -> Row:
    pairs = zip(load.rates, hello.rates, strict=True)
    return {
        "name": name, "n": CONNECTIONS, "ours": round(load.rate()), "limit": round(hello.rate()),
        "ratio": round(statistics.median(ours / limit for ours, limit in pairs), 2), "unit": "requests/s", "peak_mb": 0,
        "note": f"half within {load.wait(50):.1f} ms, 99 % within {load.wait(99):.1f} ms",
    }  # fmt: skip


def _municipality(instance: Path) -> dict[str, str]:
    """The demo municipality in *instance*, its invoices sent; gives the environment of its commands."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = kept | {"INSTANCE_DIR": str(instance), "LOG_LEVEL": "ERROR", "PYTHONPATH": str(ROOT)}
    for arguments in (["db", "upgrade"], ["demo", "--invoices", INVOICES], ["invoices", "run", "--no-brakes"]):
        done = subprocess.run([sys.executable, "-m", "flask", *arguments], cwd=ROOT, env=environment,
                              capture_output=True, text=True, check=False)  # fmt: skip
        # 1: something needs a person, as it does in any municipality.
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stderr[-2000:])
    return environment


def _logged_in(database: Path) -> str:
    """A session of the resident who has the most invoices; gives the cookie's value."""
    token, now = f"k.{secrets.token_urlsafe(32)}", dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(" ")
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        (resident,) = connection.execute(
            "SELECT resident_id FROM invoice WHERE resident_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        ).fetchone()
        connection.execute(
            "INSERT INTO stored_session (token_hash, data, started_at, seen_at) VALUES (?, ?, ?, ?)",
            (hashlib.sha256(token.encode()).digest(), f'{{"way": "idporten", "resident": {resident}}}', now, now),
        )
    return token


@contextlib.contextmanager
def _served(target: str, environment: dict[str, str]) -> Iterator[int]:
    """One Granian worker for *target*; gives the port, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--workers", "1",
               "--blocking-threads", "1", "--no-access-log", "--port", str(port), target]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            if time.monotonic() > until or server.poll() is not None:
                raise RuntimeError(f"{target} does not start")
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def _request(path: str, token: str = "") -> bytes:
    cookie = f"Cookie: {NAME}={token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: nb\r\n{cookie}\r\n".encode()


def _loaded(port: int, request: bytes, seconds: float, load: Load) -> None:
    """Ask over all connections for *seconds*; each asks anew as soon as its answer is whole."""
    selector, begun, answered = selectors.DefaultSelector(), time.perf_counter(), 0
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            opened = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            opened.sendall(request)
            selector.register(opened, selectors.EVENT_READ, [time.perf_counter(), b""])
        while (now := time.perf_counter()) - begun < seconds:
            for key, _ in selector.select(timeout=1):
                state, connection = key.data, cast(socket.socket, key.fileobj)
                state[1] += connection.recv(262_144)
                if _is_whole(state[1]):
                    now = time.perf_counter()
                    load.waits.append(now - state[0])
                    answered += 1
                    state[:] = [now, b""]
                    connection.sendall(request)
        load.rates.append(answered / (now - begun))
    selector.close()


def _is_whole(answer: bytes) -> bool:
    """Whether the answer has all its bytes. Raises RuntimeError for one that is not 200."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head[:200].decode(errors="replace"))
    found = _LENGTH.search(head + b"\r\n")
    return found is not None and len(body) >= int(found[1])
