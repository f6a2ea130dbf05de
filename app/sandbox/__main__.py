"""The stand-ins as a process of their own: ``python -m app.sandbox --directory DIR --port 9099``.

Services are asked by the Host header, or by path: with the base address
``http://127.0.0.1:9099/_host/kontaktregisteret.no`` the contact register answers.
"""

from __future__ import annotations

import argparse
import datetime as dt
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from werkzeug.serving import WSGIRequestHandler, make_server

from app.sandbox.application import create_sandbox, now
from app.sandbox.standin import TIMEOUT_HEADER

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

OSLO = ZoneInfo("Europe/Oslo")


class QuietHandler(WSGIRequestHandler):
    """No line per request: addresses hold national ids. Keeps Vipps' header names with an underscore."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""

    def make_environ(self) -> WSGIEnvironment:
        """The environment with ``client_id`` and ``client_secret``."""
        environ = super().make_environ()
        for name in ("client_id", "client_secret"):
            if name in self.headers:
                environ[f"HTTP_{name.upper()}"] = self.headers[name]
        return environ


class HeldBack:
    """Keeps an answer that a time-out fault has lost until no client waits any more."""

    def __init__(self, application: WSGIApplication, seconds: float) -> None:
        self._application, self._seconds = application, seconds

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, late when it is lost."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if any(name == TIMEOUT_HEADER for name, _ in headers):
                time.sleep(self._seconds)
            return start_response(status, headers, *rest)

        return self._application(environ, start)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; ends the process with 2 when it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m app.sandbox", description="Stand-ins for every outside service.")
    parser.add_argument("--directory", type=Path, required=True, help="where received.jsonl and sandbox.json lie")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: this machine alone)")
    parser.add_argument("--port", type=int, default=9099, help="port to listen at; 0 takes a free one")
    parser.add_argument("--today", type=dt.date.fromisoformat, help="the day it is there (default: today)")
    parser.add_argument("--timeout-seconds", type=float, default=60.0, help="how long a lost answer is held back")
    return parser.parse_args(arguments)


def stop(signal_number: int, frame: FrameType | None) -> None:
    """SIGTERM ends the process cleanly."""
    raise SystemExit(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    given = parsed(arguments)
    shift = given.today - dt.datetime.now(OSLO).date() if given.today else dt.timedelta(0)
    sandbox = create_sandbox(given.directory, lambda: now() + shift)
    application = HeldBack(sandbox, given.timeout_seconds)
    server = make_server(given.host, given.port, application, threaded=True, request_handler=QuietHandler)
    signal.signal(signal.SIGTERM, stop)
    sys.stdout.write(f"sandbox listening at http://{given.host}:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
