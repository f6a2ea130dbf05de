"""How an offer's mail leaves: to the mail server, or into a Maildir while none is set."""

from __future__ import annotations

from typing import Protocol

from app.clients.mail import Envelope, MailServer
from app.clients.maildir import Maildir
from app.clients.mime import UNIX, WIRE, Prepared
from app.clients.return_path import ReturnPath
from app.clients.rules import Judgement, Verdict
from app.core.settings import Settings


class Outgoing(Protocol):
    """One of the two. Safe for threads. ``line_end``: what the bytes of a mail must have."""

    @property
    def line_end(self) -> bytes: ...

    def send(self, key: str, recipient: str, prepared: Prepared) -> Judgement:
        """Hand one mail over; never raises for what the other side does."""
        ...

    def has(self, key: str) -> bool | None:
        """Whether the mail of *key* was taken; None where nobody can be asked. Raises OSError."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...


def outgoing(settings: Settings) -> Outgoing:
    """As the settings say. Raises `SettingsInvalid`; nothing is connected to yet."""
    if settings.mail_server:
        return ByServer(MailServer(settings), ReturnPath.by(settings))
    return ToMaildir(Maildir(settings.outbox_dir / "email"))


class ByServer:
    """Over SMTP: each mail from a return address of its own, and what was begun cannot be asked about."""

    line_end = WIRE

    def __init__(self, server: MailServer, path: ReturnPath) -> None:
        self._server, self._path = server, path

    def send(self, key: str, recipient: str, prepared: Prepared) -> Judgement:
        """To the server, over a connection that stays open."""
        return self._server.send(Envelope(self._path.address(key), recipient), prepared)

    def has(self, key: str) -> bool | None:
        """Nobody can be asked."""
        return None

    def close(self) -> None:
        """Hang up."""
        self._server.close()


class ToMaildir:
    """Into a Maildir, where the file's name is the mail's key."""

    line_end = UNIX

    def __init__(self, maildir: Maildir) -> None:
        self._maildir = maildir

    def send(self, key: str, recipient: str, prepared: Prepared) -> Judgement:
        """One already there is left alone."""
        try:
            is_new = self._maildir.put(key, prepared)
        except OSError as error:
            return Judgement(Verdict.UNAVAILABLE, f"maildir: {error.strerror}", True)
        return Judgement(Verdict.ACCEPTED, "new" if is_new else "repeat")

    def has(self, key: str) -> bool | None:
        """Look for the file."""
        return self._maildir.has(key)

    def close(self) -> None:
        """Nothing is held open."""
