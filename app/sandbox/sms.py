"""Stand-in for an SMS gateway: ``POST https://sms.sandbox/v1/messages`` with ``{"id", "to", "from", "text"}``.

``id`` is chosen by the sender (1 to 64 letters, digits or ``-``), ``to`` is E.164. 202 ``{"id", "status": "QUEUED"}``,
the same again for a repeat; errors are ``{"error", "message"}``. The text lies in ``SANDBOX_DIR/sms/<id>.txt``, so that
a developer can read the code; the log holds neither text nor number. ``refuse`` answers 400 ``unreachable``.
"""

from __future__ import annotations

import os
import re
from typing import Any, ClassVar

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from app.sandbox.faults import WHILE_PREPARING
from app.sandbox.standin import Answer, Call, StandIn, json_response


class SmsGateway(StandIn):
    """Our own plain contract; a real gateway is chosen with the supplier."""

    service = "sms"
    hosts: ClassVar[tuple[str, ...]] = ("sms.sandbox",)
    routes = Map([Rule("/v1/messages", methods=["POST"], endpoint="send")])

    def send(self, call: Call) -> Response:
        """Take a text message once."""
        message = message_of(call)
        identifier, kind = message["id"], call.kind or "code"
        with self.place.log.held() as held:
            fault = self.draw(call, held, "send", identifier, WHILE_PREPARING)
            self.stop_on(call, held, fault, identifier, kind)
            is_known = held.record(self.service, identifier).taken is not None
            outcome = "refused" if fault == "refuse" else "repeat" if is_known else "accepted"
            if outcome == "accepted":
                self._store(message)
            held.append(call.entry(self.service, identifier, outcome, kind))
        if outcome == "refused":
            return json_response({"error": "unreachable", "message": "The number cannot be reached"}, 400)
        return self.faulty(call, fault, json_response({"id": identifier, "status": "QUEUED"}, 202))

    def _store(self, message: dict[str, str]) -> None:
        folder = self.place.directory / "sms"
        folder.mkdir(exist_ok=True)
        unfinished = folder / f".{message['id']}.{os.getpid()}"
        unfinished.write_text(f"to: {message['to']}\nfrom: {message['from']}\n\n{message['text']}\n", encoding="utf-8")
        unfinished.replace(folder / f"{message['id']}.txt")


def message_of(call: Call) -> dict[str, str]:
    """The message; an `Answer` when the body is not one."""
    try:
        body: Any = call.json()
    except ValueError:
        body = None
    fields = {"id": r"[A-Za-z0-9-]{1,64}", "to": r"\+[1-9]\d{7,14}", "from": r"(?s).{1,20}", "text": r"(?s).{1,1600}"}
    for field, pattern in fields.items():
        value = body.get(field) if isinstance(body, dict) else None
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise Answer(json_response({"error": "invalid", "message": f"{field} is missing or wrong"}, 400))
    return {field: body[field] for field in fields}
