"""The ways to the stand-ins: in this process, losing answers when a fault says so, or in another over a socket."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from werkzeug.test import run_wsgi_app

from app.sandbox.application import create_sandbox, now
from app.sandbox.standin import TIMEOUT_HEADER, Clock

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PORTS = {"http": 80, "https": 443}


class SandboxTransport(httpx.BaseTransport):
    """Like `httpx.WSGITransport`, which however ignores time-outs and fails on a header that is not ASCII.

    Safe for threads. Raises httpx.ConnectTimeout for ``timeout_before`` (not taken) and httpx.ReadTimeout for
    ``timeout_after`` (taken).
    """

    def __init__(self, directory: Path, clock: Clock = now) -> None:
        self._application = create_sandbox(directory, clock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        parts, status, headers = run_wsgi_app(self._application, environment(request), buffered=True)
        lost = headers.get(TIMEOUT_HEADER)
        if lost == "before":
            raise httpx.ConnectTimeout("the sandbox does not answer", request=request)
        if lost is not None:
            raise httpx.ReadTimeout("the sandbox's answer is lost", request=request)
        return httpx.Response(int(status.split(" ", 1)[0]), headers=list(headers), content=b"".join(parts))


class SandboxProcess(httpx.BaseTransport):
    """Asks the stand-ins of another process (``python -m app.sandbox``) at *address*, over real connections.

    The header ``Host`` goes on naming the service. Safe for threads. Raises what httpx raises: nothing is made up here.
    """

    def __init__(self, address: str) -> None:
        url = httpx.URL(address)
        self._place = {"scheme": url.scheme, "host": url.host, "port": url.port}
        self._transport = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass one request on."""
        moved = httpx.Request(
            request.method,
            request.url.copy_with(**self._place),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._transport.handle_request(moved)

    def close(self) -> None:
        """Let the connections go."""
        self._transport.close()


def transport_to(directory: Path, address: str, clock: Clock = now) -> httpx.BaseTransport:
    """The stand-ins at *address*, or, without one, in this process with their state under *directory*."""
    return SandboxProcess(address) if address else SandboxTransport(directory, clock)


def environment(request: httpx.Request) -> WSGIEnvironment:
    """The request as WSGI hands it over: header bytes as ISO-8859-1."""
    content = request.read()
    environ: WSGIEnvironment = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.url.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.url.path.encode().decode("latin-1"),
        "QUERY_STRING": request.url.query.decode("ascii"),
        "SERVER_NAME": request.url.host,
        "SERVER_PORT": str(request.url.port or PORTS[request.url.scheme]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
    }
    for name, value in request.headers.raw:
        key = name.decode("ascii").upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value.decode("latin-1")
    environ["CONTENT_LENGTH"] = str(len(content))
    return environ
