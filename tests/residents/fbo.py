"""Writes FBO files record by record, right or deliberately wrong."""

from __future__ import annotations

from pathlib import Path

ACCOUNT = "13290070012"
OTHER_ACCOUNT = "99991042764"
FIRST = "NY000010000080809091949000102000"

# 16 made-up mandates, 11 with notice and 5 without, in the shape of the public sample file.
SAMPLE = tuple(
    (f"0{number:07d}0050715{number % 10}", "N" if number in (2, 6, 7, 13, 16) else "J") for number in range(1, 17)
)


def mandate(kid: str, notify: str = "J", registration: int = 1, number: int = 1) -> str:
    """One record NY219470 of 80 characters."""
    return f"NY219470{number:07d}{registration}{kid:>25}{notify}".ljust(80, "0")


def assignment(*records: str, account: str = ACCOUNT, kind: str = "24", records_said: int | None = None) -> list[str]:
    """An assignment around *records*."""
    said = len(records) + 2 if records_said is None else records_said
    return [
        f"NY21{kind}200000000000000002{account}".ljust(80, "0"),
        *records,
        f"NY21{kind}88{len(records):08d}{said:08d}".ljust(80, "0"),
    ]


def transmission(*assignments: list[str], transactions: int | None = None, records: int | None = None) -> list[str]:
    """A whole file."""
    inside = [record for lines in assignments for record in lines]
    said = len(inside) - 2 * len(assignments) if transactions is None else transactions
    total = len(inside) + 2 if records is None else records
    return [FIRST.ljust(80, "0"), *inside, f"NY000089{said:08d}{total:08d}{0:017d}241126".ljust(80, "0")]


def write(path: Path, lines: list[str], line_end: str = "\r\n") -> Path:
    """Write the file as a bank does."""
    path.write_bytes("".join(line + line_end for line in lines).encode("iso-8859-1"))
    return path
