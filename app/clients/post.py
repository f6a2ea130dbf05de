"""Short mails without an attachment: to the mail server, or into a Maildir while no server is set."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from app.clients.mail import MailServer
from app.clients.mail_connection import Envelope
from app.clients.maildir import Maildir
from app.clients.mime import Prepared
from app.clients.return_path import ReturnPath
from app.clients.rules import Judgement, Verdict
from app.core.clock import OSLO, Clock
from app.core.settings import Environment, Settings


@dataclass(frozen=True, slots=True)
class Note:
    """What a mail says. ``key``: a UUID, the same for a repeat. ``recipient``: one checked ASCII address.

    ``html``: the same words for those who see them, or empty. ``headers``: more of them. repr shows no content.
    """

    key: str
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    html: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = ()


class Postman:
    """Hands short mails over, one by one. Safe for threads; one a process.

    Outside production a real server is given mails to allow-listed addresses alone.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Raises `SettingsInvalid`. Nothing is connected to yet."""
        self._is_open_to_all = settings.environment is Environment.PRODUCTION or not settings.mail_server
        self._allowed = frozenset(settings.allowed_recipients)
        self._path, self._clock = ReturnPath.by(settings), clock
        self._server = MailServer(settings) if settings.mail_server else None
        self._maildir = Maildir(settings.outbox_dir / "email")

    def send(self, note: Note) -> Judgement:
        """Hand one mail over; never raises for what the other side does. ``Message-ID`` is the same on every repeat."""
        if not self._is_open_to_all and note.recipient not in self._allowed:
            return Judgement(Verdict.UNAVAILABLE, "not in ALLOWED_RECIPIENTS")
        message = self._message(note)
        if self._server is not None:
            prepared = Prepared(message.as_bytes().removesuffix(b"\r\n"), b"")
            return self._server.send(Envelope(self._path.address(note.key), note.recipient), prepared)
        try:
            is_new = self._maildir.put(note.key, Prepared(message.as_bytes(policy=SMTP.clone(linesep="\n")), b""))
        except OSError as error:
            return Judgement(Verdict.UNAVAILABLE, f"maildir: {error.strerror}", True)
        return Judgement(Verdict.ACCEPTED, "new" if is_new else "repeat")

    def close(self) -> None:
        """Let the connections go."""
        if self._server is not None:
            self._server.close()

    def _message(self, note: Note) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = formataddr(self._path.sender)
        message["To"] = note.recipient
        message["Subject"] = note.subject
        message["Date"] = format_datetime(self._clock.now().astimezone(OSLO))
        message["Message-ID"] = f"<{self._path.message_id(note.key)}>"
        message["Content-Language"] = note.language
        # RFC 3834: nobody's holiday message should answer it.
        message["Auto-Submitted"] = "auto-generated"
        for name, value in note.headers:
            message[name] = value
        message.set_content(note.text, cte="quoted-printable")
        if note.html:
            message.add_alternative(note.html, subtype="html", cte="quoted-printable")
        return message
