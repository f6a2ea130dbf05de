"""E-mail with the invoice as a PDF: to the mail server, or into a Maildir while no server is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from app.channels.answers import result
from app.channels.contract import Consignment, Outcome, ReceiptNote, Result
from app.channels.email_text import invoice_text, language_of
from app.channels.names import document_name
from app.clients.mail import MailServer
from app.clients.mail_connection import Envelope
from app.clients.maildir import Maildir
from app.clients.mime import UNIX, WIRE, Mail, prepare
from app.clients.return_path import ReturnPath
from app.core.clock import OSLO, Clock
from app.core.contact import EmailInvalid, normalise_email
from app.core.settings import Settings
from app.routing.channels import Channel


class Transport(Protocol):
    """One of the two ways a mail leaves."""

    @property
    def provider(self) -> str: ...
    @property
    def recognises_repeats(self) -> bool: ...
    def deliver(self, mail: Mail, key: str) -> Result: ...
    def find(self, consignment: Consignment) -> Result: ...
    def close(self) -> None: ...


class Email:
    """Invoices by e-mail, one by one. ``Message-ID`` is ``<key@the sender's domain>``, the same on every repeat."""

    channel = Channel.EMAIL
    batch_size = 1

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._path = ReturnPath.by(settings)
        self._settings, self._clock = settings, clock
        self._transport: Transport = (
            ByServer(MailServer(settings), self._path, clock)
            if settings.mail_server
            else ToMaildir(Maildir(settings.outbox_dir / "email"), clock)
        )

    @property
    def provider(self) -> str:
        """``smtp`` or ``maildir``."""
        return self._transport.provider

    @property
    def commit_each(self) -> bool:
        """SMTP does not recognise a repeat, so each attempt stands alone; a Maildir does."""
        return not self._transport.recognises_repeats

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Hand each mail over. Refused: ``no_address``, ``bad_address`` and what the server says of the address.

        Unavailable with an alarm: ``no_document``, a consignment without its PDF.
        """
        return {consignment.key: self._sent(consignment) for consignment in consignments}

    def find(self, consignment: Consignment) -> Result:
        """A Maildir is looked into. A mail server cannot be asked: the first time the answer is unavailable, so that
        the mail goes again under the same ``Message-ID``; once it has, the answer stays uncertain: a person decides.
        """
        return self._told(consignment, self._transport.find(consignment))

    def receipts(self, references: Sequence[str]) -> Sequence[ReceiptNote]:
        """None: what a server says later comes as a bounce, by mail."""
        return ()

    def close(self) -> None:
        """Let the connections go."""
        self._transport.close()

    def _sent(self, consignment: Consignment) -> Result:
        if not consignment.recipient.email:
            return Result(Outcome.REFUSED, detail="no_address")
        try:
            address = normalise_email(consignment.recipient.email)
        except EmailInvalid:
            return Result(Outcome.REFUSED, detail="bad_address")
        if not consignment.pdf:
            return Result(Outcome.UNAVAILABLE, detail="no_document", needs_alarm=True)
        return self._told(consignment, self._transport.deliver(self._mail(consignment, address), consignment.key))

    def _told(self, consignment: Consignment, answer: Result) -> Result:
        """With the reference where it was, or may have been, taken: a bounce will name it."""
        may_be_taken = answer.outcome in (Outcome.ACCEPTED, Outcome.UNCERTAIN)
        return replace(answer, provider_reference=self._message_id(consignment) if may_be_taken else None)

    def _mail(self, consignment: Consignment, address: str) -> Mail:
        headers = {
            "X-Invoice-Number": consignment.number,
            "X-Invoice-Kind": consignment.witness_kind,
            # RFC 3834: nobody's holiday message should answer it.
            "Auto-Submitted": "auto-generated",
        }
        if consignment.is_resend:
            headers["X-Invoice-Resend"] = "yes"
        return Mail(
            message_id=self._message_id(consignment),
            sender=self._path.sender,
            recipient=address,
            subject=consignment.subject,
            text=invoice_text(consignment, self._settings),
            language=language_of(consignment),
            file_name=document_name(consignment.kind, consignment.number),
            pdf=consignment.pdf,
            headers=headers,
        )

    def _message_id(self, consignment: Consignment) -> str:
        return self._path.message_id(consignment.key)


class ByServer:
    """Over SMTP."""

    provider = "smtp"
    recognises_repeats = False

    def __init__(self, server: MailServer, path: ReturnPath, clock: Clock) -> None:
        self._server, self._path, self._clock = server, path, clock

    def deliver(self, mail: Mail, key: str) -> Result:
        """Hand one mail to the server."""
        prepared = prepare(mail, self._clock.now().astimezone(OSLO), WIRE)
        return result(self._server.send(Envelope(self._path.address(key), mail.recipient), prepared))

    def find(self, consignment: Consignment) -> Result:
        """Nobody can be asked: send again, once."""
        if consignment.is_resend:
            return Result(Outcome.UNCERTAIN, detail="sent_twice_without_answer", is_for_a_person=True)
        return Result(Outcome.UNAVAILABLE, detail="resend_once")

    def close(self) -> None:
        """Let the connections go."""
        self._server.close()


class ToMaildir:
    """Into a Maildir, where the file's name is the attempt's key."""

    provider = "maildir"
    recognises_repeats = True

    def __init__(self, maildir: Maildir, clock: Clock) -> None:
        self._maildir, self._clock = maildir, clock

    def deliver(self, mail: Mail, key: str) -> Result:
        """Put one mail in; one of that key already there is left alone."""
        try:
            is_new = self._maildir.put(key, prepare(mail, self._clock.now().astimezone(OSLO), UNIX))
        except OSError as error:
            return Result(Outcome.UNAVAILABLE, detail=f"maildir: {error.strerror}", needs_alarm=True)
        return Result(Outcome.ACCEPTED, detail=None if is_new else "repeat")

    def find(self, consignment: Consignment) -> Result:
        """Look for the file."""
        try:
            is_there = self._maildir.has(consignment.key)
        except OSError as error:
            return Result(Outcome.UNCERTAIN, detail=f"maildir: {error.strerror}", needs_alarm=True)
        return Result(Outcome.ACCEPTED if is_there else Outcome.UNAVAILABLE)

    def close(self) -> None:
        """Nothing is held open."""
