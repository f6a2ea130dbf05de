"""Stand-in for the eFaktura gateway, and the contract of that gateway.

The SOAP services of Mastercard Payment Services have no public schema, so what stands here is our own REST contract,
which a thin gateway at the municipality's submitter translates. Names and error codes follow what is known of the
"combo" service (EfakturaAtgService): client-chosen ids, shipments, statuses. Codes marked (ours) have no original.
JSON in UTF-8; amounts are whole øre; ids are lower-case UUIDs chosen by the sender.

``POST /v1/identifiers`` asks for 1 to 1000 consumers, each by one of three keys::

    {"issuer": "946485764", "people": [
        {"ref": "1", "nationalId": "20914695016"},
        {"ref": "2", "name": "Kari Nordmann", "postalCode": "4100", "addressLine": "Utsikten 1", "mobile": "+47…"},
        {"ref": "3", "efakturaIdentifier": "EF000000000000001"}]}
    200 {"people": [{"ref": "1", "result": "match" | "none" | "multiple", "identifier": "EF…" | null,
                     "accepts": true}]}

``accepts`` is true only for a match who said yes to all and has not blocked the issuer. ``mobile`` and
``addressLine`` are optional; name and postal code must be whole.

``POST /v1/shipments`` sends 1 to 1000 transactions::

    {"shipmentId": UUID, "issuer": "946485764", "transactions": [
        {"transactionId": UUID, "paymentType": "EFAKTURA" | "EFAKTURA_AND_EXTERNAL_AVTALEGIRO",
         "documentType": "INVOICE", "efakturaIdentifier": "EF…", "invoiceNumber": "F-1001", "kid": "…",
         "account": "11 digits", "amount": 105000, "dueDate": "2026-12-15", "presentationUrl": "https://…",
         "issuerName": "Strand kommune"}]}
    200 {"shipmentId": UUID, "status": "IN_PROGRESS",
         "transactions": [{"transactionId": UUID, "code": null | int, "message": null | text}]}

A transaction with ``code`` null is taken. ``GET /v1/transactions/{transactionId}`` answers ``{"transactionId",
"shipmentId", "invoiceNumber", "status", "code", "message"}`` with the status ``IN_PROGRESS → PROCESSED | STOPPED``
(STOPPED has its code, and may come after PROCESSED), and ``CANCELLED`` after ``DELETE`` on the same address (200, also
the second time, then with code 205). ``GET /v1/shipments/{shipmentId}`` answers ``{"shipmentId", "status",
"transactions": [the same]}``.

Errors of a whole call are ``{"code", "message"}``: 400 with 4000 (ours: the body is not as above) · 404 with 201
(unknown id) · 409 with 3002 (shipmentId exists: read its status). Codes of one transaction: 3003 transactionId exists
(read its status) · 3010 AvtaleGiro information missing · 3011 eFaktura information missing · 3020 KID missing · 3100
document type not INVOICE · 3101 AvtaleGiro not allowed · 5003 identifier missing · 5006 account number wrong · 5002
(ours) the consumer cannot be reached: unknown, not "ja takk til alle", or has blocked the issuer. Only 5002 is about
the recipient.

In the sandbox's log a transaction is one line; its invoice is ``invoiceNumber`` and its kind the header
X-Witness-Kind, or, with several in one shipment, ``notice`` for EFAKTURA_AND_EXTERNAL_AVTALEGIRO (the claim goes by
file) and else ``demand``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from app.sandbox import efaktura_rules as rules
from app.sandbox.efaktura_agreements import Agreements, problem
from app.sandbox.faults import WHILE_ASKING, WHILE_SENDING
from app.sandbox.received import Entry, Held, Record
from app.sandbox.standin import Answer, Call, json_response

# The issuer of a shipment, and the identifiers of those who agreed to eFaktura from it.
Whose = tuple[str, frozenset[str]]


class EfakturaGateway(Agreements):
    """The gateway as the contract above says."""

    hosts: ClassVar[tuple[str, ...]] = ("efaktura-gateway.sandbox",)
    routes = Map(
        [
            Rule("/v1/identifiers", methods=["POST"], endpoint="identifiers"),
            Rule("/v1/shipments", methods=["POST"], endpoint="send"),
            Rule("/v1/shipments/<shipment_id>", methods=["GET"], endpoint="shipment"),
            Rule("/v1/transactions/<transaction_id>", methods=["GET"], endpoint="transaction"),
            Rule("/v1/transactions/<transaction_id>", methods=["DELETE"], endpoint="cancel"),
            Rule("/v1/agreements/<agreement_id>", methods=["PUT"], endpoint="agree"),
            Rule("/v1/agreements/<agreement_id>", methods=["GET"], endpoint="agreement"),
        ]
    )

    def http_error(self, call: Call, error: HTTPException) -> Response:
        """An unknown path, in the gateway's shape."""
        return problem(error.code or 500, 4000, error.name)

    def fault_response(self, call: Call, status: int) -> Response:
        """429 and 500, in the gateway's shape."""
        return problem(status, status, "Too many requests" if status == 429 else "Internal error")

    def identifiers(self, call: Call) -> Response:
        """Look up consumers for one issuer."""
        issuer, people = rules.look_up_question(self.body(call))
        keys = [rules.look_up_key(person) for person in people]
        fault = self.look_up(call, keys, len(people))
        if fault == "refuse":
            return problem(400, rules.MALFORMED, "The look-up cannot be read")
        with self.place.log.held() as held:
            agreed = self.agreed(call, held)
        answers = [rules.find(call.world, person, issuer, agreed) for person in people]
        return self.faulty(call, fault, json_response({"people": answers}))

    def send(self, call: Call) -> Response:
        """Take a shipment; a transaction is refused alone, by its code."""
        shipment_id, issuer, transactions = rules.shipment_question(self.body(call))
        with self.place.log.held() as held:
            if held.shipment(shipment_id):
                self._log_repeats(call, held, shipment_id, transactions)
                return problem(409, rules.SHIPMENT_EXISTS, "shipmentId exists")
            only = transactions[0] if len(transactions) == 1 else {}
            invoice, kind = only.get("invoiceNumber"), call.kind if only else None
            whole = WHILE_SENDING - {"refuse", "late_refusal"}
            fault = self.draw(call, held, "shipment", shipment_id, whole, rules.owner(call.world, only), invoice)
            self.stop_on(call, held, fault, shipment_id, kind or "demand", invoice=invoice)
            agreed = self.agreed(call, held)
            entries = [self._entry(call, held, shipment_id, (issuer, agreed), one, kind) for one in transactions]
            held.append(*entries)
        answers = [rules.outcome(entry) for entry in entries]
        answer = {"shipmentId": shipment_id, "status": "IN_PROGRESS", "transactions": answers}
        return self.faulty(call, fault, json_response(answer))

    def _entry(
        self, call: Call, held: Held, shipment_id: str, whose: Whose, one: dict[str, Any], kind: str | None
    ) -> Entry:
        """The line of one transaction: accepted, repeat (3003) or refused by its code."""
        identifier, invoice = one["transactionId"], one.get("invoiceNumber")
        kind = kind or ("notice" if one.get("paymentType") == rules.EXTERNAL_CLAIM else "demand")
        if held.record(self.service, identifier).taken is not None:
            return call.entry(self.service, identifier, "repeat", kind, invoice=invoice, code=rules.TRANSACTION_EXISTS)
        fault = self.draw(
            call, held, "send", identifier, {"refuse", "late_refusal"}, rules.owner(call.world, one), invoice
        )
        code = rules.refusal(call.world, one, *whose) or (rules.UNREACHABLE if fault == "refuse" else None)
        more: dict[str, Any] = {"invoice": invoice, "shipment": shipment_id}
        if code is not None:
            return call.entry(self.service, identifier, "refused", kind, code=code, **more)
        if fault:
            more["late"] = rules.UNREACHABLE
        return call.entry(self.service, identifier, "accepted", kind, amount=one["amount"], due=one["dueDate"], **more)

    def _log_repeats(self, call: Call, held: Held, shipment_id: str, transactions: list[dict[str, Any]]) -> None:
        known = held.shipment(shipment_id)
        lines = [
            call.entry(self.service, identifier, "repeat", taken["kind"], invoice=taken["invoice"])
            for identifier in (one["transactionId"] for one in transactions)
            if identifier in known and (taken := known[identifier].taken)
        ]
        if lines:
            held.append(*lines)

    def shipment(self, call: Call, shipment_id: str) -> Response:
        """The status of a shipment and of each transaction in it."""
        with self.place.log.held() as held:
            fault = self.draw(call, held, "status", shipment_id, WHILE_ASKING)
            self.stop_on(call, held, fault, shipment_id, "lookup")
            records = held.shipment(shipment_id)
            if not records:
                return problem(404, rules.NOT_FOUND, "shipment not found")
            answers = [self._status(call, held, identifier, record) for identifier, record in records.items()]
        states = {answer["status"] for answer in answers}
        status = "IN_PROGRESS" if "IN_PROGRESS" in states else "PROCESSED" if "PROCESSED" in states else "STOPPED"
        answer = {"shipmentId": shipment_id, "status": status, "transactions": answers}
        return self.faulty(call, fault, json_response(answer))

    def transaction(self, call: Call, transaction_id: str) -> Response:
        """The status of one transaction."""
        with self.place.log.held() as held:
            record = self._known(held, transaction_id)
            fault = self.draw(call, held, "status", transaction_id, WHILE_ASKING)
            self.stop_on(call, held, fault, transaction_id, "lookup")
            answer = self._status(call, held, transaction_id, record)
        return self.faulty(call, fault, json_response(answer))

    def cancel(self, call: Call, transaction_id: str) -> Response:
        """Take a transaction back; the second time is answered with 205."""
        with self.place.log.held() as held:
            record = self._known(held, transaction_id)
            taken = record.taken
            if taken is None or record.taken_back is not None:
                code, message = rules.ALREADY_CANCELLED, "already cancelled or stopped"
                return json_response(
                    {"transactionId": transaction_id, "status": "CANCELLED", "code": code, "message": message}
                )
            held.append(
                call.entry(
                    self.service, transaction_id, "refused", taken["kind"], invoice=taken["invoice"], state="CANCELLED"
                )
            )
        return json_response({"transactionId": transaction_id, "status": "CANCELLED", "code": None, "message": None})

    def _known(self, held: Held, transaction_id: str) -> Record:
        record = held.record(self.service, transaction_id)
        if record.taken is None and record.refused is None:
            raise Answer(problem(404, rules.NOT_FOUND, "transaction not found"))
        return record

    def _status(self, call: Call, held: Held, identifier: str, record: Record) -> dict[str, Any]:
        """The state now; a late refusal comes to light here, and into the log first."""
        taken, back = record.taken, record.taken_back
        if taken is None:
            code = (record.refused or {}).get("code")
            return rules.status(identifier, "STOPPED", record.refused, code)
        if back is None and "late" in taken and self.has_age(call, taken, "STOPPED"):
            back = call.entry(
                self.service, identifier, "refused", taken["kind"], invoice=taken["invoice"], code=taken["late"]
            )
            held.append(back)
        if back is not None:
            return rules.status(identifier, back.get("state", "STOPPED"), taken, back.get("code"))
        return rules.status(
            identifier, "PROCESSED" if self.has_age(call, taken, "PROCESSED") else "IN_PROGRESS", taken, None
        )
