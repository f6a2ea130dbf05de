"""The digital mailbox (Digipost, e-Boks) through eFormidling."""

from __future__ import annotations

from typing import Any

from app.channels.answers import result
from app.channels.contract import Consignment, Outcome, Result
from app.channels.eformidling import EformidlingLetters, conversation_of, file_name_of
from app.channels.payment_data import payment_data
from app.clients.eformidling import Eformidling
from app.clients.eformidling_contract import Kind, OutMessage
from app.clients.rules import Verdict
from app.core.clock import Clock
from app.core.settings import Settings
from app.routing.channels import Channel

# Some invoices tell of things that only their receiver should see, so all are opened with the higher log-in.
SECURITY_LEVEL = 4
LONGEST_TITLE = 255
LONGEST_REFERENCE = 40
PAYMENT_DATA_NAME = "betaling.xml"


class Mailbox(EformidlingLetters):
    """Document type ``digital``. Whether there is a mailbox, and no reservation, is asked before each letter."""

    channel = Channel.MAILBOX

    def __init__(self, client: Eformidling, settings: Settings, clock: Clock) -> None:
        super().__init__(client)
        self._sender, self._clock = settings.organisation_number, clock
        self._has_payment_data = settings.digipost_payment_data

    def objection(self, consignment: Consignment) -> Result | None:
        """Refused: ``no_national_id``, and whoever has no mailbox or has reserved."""
        if not consignment.recipient.national_id:
            return Result(Outcome.REFUSED, detail="no_national_id")
        judgement = self._client.reaches(consignment.recipient.national_id, Kind.DIGITAL)
        return None if judgement.verdict is Verdict.ACCEPTED else result(judgement)

    def message(self, consignment: Consignment) -> OutMessage:
        """The title is the neutral subject: it stands in the SMS and e-mail that tell of the letter."""
        file_name = file_name_of(consignment)
        content: dict[str, Any] = {
            "sikkerhetsnivaa": SECURITY_LEVEL,
            "hoveddokument": file_name,
            "tittel": " ".join(consignment.subject.split())[:LONGEST_TITLE],
            "spraak": consignment.recipient.language,
            # An opening receipt costs money, and tells us nothing that we may use.
            "digitalPostInfo": {"virkningsdato": self._clock.today().isoformat(), "aapningskvittering": False},
        }
        if len(consignment.number) <= LONGEST_REFERENCE:
            content["fakturaReferanse"] = consignment.number
        metadata = payment_data(consignment) if self._has_payment_data else None
        if metadata is not None:
            content["metadataFiler"] = {file_name: PAYMENT_DATA_NAME}
        return OutMessage(
            message_id=consignment.key,
            conversation_id=conversation_of(consignment),
            kind=Kind.DIGITAL,
            sender=self._sender,
            receiver=consignment.recipient.national_id,
            content=content,
            file_name=file_name,
            pdf=consignment.pdf,
            metadata_name=PAYMENT_DATA_NAME if metadata is not None else "",
            metadata=metadata or b"",
        )
