"""Where the files of the made-up municipality go, and how: each appears whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files go: the folder of each kind, and that of ``sandbox.json``."""

    register: Path
    mandates: Path
    invoices: Path
    payments: Path
    sandbox: Path

    @classmethod
    def under(cls, root: Path, sandbox: Path) -> Places:
        """The folders of an inbox at *root*."""
        return cls(root / "register", root / "mandates", root / "invoices", root / "payments", sandbox)

    def all(self) -> tuple[Path, ...]:
        """Every folder."""
        return self.register, self.mandates, self.invoices, self.payments, self.sandbox


def write_bytes(path: Path, content: bytes) -> None:
    """One file, whole or not at all: the inbox may be read while it is filled."""
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_bytes(content)
    unfinished.replace(path)


@contextlib.contextmanager
def whole_file(path: Path, encoding: str) -> Iterator[IO[str]]:
    """A text file that appears under its name when the block ends without an error, line ends as written."""
    unfinished = path.with_name(f".{path.name}.tmp")
    with unfinished.open("w", encoding=encoding, newline="") as out:
        yield out
    unfinished.replace(path)
