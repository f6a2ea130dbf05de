"""Messages that were created at the integrasjonspunkt but not sent: one small file each, replaced whole."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Pending:
    """A message that waits: its document (SBD) and, of its files, name, size and digest only."""

    message_id: str
    document: dict[str, Any]
    created_at: str
    files: list[dict[str, Any]]

    def add_file(self, name: str, content: bytes) -> None:
        """Note one attachment."""
        digest = hashlib.sha256(content).hexdigest()
        self.files.append(
            {
                "filename": name,
                "size": len(content),
                "sha256": digest,
                "is_pdf": content[:1024].lstrip()[:5] == b"%PDF-",
            }
        )


class PendingStore:
    """``SANDBOX_DIR/eformidling/<two characters>/<messageId>.json``; call it while holding the log."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "eformidling"

    def _path(self, message_id: str) -> Path:
        """Ids are free text in an address, so the file is named by their digest."""
        name = hashlib.sha256(message_id.encode()).hexdigest()[:40]
        return self._directory / name[:2] / f"{name}.json"

    def has(self, message_id: str) -> bool:
        """Whether the message waits."""
        return self._path(message_id).exists()

    def get(self, message_id: str) -> Pending | None:
        """The waiting message."""
        try:
            content = json.loads(self._path(message_id).read_bytes())
        except FileNotFoundError:
            return None
        return Pending(**content)

    def put(self, pending: Pending) -> None:
        """Store it, whole or not at all."""
        path = self._path(pending.message_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        content = {
            "message_id": pending.message_id,
            "document": pending.document,
            "created_at": pending.created_at,
            "files": pending.files,
        }
        unfinished.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        unfinished.replace(path)

    def remove(self, message_id: str) -> None:
        """Forget it."""
        self._path(message_id).unlink(missing_ok=True)
