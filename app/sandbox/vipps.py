"""Stand-in for the Vipps Invoice API v1 (sender side) and its access tokens, after the public swagger file.

``POST /accesstoken/get`` · ``POST /vipps-isp/v1/recipients/tokens`` · ``PUT`` and ``GET /vipps-isp/v1/invoices/{id}`` ·
``PUT …/{id}/status/revoked``. Client id, secret and subscription key are taken whatever they are. A recipient token
lives 15 minutes. A PUT is answered at once and validated afterwards, as the guide says: a wrong KID, account or due
date makes the invoice ``rejected`` when it is asked about; ages: ``pending``, ``rejected``. Commercial invoices must
lie at https; addresses on this machine may be http, for development. Faults: ``refuse`` gives 404 recipient-not-found
for the token and 400 invoice-rejected-by-partner for the invoice; ``late_refusal`` gives ``rejected``.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any, ClassVar

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from app.sandbox import vipps_invoices as invoices
from app.sandbox.faults import WHILE_ASKING, WHILE_SENDING
from app.sandbox.keys import TokenInvalid
from app.sandbox.received import Held, Record
from app.sandbox.registry import World
from app.sandbox.standin import Answer, Call, StandIn, json_response
from app.sandbox.world import Person

ACCESS_TOKEN_LIFE = 86_398
RECIPIENT_TOKEN_LIFE = 15 * 60
REJECTED_BY_PARTNER = "invoice-rejected-by-partner"


def problem(status: int, kind: str, title: str, detail: str = "") -> Response:
    """An error in the shape of the swagger file (definition ``Error``)."""
    error = {
        "type": f"{invoices.PROBLEMS}/{kind}",
        "title": title,
        "detail": detail,
        "correlationId": str(uuid.uuid4()),
    }
    return json_response({"error": error}, status, "application/problem+json")


class Vipps(StandIn):
    """Test and production hosts."""

    service = "vipps"
    hosts: ClassVar[tuple[str, ...]] = ("invoice-api.vipps.no", "apitest.vipps.no", "api.vipps.no")
    routes = Map(
        [
            Rule("/accesstoken/get", methods=["POST"], endpoint="access_token"),
            Rule("/vipps-isp/v1/recipients/tokens", methods=["POST"], endpoint="recipient_token"),
            Rule("/vipps-isp/v1/invoices/<invoice_id>", methods=["PUT"], endpoint="put_invoice"),
            Rule("/vipps-isp/v1/invoices/<invoice_id>", methods=["GET"], endpoint="get_invoice"),
            Rule("/vipps-isp/v1/invoices/<invoice_id>/status/revoked", methods=["PUT"], endpoint="revoke"),
        ]
    )

    def http_error(self, call: Call, error: HTTPException) -> Response:
        """An unknown path, in Vipps' shape."""
        return problem(error.code or 500, "not-found", "Not found")

    def fault_response(self, call: Call, status: int) -> Response:
        """429 comes from the gateway without a body, 500 as a problem."""
        return Response(status=429) if status == 429 else problem(500, "internal-server-error", "Internal server error")

    def access_token(self, call: Call) -> Response:
        """A token for every caller."""
        now = int(time.time())
        token = self.place.key.sign({"aud": "vipps", "iat": now, "exp": now + ACCESS_TOKEN_LIFE})
        return json_response(
            {
                "token_type": "Bearer",
                "expires_in": str(ACCESS_TOKEN_LIFE),
                "ext_expires_in": "0",
                "expires_on": str(now + ACCESS_TOKEN_LIFE),
                "not_before": str(now),
                "resource": "00000002-0000-0000-c000-000000000000",
                "access_token": token,
            }
        )

    def recipient_token(self, call: Call) -> Response:
        """A token for someone who has "Alltid Vipps eFaktura" on, else 404."""
        self._authorised(call)
        kind, value, person = recipient(call)
        fault = self.look_up(call, [value], 1)
        refused = call.world.faults.people.get(person.national_id or "", {}).get("vipps", "")
        if not person.vipps.accepts or fault == "refuse" or "refuse" in refused:
            return self.faulty(call, fault, problem(404, "recipient-not-found", "Recipient not found"))
        token = self.place.key.seal({"type": kind, "value": value}, time.time())
        return self.faulty(call, fault, json_response({"recipientToken": token}))

    def put_invoice(self, call: Call, invoice_id: str) -> Response:
        """Take an invoice once; equal content again is 200, different content 409."""
        self._authorised(call)
        check_id(invoice_id)
        body, ident = self._invoice(call)
        digest = self.place.key.hidden(ident["value"], json.dumps(body, sort_keys=True))
        person = person_of(call.world, ident)
        invoice, kind = call.invoice or invoice_id.rsplit(".", 1)[-1], call.kind or "demand"
        with self.place.log.held() as held:
            taken = held.record(self.service, invoice_id).taken
            fault = self.draw(call, held, "send", invoice_id, WHILE_SENDING, person.national_id, invoice)
            self.stop_on(call, held, fault, invoice_id, kind, invoice=invoice)
            outcome = "refused" if fault == "refuse" else "accepted" if taken is None else "repeat"
            more: dict[str, Any] = {"invoice": invoice}
            if outcome == "accepted":
                more |= {"digest": digest, "payload": invoices.kept(body, ident["type"])}
                late = invoices.invalid(body, call.now) or ("" if person.vipps.accepts else REJECTED_BY_PARTNER)
                if late or fault == "late_refusal":
                    more["late"] = late or REJECTED_BY_PARTNER
            held.append(call.entry(self.service, invoice_id, outcome, kind, **more))
        if outcome == "refused":
            return problem(400, REJECTED_BY_PARTNER, "The invoice was rejected by a partner")
        if taken is not None and taken["digest"] != digest:
            return problem(
                409, "invoice-conflict", "Invoice conflict", f"A different invoice with id {invoice_id} exists."
            )
        return self.faulty(call, fault, Response(status=200))

    def get_invoice(self, call: Call, invoice_id: str) -> Response:
        """The invoice and its state."""
        self._authorised(call)
        check_id(invoice_id)
        with self.place.log.held() as held:
            record = self._known(held, invoice_id)
            fault = self.draw(call, held, "status", invoice_id, WHILE_ASKING)
            self.stop_on(call, held, fault, invoice_id, "lookup")
            state, problem_kind = self._state(call, held, invoice_id, record)
        assert record.taken is not None  # noqa: S101 - _known saw to it
        answer = invoices.shown(invoice_id, record.taken, state, problem_kind, record.taken_back)
        return self.faulty(call, fault, json_response(answer))

    def revoke(self, call: Call, invoice_id: str) -> Response:
        """Take an invoice back while it is created, pending or rejected; the same key again is 204 again."""
        self._authorised(call)
        check_id(invoice_id)
        etag, key = call.request.headers.get("If-Match"), call.request.headers.get("Idempotency-Key")
        if not etag:
            return problem(400, "missing-header-if-match", "Missing Header: If-Match")
        if not key:
            return problem(400, "missing-header-idempotency-key", "Missing Header: Idempotency-Key")
        with self.place.log.held() as held:
            record = self._known(held, invoice_id)
            state, _ = self._state(call, held, invoice_id, record)
            back = record.taken_back or {}
            if state == "revoked":
                if back.get("idempotency") == self.place.key.hidden(key):
                    return Response(status=204)
                return problem(409, "state-transition-not-allowed", "State transition not allowed")
            if etag.strip('"') != invoices.etag(invoice_id, state):
                return problem(409, "invoice-status-etag-mismatch", "Invoice status etag mismatch")
            assert record.taken is not None  # noqa: S101 - _known saw to it
            more = {"invoice": record.taken["invoice"], "state": "revoked", "idempotency": self.place.key.hidden(key)}
            held.append(call.entry(self.service, invoice_id, "refused", record.taken["kind"], **more))
        return Response(status=204)

    def _authorised(self, call: Call) -> None:
        scheme, _, token = call.request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer" or self.place.key.check(token.strip(), time.time()).get("aud") != "vipps":
                raise TokenInvalid
        except TokenInvalid as error:
            info = {
                "responseInfo": {"responseCode": 401, "responseMessage": "Unauthorized"},
                "result": {"message": str(error)},
            }
            raise Answer(json_response(info, 401)) from None

    def _invoice(self, call: Call) -> tuple[dict[str, Any], dict[str, str]]:
        """The body without its token, and whom the token stands for."""
        body = json_object(call)
        token = body.pop("recipientToken", None)
        if not token:
            raise Answer(problem(400, "missing-recipient-token", "Recipient token is missing"))
        try:
            return body, self.place.key.unseal(str(token), time.time(), RECIPIENT_TOKEN_LIFE)
        except TokenInvalid as error:
            kind = "recipient-token-expired" if error.expired else "invalid-recipient-token"
            raise Answer(problem(400, kind, str(error))) from None

    def _known(self, held: Held, invoice_id: str) -> Record:
        record = held.record(self.service, invoice_id)
        if record.taken is None:
            raise Answer(problem(404, "invoice-not-found", "Invoice not found"))
        return record

    def _state(self, call: Call, held: Held, invoice_id: str, record: Record) -> tuple[str, str | None]:
        """State and problem now; a late rejection comes to light here, and into the log first."""
        taken, back = record.taken or {}, record.taken_back
        if back is None and "late" in taken and self.has_age(call, taken, "rejected"):
            more = {"invoice": taken["invoice"], "state": "rejected", "problem": taken["late"]}
            held.append(call.entry(self.service, invoice_id, "refused", taken["kind"], **more))
            back = record.taken_back or {}
        if back is not None:
            return back["state"], back.get("problem")
        return "pending" if self.has_age(call, taken, "pending") else "created", None


