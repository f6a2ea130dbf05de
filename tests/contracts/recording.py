"""The stand-ins with every call kept: what we sent, and what was answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.parser import BytesParser
from typing import Any

import httpx

from app.sandbox.transport import SandboxTransport


@dataclass(frozen=True)
class Exchange:
    """One call. ``response`` is None when the answer got lost."""

    request: httpx.Request
    response: httpx.Response | None

    @property
    def place(self) -> str:
        """Method and path."""
        return f"{self.request.method} {self.request.url.path}"


class Recording(httpx.BaseTransport):
    """Passes on to the stand-ins, and keeps both sides."""

    def __init__(self, inner: SandboxTransport) -> None:
        self._inner = inner
        self.exchanges: list[Exchange] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        request.read()
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError:
            self.exchanges.append(Exchange(request, None))
            raise
        response.read()
        self.exchanges.append(Exchange(request, response))
        return response

    def those(self, fits: Callable[[httpx.Request], bool]) -> list[Exchange]:
        """The calls that *fits* says yes to."""
        return [exchange for exchange in self.exchanges if fits(exchange.request)]


def parts_of(request: httpx.Request) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file name, type and content of each part of a multipart body."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parts: Any = BytesParser().parsebytes(head + request.content).get_payload()
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in parts
    ]
