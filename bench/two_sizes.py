"""What the benchmarks of staff pages share: the same with few and with many invoices, on both databases."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from bench.memory import peak_mb
from bench.rows import Row
from tests.support import postgres

SIZES = (10_000, 1_000_000)
SMALL_SIZES = (2_000, 50_000)
MOST = 3

Found = TypeVar("Found")


def measured(
    name: str, measure: Callable[[str, Path, int], Found], is_small: bool
) -> Iterator[tuple[str, int, Found, Found]]:
    """For each database: its kind, the larger size, and what *measure* (URL, folder, size) gives of few and of many."""
    few, many = SMALL_SIZES if is_small else SIZES
    with tempfile.TemporaryDirectory() as folder, postgres.server() as server:
        for kind in ("sqlite", "postgresql"):
            found = []
            for size in (few, many):
                place = Path(folder) / f"{kind}-{size}"
                place.mkdir()
                if kind == "postgresql":
                    server.run(f'CREATE DATABASE "{name}_{size}"')
                    url = server.url_of(f"{name}_{size}")
                else:
                    url = f"sqlite:///{place / 'bench.db'}"
                found.append(measure(url, place, size))
            yield kind, many, found[0], found[1]


def row(name: str, size: int, few_ms: float, many_ms: float, note: str) -> Row:
    """``ours``: milliseconds with many; ``limit``: `MOST` times those with few."""
    limit = MOST * few_ms
    return {
        "name": name, "n": size, "ours": round(many_ms, 1), "limit": round(limit, 1),
        "ratio": round(many_ms / limit, 2), "unit": "ms", "peak_mb": round(peak_mb()), "note": note,
    }  # fmt: skip
