"""An httpx transport that asks the stand-ins in this process, and loses answers when a fault says so."""

from __future__ import annotations

from pathlib import Path

import httpx

from app.sandbox.application import create_sandbox, now
from app.sandbox.standin import TIMEOUT_HEADER, Clock


class SandboxTransport(httpx.BaseTransport):
    """`httpx.WSGITransport` ignores time-outs, so this one raises them.

    Raises httpx.ConnectTimeout for ``timeout_before`` (not taken) and httpx.ReadTimeout for ``timeout_after`` (taken).
    """

    def __init__(self, directory: Path, clock: Clock = now) -> None:
        self._inner = httpx.WSGITransport(app=create_sandbox(directory, clock))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        response = self._inner.handle_request(request)
        lost = response.headers.get(TIMEOUT_HEADER)
        if lost is None:
            return response
        response.close()
        if lost == "before":
            raise httpx.ConnectTimeout("the sandbox does not answer", request=request)
        raise httpx.ReadTimeout("the sandbox's answer is lost", request=request)
