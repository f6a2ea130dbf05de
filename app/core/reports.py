"""What an import says afterwards: counts, and a reason for everything it did not take."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rejection:
    """One row or field that was not taken. ``row`` is 1-based, the header counted; never holds a national id."""

    source: str
    row: int | None
    field: str | None
    reason: str


@dataclass(slots=True)
class ImportReport:
    """Counts of one import. A row with a rejected *field* still counts as created or updated."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def reject(self, source: str, row: int | None, name: str | None, reason: str) -> None:
        """Note one row or field that was not taken."""
        self.rejected.append(Rejection(source, row, name, reason))

    def add(self, other: ImportReport) -> None:
        """Add another file's counts to these."""
        self.read += other.read
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected.extend(other.rejected)

    def as_json(self) -> dict[str, Any]:
        """The keys other programs rely on: read, created, updated, unchanged, rejected[source, row, field, reason]."""
        return asdict(self)
