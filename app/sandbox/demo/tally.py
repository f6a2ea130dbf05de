"""What was written, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from app.sandbox.demo.residents import Resident


@dataclass
class Tally:
    """What was written: counts of good things, and of the bad ones that come on top."""

    residents: int = 0
    bad_rows: int = 0
    mandates: int = 0
    invoices: int = 0
    credit_notes: int = 0
    payments: int = 0
    pdf_files: int = 0
    bad_files: int = 0
    traits: Counter[str] = field(default_factory=Counter)
    stories: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts by name, in an order that does not depend on the run."""
        counts = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {
            name: dict(sorted(count.items())) if isinstance(count, Counter) else count for name, count in counts.items()
        }


def traits_of(resident: Resident) -> Iterator[str]:
    """The names under which a resident is counted."""
    own = resident.traits
    for name in ("is_organisation", "takes_efaktura", "takes_vipps", "is_reserved", "is_deceased", "shares_email"):
        if getattr(own, name):
            yield name
    yield f"mandate_{own.mandate}" if own.mandate and not own.has_mandate_ended else "no_mandate"
    yield f"mailbox_{own.mailbox}" if own.mailbox else "no_mailbox"
    yield f"protection_{own.protection}"
    yield f"address_{own.address}"
    yield "has_email" if resident.email else "no_email"
    yield "has_mobile" if resident.mobile else "no_mobile"
