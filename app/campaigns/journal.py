"""Notes beside the database how far each begun mail came: of many begun together few are uncertain after a kill.

A note is one append without waiting for the disk: it outlives the process, not the machine. So the file names the boot
it was written in, and after another one everything begun is uncertain. Nothing personal stands in it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import psutil

from app.clients.rules import Verdict

ENDING = "ending"
BOOT_TOLERANCE = 5.0


def place(instance: Path, worker: str) -> Path:
    """Where the worker *worker* notes; its name holds colons and slashes."""
    return instance / "offers" / f"{worker.replace('/', '_').replace(':', '_')}.notes"


class Journal:
    """The notes of one worker's run. Safe for threads."""

    def __init__(self, path: Path) -> None:
        """Begins anew. Raises OSError."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.write(self._file, f"boot {psutil.boot_time():.0f}\n".encode())

    def ending(self, key: str) -> None:
        """The mail's last bytes are about to leave: from here on it may be taken."""
        os.write(self._file, f"{ENDING} {key}\n".encode())

    def answered(self, key: str, verdict: Verdict) -> None:
        """What the server said."""
        os.write(self._file, f"{verdict.value} {key}\n".encode())

    def close(self, *, is_done: bool) -> None:
        """Stop noting. ``is_done``: everything is in the database, so the notes are not needed any more."""
        os.close(self._file)
        if is_done:
            forget(self._path)


def read(path: Path) -> Mapping[str, str] | None:
    """The last note on each key; None when there are no notes, or none that can be trusted."""
    try:
        first, *lines = path.read_text("ascii", errors="replace").splitlines()
        boot = float(first.removeprefix("boot "))
    except (OSError, ValueError):
        return None
    if abs(boot - psutil.boot_time()) > BOOT_TOLERANCE:
        return None
    notes: dict[str, str] = {}
    for line in lines:
        note, _, key = line.partition(" ")
        notes[key] = note
    return notes


def verdict_of(notes: Mapping[str, str] | None, key: str) -> Verdict:
    """What is known of a mail that was left open: surely not taken, taken, or uncertain."""
    if notes is None:
        return Verdict.UNCERTAIN
    match notes.get(key):
        case None | Verdict.REFUSED | Verdict.UNAVAILABLE:
            return Verdict.UNAVAILABLE
        case Verdict.ACCEPTED:
            return Verdict.ACCEPTED
    return Verdict.UNCERTAIN


def forget(path: Path) -> None:
    """Remove notes that are not needed any more."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
