"""Stand-in for KS SvarUt, REST v2: digital mailbox, Altinn and print behind one door.

``POST`` and ``GET /api/v2/kontoer/{kontoId}/forsendelser`` (send; search by ``eksternRef``) · ``GET …/metadata`` ·
``POST …/status-sok`` · ``GET /api/v2/forsendelser/{id}/hendelser``. Whoever asks shows a token of Maskinporten with the
scope ``ks:fiks``, and the headers ``IntegrasjonId`` (a UUID) and ``IntegrasjonPassord``, whose value is not checked.

As in the real service nothing is recognised as a repeat: the same ``eksternReferanse`` again is a second letter, which
the log counts as such. A consignment is taken at once and checked afterwards: AVVIST when it is asked about. Faults:
``refuse`` and ``late_refusal`` both give AVVIST, the first at once. A person with a mailbox gets it there; one without
is notified in Altinn and printed for, one who is reserved or has no national id is printed for at once. All states are
seen at once unless ``ages`` says otherwise (VARSLET is printed after two working days in reality). The texts of errors
and events are our own.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any, ClassVar

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from app.sandbox import svarut_letters as letters
from app.sandbox.faults import WHILE_ASKING, WHILE_SENDING, draw
from app.sandbox.keys import TokenInvalid
from app.sandbox.received import Held, Record
from app.sandbox.standin import Answer, Call, StandIn, json_response

SCOPE = "ks:fiks"
PREFIX = "/api/v2"


def problem(call: Call, status: int, error: str, message: str) -> Response:
    """An error in the shape of the published description (``ErrorMessage``)."""
    return json_response(
        {
            "timestamp": int(call.now.timestamp() * 1000),
            "status": status,
            "error": error,
            "errorId": str(uuid.uuid4()),
            "path": call.request.path,
            "originalPath": call.request.path,
            "message": message,
        },
        status,
    )


class SvarUt(StandIn):
    """Test and production hosts."""

    service = "svarut"
    hosts: ClassVar[tuple[str, ...]] = ("svarut.ks.no", "test.svarut.ks.no")
    routes = Map(
        [
            Rule(f"{PREFIX}/kontoer/<uuid:account>/forsendelser", methods=["POST"], endpoint="send"),
            Rule(f"{PREFIX}/kontoer/<uuid:account>/forsendelser", methods=["GET"], endpoint="search"),
            Rule(f"{PREFIX}/kontoer/<uuid:account>/forsendelser/metadata", methods=["GET"], endpoint="metadata"),
            Rule(f"{PREFIX}/kontoer/<uuid:account>/forsendelser/status-sok", methods=["POST"], endpoint="statuses"),
            Rule(f"{PREFIX}/forsendelser/<uuid:shipment>/hendelser", methods=["GET"], endpoint="events"),
        ]
    )

    def http_error(self, call: Call, error: HTTPException) -> Response:
        """An unknown path, in SvarUt's shape."""
        return problem(call, error.code or 500, error.name, "Ukjent adresse")

    def fault_response(self, call: Call, status: int) -> Response:
        """429 and 500, in SvarUt's shape."""
        return problem(call, status, "Too Many Requests" if status == 429 else "Internal Server Error", "Prøv igjen")

    def send(self, call: Call, account: uuid.UUID) -> Response:
        """Take a consignment under a new id."""
        self._authorised(call)
        try:
            with call.request:
                letter = letters.read_letter(call)
        except letters.Malformed as error:
            return problem(call, 400, "Bad Request", str(error))
        identity = letter.identity
        person = call.world.with_national_id(identity) if identity and len(identity) == 11 else None
        way, kind = letters.way_of(person), call.kind or "demand"
        reference = letter.reference or str(uuid.uuid4())
        with self.place.log.held() as held:
            fault = self._fault(call, held, reference, identity)
            self.stop_on(call, held, fault, reference, kind)
            taken_before = len(held.shipment(reference))
            identifier = str(uuid.uuid5(account, f"{reference}/{taken_before}"))
            refusal = letters.REFUSED_BY_FAULT if fault in {"refuse", "late_refusal"} else letters.objection(letter)
            more: dict[str, Any] = {
                "invoice": call.invoice or reference,
                "shipment": reference,
                "account": str(account),
                "way": way,
            }
            more["type"] = "digital" if way == "mailbox" else "print"
            if refusal:
                more["late"] = refusal
            held.append(call.entry(self.service, identifier, "accepted", kind, **more))
            if fault == "refuse":
                self._refuse(call, held, held.record(self.service, identifier))
        return self.faulty(call, fault, json_response({"id": identifier}))

    def search(self, call: Call, account: uuid.UUID) -> Response:
        """The ids of everything taken under a reference."""
        return self._looked_up(call, account, lambda record: (record.taken or {})["id"], "forsendelseIds")

    def metadata(self, call: Call, account: uuid.UUID) -> Response:
        """The same with the day each was taken."""

        def shown(record: Record) -> dict[str, str]:
            taken = record.taken or {}
            return {"id": taken["id"], "dato": taken["at"]}

        return self._looked_up(call, account, shown, "forsendelser")

    def statuses(self, call: Call, account: uuid.UUID) -> Response:
        """The status of each id that this account knows."""
        self._authorised(call)
        try:
            ids = [str(uuid.UUID(one)) for one in call.json()["forsendelseIds"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            return problem(call, 400, "Bad Request", "forsendelseIds kan ikke leses")
        with self.place.log.held() as held:
            fault = self.draw(call, held, "status", ids[0] if ids else "", WHILE_ASKING)
            self.stop_on(call, held, fault, ids[0] if ids else "", "lookup")
            records = [held.record(self.service, one) for one in ids]
            own = [record for record in records if (record.taken or {}).get("account") == str(account)]
            found = [self._shown(call, held, record) for record in own]
        return self.faulty(call, fault, json_response({"statuser": found}))

    def events(self, call: Call, shipment: uuid.UUID) -> Response:
        """The log of one consignment, oldest first."""
        self._authorised(call)
        with self.place.log.held() as held:
            record = held.record(self.service, str(shipment))
            if record.taken is None:
                return problem(call, 404, "Not Found", "Fant ikke forsendelsen")
            steps, at = self._steps(call, held, record), dt.datetime.fromisoformat(record.taken["at"])
        found = [
            letters.event(step, at + dt.timedelta(seconds=call.world.age(self.service, step)), text)
            for step, text in ((step, record.taken["late"] if step == "AVVIST" else "") for step in steps)
        ]
        return json_response({"hendelser": found})

    def _looked_up(self, call: Call, account: uuid.UUID, shown: Any, name: str) -> Response:
        self._authorised(call)
        reference = call.request.args.get("eksternRef")
        if reference is None:
            return problem(call, 400, "Bad Request", "eksternRef er påkrevd")
        with self.place.log.held() as held:
            fault = self.draw(call, held, "search", reference, WHILE_ASKING)
            self.stop_on(call, held, fault, reference, "lookup")
            records = [
                record
                for record in held.shipment(reference).values()
                if (record.taken or {}).get("account") == str(account)
            ]
        return self.faulty(call, fault, json_response({name: [shown(record) for record in records]}))

    def _fault(self, call: Call, held: Held, reference: str, identity: str | None) -> str:
        """Drawn from our reference, since SvarUt's ids are new at each try; what it took before counts as a try too."""
        tries = held.record(self.service, reference).tries + len(held.shipment(reference))
        override = call.world.faults.people.get(identity or "", {}).get(self.service, "")
        if "refuse" in override:
            return "refuse"
        faults = call.world.faults
        return draw(faults, self.service, "send", reference, tries, WHILE_SENDING, call.invoice, identity)

    def _steps(self, call: Call, held: Held, record: Record) -> list[str]:
        """The statuses until now; a refusal comes to light here, and into the log first."""
        taken = record.taken or {}
        if "late" in taken and record.taken_back is None and self.has_age(call, taken, "AVVIST"):
            self._refuse(call, held, record)
        if record.taken_back is not None:
            return ["MOTTATT", "AVVIST"]
        way = ("MOTTATT",) if "late" in taken else letters.WAYS[taken["way"]]
        steps = [step for step in way if step == "MOTTATT" or self.has_age(call, taken, step)]
        if (
            "late" not in taken
            and "LEST" in call.world.ages.get(self.service, {})
            and self.has_age(call, taken, "LEST")
        ):
            steps.append("LEST")
        return steps

    def _refuse(self, call: Call, held: Held, record: Record) -> None:
        taken = record.taken or {}
        held.append(
            call.entry(self.service, taken["id"], "refused", taken["kind"], invoice=taken["invoice"], state="AVVIST")
        )

    def _shown(self, call: Call, held: Held, record: Record) -> dict[str, str]:
        taken = record.taken or {}
        status = self._steps(call, held, record)[-1]
        at = dt.datetime.fromisoformat(taken["at"]) + dt.timedelta(seconds=call.world.age(self.service, status))
        return {"id": taken["id"], "sisteStatusEndring": at.isoformat(timespec="milliseconds"), "status": status}

    def _authorised(self, call: Call) -> None:
        headers = call.request.headers
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        try:
            claims = self.place.key.check(token.strip(), time.time()) if scheme.lower() == "bearer" else {}
            uuid.UUID(headers.get("IntegrasjonId", ""))
        except (TokenInvalid, ValueError):
            claims = {}
        if not claims or "IntegrasjonPassord" not in headers:
            raise Answer(problem(call, 401, "Unauthorized", "Ugyldig token eller integrasjon"))
        if SCOPE not in str(claims.get("scope", "")).split():
            raise Answer(problem(call, 403, "Forbidden", f"Mangler scope {SCOPE}"))
