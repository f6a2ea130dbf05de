"""Where returned mails lie: a Maildir here, or an IMAP box; each is read, and moved away only when told to."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from app.clients.returned import READ_BYTES
from app.core.settings import Settings

AT_ONCE = 50


class Place(StrEnum):
    """Where a mail that was read goes: handled, or not understood and left for a person."""

    HANDLED = "handled"
    UNMATCHED = "unmatched"


FOLDERS = {Place.HANDLED: ".Handled", Place.UNMATCHED: ".Unmatched"}


class BoxUnavailable(Exception):
    """The box cannot be read now. ``needs_alarm``: nor later, until somebody repairs something. No personal data."""

    def __init__(self, detail: str, *, needs_alarm: bool = False) -> None:
        super().__init__(detail)
        self.detail, self.needs_alarm = detail, needs_alarm


@dataclass(frozen=True, slots=True)
class Waiting:
    """One mail that nobody has handled. ``name``: its name in the box. ``content``: its first `READ_BYTES`."""

    name: str
    content: bytes = field(repr=False)


class BounceBox(Protocol):
    """A place that returned mails come to. Safe for several processes: what another has moved is simply gone."""

    @property
    def name(self) -> str: ...

    def waiting(self) -> Iterator[Sequence[Waiting]]:
        """The mails that lie there now, each once, some at a time. Raises `BoxUnavailable`."""
        ...

    def move(self, names: Sequence[str], place: Place) -> None:
        """Move these away. Raises `BoxUnavailable`."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


def bounce_boxes(settings: Settings) -> tuple[BounceBox, ...]:
    """The boxes of this installation; nothing is opened yet."""
    maildir = MaildirBox(settings.bounce_maildir)
    return (maildir, ImapBox(settings)) if settings.bounce_imap_server else (maildir,)


class MaildirBox:
    """A Maildir that a mail server delivers to; the places are folders in it, as Maildir++ has them."""

    name = "maildir"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self) -> Iterator[Sequence[Waiting]]:
        """What lies in ``new`` and ``cur``; a folder that is not there is empty."""
        try:
            names = [name for inside in ("new", "cur") for name in self._names(inside)]
            for start in range(0, len(names), AT_ONCE):
                yield [one for name in names[start : start + AT_ONCE] if (one := self._read(name)) is not None]
        except OSError as error:
            raise BoxUnavailable(f"maildir: {error.strerror}", needs_alarm=True) from None

    def move(self, names: Sequence[str], place: Place) -> None:
        """Rename into the place's ``cur``; what is not there any more has been moved by another."""
        target = self._folder / FOLDERS[place]
        try:
            for inside in ("tmp", "new", "cur"):
                (target / inside).mkdir(parents=True, exist_ok=True, mode=0o700)
            (target / "maildirfolder").touch(mode=0o600)
            for name in names:
                base = Path(name).name.partition(":")[0]
                try:
                    (self._folder / name).rename(target / "cur" / f"{base}:2,")
                except FileNotFoundError:
                    continue
        except OSError as error:
            raise BoxUnavailable(f"maildir: {error.strerror}", needs_alarm=True) from None

    def close(self) -> None:
        """Nothing is held open."""

    def _names(self, inside: str) -> list[str]:
        try:
            with os.scandir(self._folder / inside) as entries:
                return sorted(f"{inside}/{one.name}" for one in entries if not one.name.startswith("."))
        except FileNotFoundError:
            return []

    def _read(self, name: str) -> Waiting | None:
        try:
            with (self._folder / name).open("rb") as file:
                return Waiting(name, file.read(READ_BYTES))
        except FileNotFoundError:
            return None


class ImapBox:
    """An IMAP box over TLS. Mails are named by UID, and read without being marked as read."""

    name = "imap"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = ssl.create_default_context(cafile=settings.mail_ca_file)
        self._client: IMAPClient | None = None

    def waiting(self) -> Iterator[Sequence[Waiting]]:
        """Everything that is not deleted; only the first `READ_BYTES` of each are fetched."""
        client = self._opened()
        try:
            uids = client.search(["NOT", "DELETED"])
            for start in range(0, len(uids), AT_ONCE):
                part = f"BODY.PEEK[]<0.{READ_BYTES}>"
                found = client.fetch(uids[start : start + AT_ONCE], [part])
                yield [
                    Waiting(str(uid), next((value for key, value in data.items() if key.startswith(b"BODY[]")), b""))
                    for uid, data in sorted(found.items())
                ]
        except (IMAPClientError, OSError) as error:
            raise self._lost(error) from None

    def move(self, names: Sequence[str], place: Place) -> None:
        """By MOVE where the server has it, else by a copy and a deletion."""
        client, uids = self._opened(), [int(name) for name in names]
        settings = self._settings
        folder = settings.bounce_imap_handled if place is Place.HANDLED else settings.bounce_imap_unmatched
        try:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            if client.has_capability("MOVE"):
                client.move(uids, folder)
            else:
                client.copy(uids, folder)
                client.delete_messages(uids, silent=True)
                # Only ours: somebody else's deleted mails are theirs to remove.
                if client.has_capability("UIDPLUS"):
                    client.uid_expunge(uids)
        except (IMAPClientError, OSError) as error:
            raise self._lost(error) from None

    def close(self) -> None:
        """Log out."""
        client, self._client = self._client, None
        if client is not None:
            try:
                client.logout()
            except (IMAPClientError, OSError):
                _drop(client)

    def _opened(self) -> IMAPClient:
        if self._client is not None:
            return self._client
        settings, client = self._settings, None
        try:
            client = IMAPClient(
                settings.bounce_imap_server,
                settings.bounce_imap_port,
                ssl=settings.bounce_imap_use_ssl,
                ssl_context=self._context if settings.bounce_imap_use_ssl else None,
                timeout=settings.mail_timeout,
            )
            if not settings.bounce_imap_use_ssl:
                client.starttls(self._context)
            client.login(settings.bounce_imap_username, settings.bounce_imap_password)
            client.select_folder(settings.bounce_imap_folder)
        except (IMAPClientError, OSError) as error:
            _drop(client)
            raise _judged(error) from None
        self._client = client
        return client

    def _lost(self, error: Exception) -> BoxUnavailable:
        client, self._client = self._client, None
        _drop(client)
        return _judged(error)


def _drop(client: IMAPClient | None) -> None:
    """Let a connection go that may be broken already."""
    if client is not None:
        with suppress(OSError):
            client.shutdown()


def _judged(error: Exception) -> BoxUnavailable:
    """What it means that the box could not be used; a server's words may name the account, so only the kind is told."""
    if isinstance(error, LoginError):
        return BoxUnavailable("imap: log-in refused", needs_alarm=True)
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return BoxUnavailable("imap: the certificate or the encryption is not acceptable", needs_alarm=True)
    is_answer = isinstance(error, IMAPClientError) and not isinstance(error, IMAPClientAbortError)
    return BoxUnavailable(f"imap: {type(error).__name__}", needs_alarm=is_answer)
