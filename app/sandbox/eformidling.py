"""Stand-in for eFormidling's integrasjonspunkt (v4): mailbox (Digipost, e-Boks) and print.

``GET /api/capabilities/{id}`` · ``POST /api/messages/out`` (create) · ``PUT`` (attach), ``POST`` (send) and ``DELETE
/api/messages/out/{messageId}`` · ``GET /api/statuses``, ``/api/statuses/{messageId}``, ``/api/statuses/peek`` ·
``GET /api/conversations/messageId/{messageId}``, ``/api/conversations/queue``. Any user and password will do.

Sending is what takes a message. Until then it lies in ``SANDBOX_DIR/eformidling`` and has the status OPPRETTET.
States, seen at once unless ``ages`` says otherwise: OPPRETTET, SENDT, MOTTATT, LEVERT (LEST only with an age of its
own). A late refusal is FEIL: after LEVERT for every other message, without it for the rest. Faults: ``refuse`` shows
print alone in the capabilities and answers the creation with 400: for a mailbox the exception ReceiverDoNotAccept…
(name from memory of the source, not checked), for print MissingAddressInformationException.
"""

from __future__ import annotations

from typing import Any, ClassVar

from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from app.sandbox import eformidling_receivers as receivers
from app.sandbox import eformidling_sbd as sbd
from app.sandbox import eformidling_statuses as statuses
from app.sandbox.eformidling_store import Pending, PendingStore, described
from app.sandbox.faults import WHILE_ASKING, WHILE_PREPARING, WHILE_SENDING
from app.sandbox.standin import Answer, Call, Place, StandIn, json_response

NOT_AT_SENDING = {"refuse"}


