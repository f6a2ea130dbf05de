"""Tables as CSV files that Norwegian spreadsheets open as they are: UTF-8 with BOM, semicolons, decimal comma."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

BOM = "\ufeff"
# What makes a spreadsheet take a text for a formula, or hides such a sign from those who look for it.
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Cell = str | int | float | None


def written(value: Cell) -> str:
    """One cell. Texts that a spreadsheet would compute get an apostrophe in front; numbers are numbers, below 0 too."""
    if value is None:
        return ""
    if isinstance(value, bool):
        raise TypeError("yes and no are words in a file for people")
    if isinstance(value, float):
        return f"{value:.2f}".replace(".", ",")
    if isinstance(value, int):
        return str(value)
    return f"'{value}" if value.lstrip(" ").startswith(STARTS_A_FORMULA) else value


def csv_file(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The whole file. Raises ValueError when a row has not as many cells as the head."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow([written(name) for name in head])
    for row in rows:
        if len(row) != len(head):
            raise ValueError("a row must have as many cells as the head")
        writer.writerow([written(cell) for cell in row])
    return (BOM + file.getvalue()).encode()
