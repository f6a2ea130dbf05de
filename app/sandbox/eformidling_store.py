"""Messages that were created at the integrasjonspunkt but not sent: one small file of JSON lines each.

The first line is the message, each further one a file that was attached. A process that is killed while it writes
leaves a line without its end; nobody was answered, so it does not count and is cut off by the next writer.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Pending:
    """A message that waits: its document (SBD) and, of its files, name, size and digest only."""

    message_id: str
    document: dict[str, Any]
    created_at: str
    files: tuple[dict[str, Any], ...] = ()


def described(name: str, content: bytes) -> dict[str, Any]:
    """What is kept of an attachment."""
    is_pdf = content[:1024].lstrip()[:5] == b"%PDF-"
    return {"filename": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "is_pdf": is_pdf}


class PendingStore:
    """``SANDBOX_DIR/eformidling/<two characters>/<digest>.jsonl``; call it while holding the log."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "eformidling"

    def _path(self, message_id: str) -> Path:
        """Ids are free text in an address, so the file is named by their digest."""
        name = hashlib.sha256(message_id.encode()).hexdigest()[:40]
        return self._directory / name[:2] / f"{name}.jsonl"

    def get(self, message_id: str) -> Pending | None:
        """The waiting message."""
        lines = _whole_lines(self._path(message_id))
        if not lines:
            return None
        message, *files = [json.loads(line) for line in lines]
        return Pending(message_id, message["document"], message["created_at"], tuple(files))

    def add(self, pending: Pending) -> None:
        """Lay a message ready."""
        path = self._path(pending.message_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_line({"document": pending.document, "created_at": pending.created_at}))

    def add_file(self, pending: Pending, file: dict[str, Any]) -> None:
        """Attach a file to a message that waits."""
        path = self._path(pending.message_id)
        whole = sum(map(len, _whole_lines(path)))
        with path.open("r+b") as out:
            out.truncate(whole)
            out.seek(whole)
            out.write(_line(file))

    def remove(self, message_id: str) -> None:
        """Forget it."""
        self._path(message_id).unlink(missing_ok=True)


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def _whole_lines(path: Path) -> list[bytes]:
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [line for line in lines if line.endswith(b"\n")]
