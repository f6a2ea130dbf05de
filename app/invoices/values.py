"""Turns the texts of one file into checked values, and collects what is wrong instead of stopping at the first."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from app.core.money import AmountFault, AmountInvalid, parse_ore
from app.invoices.problems import IntakeProblem, InvoiceUnreadable

EARLIEST = dt.date(2000, 1, 1)
LATEST = dt.date(2099, 12, 31)
"""Bank files write years with two digits, so a date must lie within this century."""

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?")

_AMOUNT_REASONS = {
    AmountFault.NOT_AN_AMOUNT: "the amount is not a number",
    AmountFault.TOO_MANY_DECIMALS: "the amount has more than two decimals",
    AmountFault.TOO_LARGE: "the amount is too large",
}


@dataclass(slots=True)
class Reader:
    """Checks the values of the file *source*; after a fault it gives a stand-in and notes the problem."""

    source: str
    problems: list[IntakeProblem] = field(default_factory=list)

    def wrong(self, name: str, reason: str) -> None:
        """Note that the field *name* cannot be used."""
        self.problems.append(IntakeProblem(self.source, None, name, reason))

    def ore(self, text: str, name: str) -> int:
        """Kroner in *text* as whole øre."""
        try:
            return parse_ore(text)
        except AmountInvalid as error:
            self.wrong(name, _AMOUNT_REASONS[error.reason])
            return 0

    def date(self, text: str, name: str) -> dt.date | None:
        """The date in *text* (``YYYY-MM-DD``, a time zone after it is ignored); None after a fault."""
        found = _DATE.fullmatch(text)
        try:
            date = dt.date.fromisoformat(found[1]) if found else None
        except ValueError:
            date = None
        if date is None:
            self.wrong(name, "the date is missing or does not exist")
        elif not EARLIEST <= date <= LATEST:
            self.wrong(name, f"the date lies outside {EARLIEST}-{LATEST}")
        else:
            return date
        return None

    def text(self, text: str, name: str, longest: int) -> str:
        """*text*, which must be there and no longer than *longest* characters."""
        if not text:
            self.wrong(name, "the value is missing")
        elif len(text) > longest:
            self.wrong(name, f"the value is longer than {longest} characters")
        return text

    def raise_if_wrong(self) -> None:
        """Raise `InvoiceUnreadable` with all problems noted so far."""
        if self.problems:
            raise InvoiceUnreadable(*self.problems)
