"""Statuses and conversations of the integrasjonspunkt, built from the log and the messages that wait."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Response

from app.sandbox.eformidling_sbd import read_message
from app.sandbox.eformidling_store import PendingStore
from app.sandbox.received import Held, Record
from app.sandbox.standin import Answer, Call, StandIn, json_response

STEPS = ("OPPRETTET", "SENDT", "MOTTATT", "LEVERT")
DESCRIPTIONS = {
    "OPPRETTET": "Meldingen er opprettet",
    "SENDT": "Meldingen er sendt",
    "MOTTATT": "Mottatt",
    "LEVERT": "Meldingen er levert",
    "LEST": "Meldingen er lest",
    "FEIL": "Meldingen kunne ikke leveres til mottaker",
}
FINISHED = {"LEST", "FEIL", "LEVETID_UTLOPT"}
PAGE_SIZE = 10
MOST_PER_PAGE = 2000
UNSENT_NUMBER = 2_000_000_000
Status = dict[str, Any]


def _is_read_before(taken: Mapping[str, Any]) -> bool:
    """Whether FEIL comes after LEVERT: so for every other message."""
    return hashlib.sha256(str(taken["id"]).encode()).digest()[0] % 2 == 0


class Reports:
    """What can be asked of *point* after sending, and of what waits in *pending*."""

    def __init__(self, point: StandIn, pending: PendingStore) -> None:
        self._point, self._pending = point, pending
        self._seen: tuple[int, str] = (-1, "")
        self._all: list[Status] = []

    def of(self, call: Call, held: Held, record: Record) -> list[Status]:
        """The statuses of one message until now; a late refusal comes to light here, and into the log first."""
        taken, service = record.taken or {}, self._point.service
        if "late" in taken and record.taken_back is None and self._point.has_age(call, taken, "FEIL"):
            more = {"invoice": taken["invoice"], "state": "FEIL"}
            held.append(call.entry(service, taken["id"], "refused", taken["kind"], **more))
        steps = [step for step in STEPS if self._point.has_age(call, taken, step)]
        if "LEST" in call.world.ages.get(service, {}) and self._point.has_age(call, taken, "LEST"):
            steps.append("LEST")
        if record.taken_back is not None:
            steps = (
                [*steps, "FEIL"]
                if _is_read_before(taken)
                else [s for s in steps if s not in {"LEVERT", "LEST"}] + ["FEIL"]
            )
        at = dt.datetime.fromisoformat(taken["at"])
        return [
            {
                "id": record.number * 10 + order,
                "lastUpdate": (at + dt.timedelta(seconds=call.world.age(service, step))).isoformat(),
                "status": step,
                "description": DESCRIPTIONS[step],
                "convId": record.number,
                "conversationId": taken["conversation"],
                "messageId": taken["id"],
            }
            for order, step in enumerate(steps)
        ]

    def page(self, call: Call, message_id: str | None) -> Response:
        """A page of statuses that fit the filters of the address."""
        wanted = message_id or call.request.args.get("messageId")
        with self._point.place.log.held() as held:
            found = self._every(call, held) if wanted is None else self._one(call, held, wanted)
        return json_response(paged(filtered(found, call.request.args), call.request.args))

    def newest(self, call: Call) -> Response:
        """The newest status, or 204."""
        with self._point.place.log.held() as held:
            arrivals = held.arrivals(self._point.service)
            found = self.of(call, held, arrivals[-1]) if arrivals else []
        return json_response(found[-1]) if found else Response(status=204)

    def conversation(self, call: Call, message_id: str) -> Response:
        """The conversation of a message; 404 when it is unknown."""
        with self._point.place.log.held() as held:
            found = self._one(call, held, message_id)
            taken = held.record(self._point.service, message_id).taken
        if not found:
            raise Answer(
                json_response(
                    {"status": 404, "error": "Not Found", "message": f"No conversation for {message_id}"}, 404
                )
            )
        return json_response(conversation(found, taken))

    def queue(self, call: Call) -> Response:
        """Conversations without LEST or FEIL."""
        with self._point.place.log.held() as held:
            found = [
                conversation(self.of(call, held, record), record.taken)
                for record in list(held.arrivals(self._point.service))
            ]
        return json_response(paged([one for one in found if not one["finished"]], call.request.args))

    def _one(self, call: Call, held: Held, message_id: str) -> list[Status]:
        record = held.record(self._point.service, message_id)
        if record.taken is not None:
            return self.of(call, held, record)
        pending = self._pending.get(message_id)
        if pending is None:
            return []
        status = {"status": "OPPRETTET", "description": DESCRIPTIONS["OPPRETTET"], "lastUpdate": pending.created_at}
        ids = {"conversationId": read_message(pending.document).conversation_id, "messageId": message_id}
        return [{"id": UNSENT_NUMBER, **status, "convId": UNSENT_NUMBER, **ids}]

    def _every(self, call: Call, held: Held) -> list[Status]:
        """All statuses in order; kept between calls while nothing changes, since pages are small and many."""
        ages = call.world.ages.get(self._point.service, {})
        is_timeless = not any(ages.values())
        if not is_timeless or self._seen != (held.size, str(ages)):
            arrivals = list(held.arrivals(self._point.service))
            self._all = [status for record in arrivals for status in self.of(call, held, record)]
            self._seen = (held.size, str(ages))
        return self._all


def conversation(found: Sequence[Status], taken: Mapping[str, Any] | None) -> dict[str, Any]:
    """A conversation with its statuses; whom it concerns is left out."""
    newest = found[-1]
    return {
        "id": newest["convId"],
        "conversationId": newest["conversationId"],
        "messageId": newest["messageId"],
        "processIdentifier": taken["process"] if taken else None,
        "lastUpdate": newest["lastUpdate"],
        "finished": newest["status"] in FINISHED,
        "direction": "OUTGOING",
        "serviceIdentifier": "DPI",
        "messageStatuses": list(found),
    }


def filtered(found: list[Status], wanted: Mapping[str, str]) -> list[Status]:
    """Those that fit ``status``, ``conversationId``, ``fromDateTime`` and ``toDateTime``."""
    exact = [(field, wanted[field]) for field in ("status", "conversationId") if wanted.get(field)]
    since, until = _moment(wanted.get("fromDateTime")), _moment(wanted.get("toDateTime"))
    if not exact and since is None and until is None:
        return found
    return [
        one
        for one in found
        if all(one[field] == value for field, value in exact)
        and (since is None or dt.datetime.fromisoformat(one["lastUpdate"]) >= since)
        and (until is None or dt.datetime.fromisoformat(one["lastUpdate"]) <= until)
    ]


def _moment(value: str | None) -> dt.datetime | None:
    if not value:
        return None
    try:
        moment = dt.datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        raise Answer(json_response({"status": 400, "error": "Bad Request", "message": "Not a moment"}, 400)) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _count(value: str | None, default: int, least: int, most: int) -> int:
    return min(max(int(value), least), most) if value and value.isdigit() else default


def paged(found: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> dict[str, Any]:
    """A page in Spring's shape."""
    size = _count(wanted.get("size"), PAGE_SIZE, 1, MOST_PER_PAGE)
    page = _count(wanted.get("page"), 0, 0, 10**9)
    content, pages = list(found[page * size : (page + 1) * size]), -(-len(found) // size)
    sort = {"sorted": True, "unsorted": False, "empty": False}
    return {
        "content": content,
        "pageable": {
            "sort": sort,
            "pageNumber": page,
            "pageSize": size,
            "offset": page * size,
            "paged": True,
            "unpaged": False,
        },
        "totalElements": len(found),
        "last": page >= pages - 1,
        "totalPages": pages,
        "sort": sort,
        "numberOfElements": len(content),
        "first": page == 0,
        "size": size,
        "number": page,
        "empty": not content,
    }
