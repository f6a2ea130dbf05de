"""Invoice categories: what a kind of invoice may not do, as a table the municipality can edit."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.core.errors import SettingsInvalid

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the table.

    ``allows_email`` off: the very existence of the client relation is confidential.
    ``is_decision``: the invoice contains a decision (vedtak), so it goes to the mailbox or on paper only.
    ``may_ask_krr`` off: the contact and reservation register may not be used for it.
    """

    key: str
    allows_email: bool = True
    is_decision: bool = False
    may_ask_krr: bool = True


SHIPPED = (
    Category(DEFAULT),
    Category("kommunale-avgifter"),
    Category("barnehage"),
    Category("sosial", allows_email=False),
    Category("barnevern", allows_email=False),
    Category("vedtak", is_decision=True),
    Category("husleie", may_ask_krr=False),
)


@dataclass(frozen=True, slots=True)
class CategoryTable:
    """All rows by key; an unknown key gets the default row."""

    rows: dict[str, Category]

    def row(self, key: str | None) -> Category:
        """The row for *key*, else the default row."""
        return self.rows.get(key or DEFAULT, self.rows[DEFAULT])

    def knows(self, key: str | None) -> bool:
        """Whether *key* names a row of its own."""
        return key in self.rows


@lru_cache(maxsize=8)
def read_categories(path: Path | None) -> CategoryTable:
    """The shipped table, or the one in *path* (TOML, one table a category); raises `SettingsInvalid`."""
    if path is None:
        return CategoryTable({row.key: row for row in SHIPPED})
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        rows = {key: Category(key, **fields) for key, fields in tables.items()}
    except (OSError, ValueError, TypeError) as error:
        raise SettingsInvalid(f"CATEGORIES_FILE {path}: {error}") from error
    rows.setdefault(DEFAULT, Category(DEFAULT))
    return CategoryTable(rows)
