"""What all stand-ins share: a request with its witness, the log, the registries, and faults as answers."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from app.sandbox.faults import ANSWER_LOST, NOT_TAKEN, SLOW_SECONDS, draw
from app.sandbox.keys import SandboxKey
from app.sandbox.received import Entry, Held, ReceivedLog
from app.sandbox.registry import Registry, World

TIMEOUT_HEADER = "X-Sandbox-Timeout"
Clock = Callable[[], dt.datetime]


class Answer(Exception):
    """An answer that ends the call from anywhere inside it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_response(content: Any, status: int = 200, mimetype: str = "application/json") -> Response:
    """*content* as JSON in UTF-8."""
    return Response(json.dumps(content, ensure_ascii=False).encode(), status, mimetype=mimetype)


@dataclass(frozen=True, slots=True)
class Place:
    """What lies in one sandbox directory."""

    directory: Path
    log: ReceivedLog
    key: SandboxKey
    registry: Registry
    clock: Clock


@dataclass(slots=True)
class Call:
    """One request: who is asked, by which invoice, and when."""

    request: Request
    host: str
    world: World
    now: dt.datetime

    @property
    def invoice(self) -> str | None:
        """The header ``X-Witness-Invoice``."""
        return _utf8(self.request.headers.get("X-Witness-Invoice"))

    @property
    def kind(self) -> str | None:
        """The header ``X-Witness-Kind``: demand, notice, claim, offer or code."""
        return self.request.headers.get("X-Witness-Kind") or None

    def json(self) -> Any:
        """The body; raises ValueError when it is not JSON."""
        return json.loads(self.request.get_data())

    def entry(self, service: str, identifier: str, outcome: str, kind: str, **more: Any) -> Entry:
        """A line for the log; *more* may name another invoice than the header's."""
        return {
            "at": self.now.isoformat(),
            "service": service,
            "id": identifier,
            "invoice": more.pop("invoice", self.invoice),
            "kind": kind,
            "outcome": outcome,
            **more,
        }


class StandIn:
    """One service at its real addresses; ``fault_response`` gives 429 and 500 in the service's own words."""

    service: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    routes: ClassVar[Map]

    def __init__(self, place: Place) -> None:
        self.place = place

    def answer(self, call: Call) -> Response:
        """Find the endpoint and call it; an unknown path is answered as the service would."""
        try:
            endpoint, values = self.routes.bind_to_environ(call.request.environ).match()
            response: Response = getattr(self, endpoint)(call, **values)
        except Answer as answer:
            return answer.response
        except HTTPException as error:
            return self.http_error(call, error)
        return response

    def http_error(self, call: Call, error: HTTPException) -> Response:
        """The service's words for a path or method that it does not have."""
        return json_response({"error": error.name}, error.code or 500)

    def fault_response(self, call: Call, status: int) -> Response:
        """The service's words for 429 and 500."""
        name = "Too Many Requests" if status == 429 else "Internal Server Error"
        return json_response({"error": name}, status)

    def draw(
        self,
        call: Call,
        held: Held,
        step: str,
        identifier: str,
        possible: Collection[str],
        national_id: str | None = None,
        invoice: str | None = None,
    ) -> str:
        """The fault of this call, or ``""``."""
        faults, record = call.world.faults, held.record(self.service, identifier)
        if record.taken is not None and record.taken["kind"] != "lookup":
            possible = {kind for kind in possible if kind not in {"refuse", "late_refusal"}}
        invoice = invoice or call.invoice
        return draw(faults, self.service, step, identifier, record.tries, possible, invoice, national_id)

    def stop_on(self, call: Call, held: Held, fault: str, identifier: str, kind: str, **more: Any) -> None:
        """Log and answer a fault that keeps the message out; other faults go on."""
        if fault in NOT_TAKEN:
            held.append(call.entry(self.service, identifier, "failed", kind, fault=fault, **more))
            raise Answer(self.faulty(call, fault, Response(status=504)))

    def faulty(self, call: Call, fault: str, response: Response) -> Response:
        """The answer as the fault leaves it; call it without holding the log."""
        if fault in {"429", "500", "500_after"}:
            response = self.fault_response(call, 429 if fault == "429" else 500)
            if fault == "429":
                response.headers["Retry-After"] = "1"
        elif fault == "timeout_before":
            response.headers[TIMEOUT_HEADER] = "before"
        elif fault == "timeout_after":
            response.headers[TIMEOUT_HEADER] = "after"
        elif fault == "slow":
            time.sleep(SLOW_SECONDS)
        return response

    def look_up(self, call: Call, keys: Collection[str], count: int, **more: Any) -> str:
        """Log one look-up of *count* people under an id that hides them; returns the fault to answer with."""
        identifier = self.place.key.hidden(self.service, *keys)
        with self.place.log.held() as held:
            possible = NOT_TAKEN | ANSWER_LOST | {"refuse", "slow"}
            national_id = next(iter(keys)) if count == 1 else None
            fault = self.draw(call, held, "look-up", identifier, possible, national_id)
            self.stop_on(call, held, fault, identifier, "lookup", count=count)
            outcome = "refused" if fault == "refuse" else "accepted"
            if outcome == "accepted" and held.record(self.service, identifier).taken is not None:
                outcome = "repeat"
            held.append(call.entry(self.service, identifier, outcome, "lookup", count=count, **more))
        return fault

    def has_age(self, call: Call, taken: Mapping[str, Any], state: str) -> bool:
        """Whether a message taken as the log says has reached *state* by now."""
        wait = call.world.age(self.service, state)
        return wait <= 0 or (call.now - dt.datetime.fromisoformat(taken["at"])).total_seconds() >= wait


def _utf8(value: str | None) -> str | None:
    """A header's text: WSGI hands its bytes over as ISO-8859-1."""
    if not value:
        return None
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
