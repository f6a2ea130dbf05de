"""Writes files so that a reader, or the next start after a crash, sees all of them or nothing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Most of these files hold personal data: nobody but the program's own user reads them unless asked for.
_PRIVATE = 0o600


def write_atomically(path: Path, data: bytes | Iterable[bytes], *, mode: int = _PRIVATE) -> None:
    """Put *data* at *path*, replacing what is there; the folder must exist.

    The content is on disk before it gets its name. When *data* is an iterable that raises, *path* stays as it was.
    """
    with _temporary_beside(path, data, mode) as temporary:
        temporary.replace(path)
    _sync_folder(path.parent)


def create_atomically(path: Path, data: bytes | Iterable[bytes], *, mode: int = _PRIVATE) -> bool:
    """Put *data* at *path* unless something is there already; whether it was we who did.

    Of several processes that try at once, exactly one gets True and all then see its content.
    """
    with _temporary_beside(path, data, mode) as temporary:
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            return False
    _sync_folder(path.parent)
    return True


def append_line(path: Path, line: str, *, mode: int = _PRIVATE) -> None:
    """Add *line* and a line break to *path* in one write, so that lines of several processes never mix.

    Survives the death of the process, though not of the machine. Raises ValueError when *line* holds a line break.
    """
    if "\n" in line or "\r" in line:
        raise ValueError("a line break inside a line")
    record = f"{line}\n".encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        # A second write for the rest could land after another process's line.
        if os.write(descriptor, record) != len(record):
            raise OSError(f"line cut short in {path}: is the disk full?")
    finally:
        os.close(descriptor)


@contextmanager
def _temporary_beside(path: Path, data: bytes | Iterable[bytes], mode: int) -> Iterator[Path]:
    # A leading dot and .tmp keep it away from everyone who looks for *.txt or *.xml in the folder.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
