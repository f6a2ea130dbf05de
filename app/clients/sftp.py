"""Files to a folder on a server by SFTP: each appears there whole, under its own name, and once.

A file goes up under a hidden name. When it is whole, a mark is left here, and then it is renamed there. So a death at
any moment is settled by looking: with the mark, a hidden file there is yet to be renamed, and none means that it was.
"""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import asyncssh

from app.core.atomic import create_atomically
from app.core.errors import SettingsInvalid
from app.core.settings import Settings

CONNECT_SECONDS, ALL_SECONDS = 20.0, 300.0
UPLOADED = "uploaded"
# It tells host and user at every step.
logging.getLogger("asyncssh").setLevel(logging.WARNING)


class SftpUnavailable(Exception):
    """The files could not be brought there now. ``needs_alarm``: nor later, until somebody repairs something."""

    def __init__(self, detail: str, *, needs_alarm: bool = False) -> None:
        super().__init__(detail)
        self.detail, self.needs_alarm = detail, needs_alarm


@dataclass(frozen=True, slots=True)
class SftpFolder:
    """A folder on a server whose key is known."""

    host: str
    port: int
    user: str
    folder: str
    host_key: asyncssh.SSHKey
    key_file: Path | None
    password: str = field(repr=False)

    @classmethod
    def by(cls, settings: Settings) -> Self | None:
        """The folder that the settings name, if they name one. Raises `SettingsInvalid`."""
        if not settings.avtalegiro_sftp_url:
            return None
        parts = urlsplit(settings.avtalegiro_sftp_url)
        if parts.scheme != "sftp" or not parts.hostname or not parts.username or parts.password is not None:
            raise SettingsInvalid("AVTALEGIRO_SFTP_URL must be sftp://user@host/folder, without a password")
        if settings.sandbox and not _is_this_machine(parts.hostname):
            raise SettingsInvalid("AVTALEGIRO_SFTP_URL: with the sandbox on, claims are made up, and stay here")
        if settings.avtalegiro_sftp_key_file is None and not settings.avtalegiro_sftp_password:
            raise SettingsInvalid("set AVTALEGIRO_SFTP_KEY_FILE or AVTALEGIRO_SFTP_PASSWORD: the server asks for one")
        try:
            host_key = asyncssh.import_public_key(settings.avtalegiro_sftp_host_key)
        except asyncssh.KeyImportError:
            raise SettingsInvalid("AVTALEGIRO_SFTP_HOST_KEY must be a public key: ssh-ed25519 AAAA…") from None
        return cls(
            parts.hostname,
            parts.port or 22,
            unquote(parts.username),
            unquote(parts.path).rstrip("/") or ".",
            host_key,
            settings.avtalegiro_sftp_key_file,
            settings.avtalegiro_sftp_password,
        )

    def take(self, outbox: Path) -> Sequence[str]:
        """Bring every ``*.txt`` in *outbox* there, by name, and move each that is there to ``uploaded/``; the names.

        Of several processes that would, one does. Raises `SftpUnavailable`; what is there by then is not brought again.
        """
        done: list[str] = []
        with _alone(outbox) as is_alone:
            files = sorted(outbox.glob("*.txt")) if is_alone else []
            if not files:
                return done
            try:
                asyncio.run(asyncio.wait_for(self._take(files, done), ALL_SECONDS))
            except (OSError, asyncssh.Error) as error:
                raise _judged(error) from None
        return done

    async def _take(self, files: Sequence[Path], done: list[str]) -> None:
        options = asyncssh.SSHClientConnectionOptions(
            username=self.user,
            known_hosts=([self.host_key], [], []),
            client_keys=[os.fspath(self.key_file)] if self.key_file else None,
            password=self.password or None,
            # Nothing of whoever runs us: neither their agent nor their configuration.
            agent_path=None,
            config=None,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=CONNECT_SECONDS,
        )
        async with (
            asyncssh.connect(self.host, self.port, options=options) as connection,
            connection.start_sftp_client() as sftp,
        ):
            for file in files:
                await self._take_one(sftp, file)
                done.append(file.name)

    async def _take_one(self, sftp: asyncssh.SFTPClient, file: Path) -> None:
        final, hidden = f"{self.folder}/{file.name}", f"{self.folder}/.{file.name}.part"
        mark = file.with_name(f".{file.name}.whole")
        if not mark.exists():
            if await sftp.exists(final):
                raise SftpUnavailable(f"{file.name} is there already, and not by us", needs_alarm=True)
            await sftp.put(os.fspath(file), hidden)
            if await sftp.getsize(hidden) != file.stat().st_size:
                raise SftpUnavailable(f"{file.name} did not arrive whole")
            create_atomically(mark, b"")
        if await sftp.exists(hidden):
            # Plain rename: it fails rather than replace.
            await sftp.rename(hidden, final)
        (file.parent / UPLOADED).mkdir(exist_ok=True, mode=0o700)
        file.rename(file.parent / UPLOADED / file.name)
        mark.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process is bringing the files of *folder* away; while the block lasts, none may."""
    if not folder.is_dir():
        yield False
        return
    descriptor = os.open(folder / ".upload.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        is_alone = False
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_alone = True
        yield is_alone
    finally:
        os.close(descriptor)


def _judged(error: Exception) -> SftpUnavailable:
    """Which causes pass by themselves; a server's words are not repeated."""
    passing = (OSError, asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
    return SftpUnavailable(f"sftp: {type(error).__name__}", needs_alarm=not isinstance(error, passing))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