def json_object(call: Call) -> dict[str, Any]:
    """The body as an object; an `Answer` when it is none."""
    try:
        body = call.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Answer(problem(400, "invalid-json", "Invalid JSON"))
    return body


def check_id(invoice_id: str) -> None:
    """``orgno-no.{issuer}.{reference}``, at most 200 characters."""
    wrong = invoices.wrong_id(invoice_id)
    if wrong:
        raise Answer(problem(400, wrong, "The invoice id is invalid."))


def recipient(call: Call) -> tuple[str, str, Person]:
    """Type, value and person of a token request; an `Answer` when it is not one."""
    body = json_object(call)
    kind, value = body.get("type"), str(body.get("value") or "")
    if kind not in {"nin-no", "msisdn"}:
        raise Answer(problem(400, "unknown-ident-type", "Invalid identification type while resolving a recipient."))
    pattern, wrong = (r"\d{11}", "nin") if kind == "nin-no" else (r"[1-9]\d{7,14}", "msisdn")
    if not re.fullmatch(pattern, value):
        raise Answer(problem(400, f"invalid-recipient-value-{wrong}", f"Invalid {wrong.upper()} in recipient value."))
    ident = {"type": str(kind), "value": value}
    return ident["type"], value, person_of(call.world, ident)


def person_of(world: World, ident: dict[str, str]) -> Person:
    """The person behind a recipient token; a number stands without its plus sign there."""
    if ident["type"] == "nin-no":
        return world.with_national_id(ident["value"])
    return world.with_mobile(f"+{ident['value']}")
