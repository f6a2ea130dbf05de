"""How an offer's mail leaves: to the mail server, or into a Maildir while none is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from app.campaigns import journal
from app.clients.mail import MailServer
from app.clients.mail_connection import Envelope
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

    def found(self, worker: str, keys: Sequence[str]) -> Mapping[str, Verdict]:
        """What became of the mails that *worker* began and never ended. Raises OSError."""
        ...

    def settled(self, worker: str) -> None:
        """What `found` told of *worker* is in the database."""
        ...

    def close(self, *, is_done: bool = True) -> None:
        """Let connections go. ``is_done``: nothing that was begun is open."""
        ...


def outgoing(settings: Settings, worker: str = "") -> Outgoing:
    """As the settings say, with notes kept for *worker* where one is named. Raises `SettingsInvalid`."""
    if settings.mail_server:
        return ByServer(MailServer(settings), ReturnPath.by(settings), settings.instance_dir, worker)
    return ToMaildir(Maildir(settings.outbox_dir / "email"))


class ByServer:
    """Over SMTP: each mail from a return address of its own. What was begun is known by our notes, or not at all."""

    line_end = WIRE

    def __init__(self, server: MailServer, path: ReturnPath, instance: Path, worker: str) -> None:
        self._server, self._path, self._instance = server, path, instance
        self._journal = journal.Journal(journal.place(instance, worker)) if worker else None

    def send(self, key: str, recipient: str, prepared: Prepared) -> Judgement:
        """To the server, over a connection that stays open."""
        envelope = Envelope(self._path.address(key), recipient)
        notes = self._journal
        if notes is None:
            return self._server.send(envelope, prepared)
        judgement = self._server.send(envelope, prepared, lambda: notes.ending(key))
        notes.answered(key, judgement.verdict)
        return judgement

    def found(self, worker: str, keys: Sequence[str]) -> Mapping[str, Verdict]:
        """By the worker's notes; without them everything is uncertain."""
        notes = journal.read(journal.place(self._instance, worker))
        return {key: journal.verdict_of(notes, key) for key in keys}

    def settled(self, worker: str) -> None:
        """Its notes are not needed any more."""
        journal.forget(journal.place(self._instance, worker))

    def close(self, *, is_done: bool = True) -> None:
        """Hang up."""
        self._server.close()
        if self._journal is not None:
            self._journal.close(is_done=is_done)


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

    def found(self, worker: str, keys: Sequence[str]) -> Mapping[str, Verdict]:
        """Look for the files."""
        return {key: Verdict.ACCEPTED if self._maildir.has(key) else Verdict.UNAVAILABLE for key in keys}

    def settled(self, worker: str) -> None:
        """Nothing is kept."""

    def close(self, *, is_done: bool = True) -> None:
        """Nothing is held open."""
