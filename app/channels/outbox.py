"""A file or folder in the outbox: written hidden and whole, then renamed into place, so that looking always settles."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


class HiddenPlace:
    """The three names that one hand-over has in *folder*.

    ``.<name>.part`` is half written, ``.<name>.ready`` whole and durable, ``<name><suffix>`` handed over. Raises
    ValueError for a name that could lead out of the folder.
    """

    def __init__(self, folder: Path, name: str, suffix: str = "") -> None:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"not a name for a hand-over: {name!r}")
        self.folder = folder
        self.part = folder / f".{name}.part"
        self.ready = folder / f".{name}.ready"
        self.final = folder / f"{name}{suffix}"

    def fill(self, write: Callable[[Path], None]) -> None:
        """Let *write* make the part, a file or a folder, and keep it as ready.

        Raises FileExistsError when this hand-over has already been made, and OSError when it cannot be written; in
        both cases, and when *write* raises, nothing new is left.
        """
        if self.final.exists():
            raise FileExistsError(f"{self.final.name} has been handed over already")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.discard()
        try:
            write(self.part)
            sync_tree(self.part)
        except BaseException:
            _remove(self.part)
            raise
        self.part.rename(self.ready)
        sync(self.folder)

    def publish(self) -> None:
        """Rename ready into place; when there is none, it was done before (and may have been fetched since)."""
        try:
            self.ready.rename(self.final)
        except FileNotFoundError:
            return
        sync(self.folder)

    def discard(self) -> None:
        """Remove what is hidden; what was handed over stays."""
        _remove(self.part)
        _remove(self.ready)


def sync_tree(path: Path) -> None:
    """Bring *path*, and everything in it when it is a folder, to disk."""
    if path.is_dir():
        for child in path.iterdir():
            sync_tree(child)
    sync(path)


def sync(path: Path) -> None:
    """Bring one file, or the names in one folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_file(path: Path) -> int:
    """Open a new file that only the program's own user reads; gives its descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
