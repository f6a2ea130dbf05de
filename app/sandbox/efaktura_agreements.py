"""The gateway's calls about agreements, and their contract (the rest of the gateway: ``efaktura.py``).

No public interface lets an issuer ask for a consumer's eFaktura: these two calls are ours alone, for a provider that
takes an issuer's word for a consumer's yes. The id is a lower-case UUID chosen by the sender; asking again under it
never makes a second request.

``PUT /v1/agreements/{agreementId}`` asks for one consumer, named as in a look-up::

    {"issuer": "946485764", "consumer": {"ref": "1", "nationalId": "20914695016"}}
    202 {"agreementId": UUID, "status": "PENDING", "code": null, "identifier": null}

200 with the status of now when the gateway has the id already. ``GET /v1/agreements/{agreementId}`` answers the same:
``PENDING → ACTIVE | DECLINED``, ``ACTIVE → ENDED``; ``identifier`` is there while ACTIVE, and look-ups hit from then
on.

Errors: 400 with 4000 (the body is not as above) · 404 with 201 (unknown id) · 409 with 6004 (the id is another
consumer's) · 422 with 6001 (no consumer fits), 6002 (several fit) or 6003 (the consumer wants nothing from this
issuer).

In the sandbox's log a request is one line of kind ``offer``. On demand: ``ages`` ``{"efaktura": {"ACTIVE": 60}}`` for a
late answer (also ``DECLINED``, ``ENDED``); the faults ``refuse`` (6003), ``late_refusal`` (taken, then DECLINED),
``lost`` (answered as taken, and forgotten) and ``ended_later`` (ENDED once it was told to be ACTIVE), beside those of
every call.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from app.sandbox import efaktura_rules as rules
from app.sandbox.faults import WHILE_AGREEING, WHILE_ASKING
from app.sandbox.received import Entry, Held, Record
from app.sandbox.standin import Answer, Call, StandIn, json_response

LATE = {"late_refusal": "DECLINED", "ended_later": "ENDED"}


def problem(status: int, code: int, message: str) -> Response:
    """An error of the whole call."""
    return json_response({"code": code, "message": message}, status)


def _answer(agreement_id: str, state: str, identifier: str | None, status: int = 200) -> Response:
    shown = identifier if state == "ACTIVE" else None
    code = rules.NOT_WANTED if state == "DECLINED" else None
    return json_response({"agreementId": agreement_id, "status": state, "code": code, "identifier": shown}, status)


class Agreements(StandIn):
    """Consumers for whom an issuer asks."""

    service = "efaktura"

    def agree(self, call: Call, agreement_id: str) -> Response:
        """Take a request, once."""
        issuer, asked = rules.agreement_question(self.body(call), agreement_id)
        with self.place.log.held() as held:
            record = held.record(self.service, agreement_id)
            if record.taken is not None:
                return self._again(call, held, agreement_id, record, rules.identifiers(call.world, asked))
            fault = self.draw(call, held, "agreement", agreement_id, WHILE_AGREEING, asked.get("nationalId"))
            self.stop_on(call, held, fault, agreement_id, "offer")
            code = rules.NOT_WANTED if fault == "refuse" else rules.agreement_refusal(call.world, asked, issuer)
            if code is not None:
                held.append(call.entry(self.service, agreement_id, "refused", "offer", code=code))
                return problem(422, code, rules.AGREEMENT_MESSAGES[code])
            held.append(self._line(call, agreement_id, fault, rules.identifiers(call.world, asked)[0]))
        return self.faulty(call, fault, _answer(agreement_id, "PENDING", None, 202))

    def _line(self, call: Call, agreement_id: str, fault: str, identifier: str) -> Entry:
        """What the log keeps of a request; of one that is lost on the way inwards no more than that it failed."""
        if fault == "lost":
            return call.entry(self.service, agreement_id, "failed", "offer", fault=fault)
        more = {"late": fault} if fault in LATE else {}
        return call.entry(self.service, agreement_id, "accepted", "offer", consumer=identifier, **more)

    def _again(self, call: Call, held: Held, agreement_id: str, record: Record, identifiers: list[str]) -> Response:
        identifier = (record.taken or {})["consumer"]
        if identifiers != [identifier]:
            return problem(409, rules.AGREEMENT_EXISTS, "agreementId is another consumer's")
        held.append(call.entry(self.service, agreement_id, "repeat", "offer"))
        return _answer(agreement_id, self._told(call, held, agreement_id, record), identifier)

    def agreement(self, call: Call, agreement_id: str) -> Response:
        """Where a request stands."""
        with self.place.log.held() as held:
            record = held.record(self.service, agreement_id)
            fault = self.draw(call, held, "status", agreement_id, WHILE_ASKING)
            self.stop_on(call, held, fault, agreement_id, "lookup")
            if record.taken is None:
                raise Answer(problem(404, rules.NOT_FOUND, "agreement not found"))
            answer = _answer(agreement_id, self._told(call, held, agreement_id, record), record.taken["consumer"])
        return self.faulty(call, fault, answer)

    def _told(self, call: Call, held: Held, agreement_id: str, record: Record) -> str:
        """The state to answer with; what it has come to is put into the log first."""
        state = self._state(call, record)
        if state in {"DECLINED", "ENDED"} and record.taken_back is None:
            held.append(call.entry(self.service, agreement_id, "refused", "offer", told=state))
        elif state == "ACTIVE" and record.told is None:
            held.append(call.entry(self.service, agreement_id, "repeat", "offer", told=state))
        return state

    def _state(self, call: Call, record: Record) -> str:
        taken: dict[str, Any] = record.taken or {}
        late = taken.get("late")
        if record.taken_back is not None:
            return str(record.told)
        if late == "late_refusal":
            return "DECLINED" if self.has_age(call, taken, "DECLINED") else "PENDING"
        if late == "ended_later" and record.told == "ACTIVE" and self.has_age(call, taken, "ENDED"):
            return "ENDED"
        return "ACTIVE" if self.has_age(call, taken, "ACTIVE") else "PENDING"

    def agreed(self, call: Call, held: Held) -> frozenset[str]:
        """The identifiers of everyone with an active agreement."""
        return frozenset(
            identifier
            for identifier, records in held.agreements.items()
            if any(self._state(call, record) == "ACTIVE" for record in records)
        )

    @staticmethod
    def body(call: Call) -> Any:
        """The body, or the answer that it is none."""
        try:
            return call.json()
        except ValueError:
            raise Answer(problem(400, rules.MALFORMED, "The body is not JSON")) from None
