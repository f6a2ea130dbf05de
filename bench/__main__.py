"""``make bench``: run the benchmarks, print a table, write bench/latest.json.

Names on the command line choose among them; ``--small`` takes the smallest sizes only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import intake, mail, offers, pages, pdf, planning, search, statistics, throughput, token
from bench.rows import Row

ALL: dict[str, Callable[[bool], Iterable[Row]]] = {
    "plan": planning.run,
    "intake": intake.run,
    "mail": mail.run,
    "offers": offers.run,
    "pdf": pdf.run,
    "throughput": throughput.run,
    "pages": pages.run,
    "token": token.run,
    "statistics": statistics.run,
    "search": search.run,
}
COLUMNS = ("name", "n", "ours", "limit", "ratio", "unit", "peak_mb")
LATEST = Path(__file__).parent / "latest.json"


def shown(value: object) -> str:
    """A figure with as many digits as it deserves."""
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value if value is not None else "–")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], default=[], help="which benchmarks (default: all)")
    parser.add_argument("--small", action="store_true", help="the smallest sizes only")
    chosen = parser.parse_args()
    rows: list[Row] = []
    print("  ".join(f"{name:>16}" for name in COLUMNS))
    for name in chosen.names or ALL:
        for row in ALL[name](chosen.small):
            print("  ".join(f"{shown(row.get(column)):>16}" for column in COLUMNS), row.get("note", ""), flush=True)
            rows.append(row)
    LATEST.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