class Integrasjonspunkt(StandIn):
    """The municipality's own access point, at ``http://localhost:9093``."""

    service = "eformidling"
    hosts: ClassVar[tuple[str, ...]] = ("localhost:9093", "127.0.0.1:9093", "integrasjonspunkt.sandbox")
    routes = Map(
        [
            Rule("/api/capabilities/<receiver>", methods=["GET"], endpoint="capabilities"),
            Rule("/api/messages/out", methods=["POST"], endpoint="create"),
            Rule("/api/messages/out/<message_id>", methods=["PUT"], endpoint="attach"),
            Rule("/api/messages/out/<message_id>", methods=["POST"], endpoint="send"),
            Rule("/api/messages/out/<message_id>", methods=["DELETE"], endpoint="discard"),
            Rule("/api/statuses", methods=["GET"], endpoint="all_statuses"),
            Rule("/api/statuses/peek", methods=["GET"], endpoint="peek"),
            Rule("/api/statuses/<message_id>", methods=["GET"], endpoint="message_statuses"),
            Rule("/api/conversations/messageId/<message_id>", methods=["GET"], endpoint="conversation"),
            Rule("/api/conversations/queue", methods=["GET"], endpoint="queue"),
        ]
    )

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.pending = PendingStore(place.directory)
        self.reports = statuses.Reports(self, self.pending)

    def http_error(self, call: Call, error: HTTPException) -> Response:
        """An unknown path, in the access point's shape."""
        return sbd.problem(call, error.code or 500, "", error.name)

    def fault_response(self, call: Call, status: int) -> Response:
        """429 and 500, in the access point's shape."""
        return sbd.problem(call, status, "java.lang.RuntimeException", "Fault on demand")

    def capabilities(self, call: Call, receiver: str) -> Response:
        """What a person can be sent, per process; nothing for anyone who has no national id."""
        if not sbd.is_national_id(receiver):
            return json_response({"capabilities": []})
        fault = self.look_up(call, [receiver], 1)
        person = call.world.with_national_id(receiver)
        process = call.request.args.get("process")
        found = [
            receivers.capability(person, each, receivers.has_mailbox(call, receiver, each) and fault != "refuse")
            for each in (sbd.INFO, sbd.VEDTAK)
            if process in {None, each}
        ]
        return self.faulty(call, fault, json_response({"capabilities": found}))

    def create(self, call: Call) -> Response:
        """Lay a message ready; its id may be ours, and is used once."""
        message = sbd.checked_message(call)
        with self.place.log.held() as held:
            taken = held.record(self.service, message.message_id).taken
            if taken is not None:
                held.append(
                    call.entry(self.service, message.message_id, "repeat", taken["kind"], invoice=taken["invoice"])
                )
            if taken is not None or self.pending.get(message.message_id) is not None:
                return sbd.already_exists(call, message.message_id)
            kind = call.kind or "demand"
            fault = self.draw(call, held, "create", message.message_id, WHILE_PREPARING, message.receiver)
            self.stop_on(call, held, fault, message.message_id, kind)
            refusal = receivers.refusal(call, message, fault == "refuse")
            if refusal is not None:
                held.append(call.entry(self.service, message.message_id, "refused", kind, type=message.type))
                return refusal
            self.pending.add(Pending(message.message_id, message.document, call.now.isoformat()))
        return self.faulty(call, fault, json_response(message.document))

    def attach(self, call: Call, message_id: str) -> Response:
        """Add one file: its bytes are the body, its name stands in Content-Disposition."""
        options = parse_options_header(call.request.headers.get("Content-Disposition", ""))[1]
        name = options.get("filename") or call.request.args.get("filename")
        if not name:
            return sbd.problem(
                call, 400, "no.difi.meldingsutveksling.exceptions.MissingFileTitleException", "filename is missing"
            )
        with self.place.log.held() as held:
            pending = self._pending(call, message_id)
            fault = self.draw(call, held, "attach", message_id, WHILE_PREPARING - {"refuse"})
            self.stop_on(call, held, fault, message_id, call.kind or "demand")
            if any(file["filename"] == name for file in pending.files):
                detail = f"Filename {name} is already used for message {message_id}"
                return sbd.problem(
                    call, 400, "no.difi.meldingsutveksling.exceptions.DuplicateFilenameException", detail
                )
            self.pending.add_file(pending, described(name, call.request.get_data()))
        return self.faulty(call, fault, Response(status=200))

    def send(self, call: Call, message_id: str) -> Response:
        """Take the message: from here on it is on its way."""
        with self.place.log.held() as held:
            taken = held.record(self.service, message_id).taken
            if taken is not None:
                held.append(call.entry(self.service, message_id, "repeat", taken["kind"], invoice=taken["invoice"]))
                return sbd.already_exists(call, message_id)
            pending = self._pending(call, message_id)
            message = sbd.read_message(pending.document)
            main = next((file for file in pending.files if file["filename"] == message.main_document), None)
            if main is None:
                detail = f"The main document {message.main_document} is not attached"
                return sbd.problem(call, 400, "no.difi.meldingsutveksling.exceptions.MissingFileException", detail)
            kind, invoice = call.kind or "demand", call.invoice or message.invoice_reference
            fault = self.draw(call, held, "send", message_id, WHILE_SENDING - NOT_AT_SENDING, message.receiver, invoice)
            self.stop_on(call, held, fault, message_id, kind, invoice=invoice)
            more: dict[str, Any] = {"invoice": invoice, "type": message.type, "conversation": message.conversation_id}
            more |= {"process": message.process, "sha256": main["sha256"]}
            told = set(message.metadata_files) & {file["filename"] for file in pending.files}
            if told:
                more["metadata"] = sorted(told)
            if fault == "late_refusal" or (message.type == "print" and not main["is_pdf"]):
                more["late"] = "FEIL"
            held.append(call.entry(self.service, message_id, "accepted", kind, **more))
            self.pending.remove(message_id)
        return self.faulty(call, fault, Response(status=200))

    def discard(self, call: Call, message_id: str) -> Response:
        """Drop a message that was not sent."""
        with self.place.log.held():
            self._pending(call, message_id)
            self.pending.remove(message_id)
        return Response(status=200)

    def _pending(self, call: Call, message_id: str) -> Pending:
        pending = self.pending.get(message_id)
        if pending is None:
            detail = f"Message with messageId = {message_id} not found"
            raise Answer(
                sbd.problem(call, 404, "no.difi.meldingsutveksling.exceptions.MessageNotFoundException", detail)
            )
        return pending

    def all_statuses(self, call: Call) -> Response:
        """Every status that fits the filters, a page at a time (10 unless ``size`` says otherwise)."""
        return self.reports.page(call, None)

    def message_statuses(self, call: Call, message_id: str) -> Response:
        """The statuses of one message; an empty page for an unknown one."""
        with self.place.log.held() as held:
            fault = self.draw(call, held, "status", message_id, WHILE_ASKING)
            self.stop_on(call, held, fault, message_id, "lookup")
        return self.faulty(call, fault, self.reports.page(call, message_id))

    def peek(self, call: Call) -> Response:
        """The newest status, or 204."""
        return self.reports.newest(call)

    def conversation(self, call: Call, message_id: str) -> Response:
        """One conversation with its statuses; 404 when it is unknown."""
        return self.reports.conversation(call, message_id)

    def queue(self, call: Call) -> Response:
        """Conversations that are not finished, a page at a time."""
        return self.reports.queue(call)
