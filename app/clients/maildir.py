"""A Maildir that mails are put into under names of their own, so that looking tells whether one is there."""

from __future__ import annotations

import os
from pathlib import Path

from app.clients.mime import Prepared


class Maildir:
    """The folders ``tmp``, ``new`` and ``cur`` under *folder*. Safe for threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._new, self._cur, self._tmp = (folder / name for name in ("new", "cur", "tmp"))

    def put(self, name: str, prepared: Prepared) -> bool:
        """Put the mail into ``new`` under *name*, whole and durable; False when one of that name is there already.

        Raises OSError.
        """
        if self._is_new_or_seen(name):
            return False
        for folder in (self._tmp, self._new, self._cur):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._tmp / name
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines((prepared.head, prepared.rest))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._new / name)
        _sync(self._new)
        return True

    def has(self, name: str) -> bool:
        """Whether a mail of that name is there, read or not. Raises OSError when it cannot be looked."""
        if self._is_new_or_seen(name):
            return True
        try:
            with os.scandir(self._cur) as entries:
                return any(entry.name.startswith(f"{name}:") for entry in entries)
        except FileNotFoundError:
            return False

    def _is_new_or_seen(self, name: str) -> bool:
        """Looked up by the likely names, since ``cur`` may be long."""
        return any(path.exists() for path in (self._new / name, self._cur / f"{name}:2,", self._cur / f"{name}:2,S"))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
