"""An access point that does as told, and remembers what it was asked."""

from __future__ import annotations

from typing import Any

import httpx

from app.clients.eformidling import Eformidling
from app.clients.eformidling_contract import PROCESS, Kind, OutMessage
from tests.clients.fakes import Answerer, Reply, answer, outside

MESSAGE_ID = "5d0a1f0e-0000-5000-8000-000000000017"
CREATE = "/api/messages/out"
MESSAGE = f"{CREATE}/{MESSAGE_ID}"
STATUSES = f"/api/statuses/{MESSAGE_ID}"
EXCEPTIONS = "no.difi.meldingsutveksling.exceptions"


def statuses(*words: str, message_id: str = MESSAGE_ID) -> httpx.Response:
    """A page of statuses."""
    return answer(200, {"content": [{"status": word, "messageId": message_id} for word in words], "last": True})


def error(exception: str, status: int = 400) -> httpx.Response:
    """An error in the access point's shape."""
    return answer(status, {"status": status, "exception": f"{EXCEPTIONS}.{exception}", "message": "…", "path": "/api"})


def capabilities(*kinds: str, process: str = PROCESS) -> httpx.Response:
    """What somebody can be sent."""
    documents = [{"type": kind, "standard": "…"} for kind in kinds]
    return answer(200, {"capabilities": [{"process": process, "documentTypes": documents}]})


class AccessPoint:
    """``create``, ``attach`` and ``send`` are told one by one; the usual answer is 200."""

    def __init__(self, **told: Reply | list[Reply]) -> None:
        self._steps: dict[str, Reply | list[Reply]] = {name: told.pop(name, answer(200)) for name in STEPS}
        replies: dict[str, Reply | Answerer | list[Reply]] = {
            "/api/capabilities": told.pop("capabilities", capabilities("digital")),
            "/api/statuses": told.pop("statuses", statuses()),
            CREATE: self._answer,
        }
        assert not told
        self.outside, self.told = outside(replies)
        self.client = Eformidling(self.outside, "http://localhost:9093", "user", "pass word")

    def _answer(self, request: httpx.Request) -> Reply:
        name = step_of(request)
        reply = self._steps[name]
        if isinstance(reply, list):
            return reply.pop(0) if len(reply) > 1 else reply[0]
        return reply

    @property
    def steps(self) -> list[str]:
        """What was asked, in order."""
        return [step_of(request) for request in self.told.requests]


STEPS = ("create", "attach", "send")


def step_of(request: httpx.Request) -> str:
    """The name of what a request asks."""
    if not request.url.path.startswith(CREATE):
        return request.url.path.split("/")[2]
    if request.method == "PUT":
        return "attach"
    return "create" if request.url.path == CREATE else "send"


def a_message(**values: Any) -> OutMessage:
    """A digital letter."""
    usual: dict[str, Any] = {
        "message_id": MESSAGE_ID,
        "conversation_id": "5d0a1f0e-0000-5000-8000-000000000018",
        "kind": Kind.DIGITAL,
        "sender": "946485764",
        "receiver": "13857410038",
        "content": {"hoveddokument": "faktura-17.pdf"},
        "file_name": "faktura-17.pdf",
        "pdf": b"%PDF-1.7",
    }
    return OutMessage(**{**usual, **values})
