"""The register is read as a stream: two and a half times the rows need hardly more memory."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.register import BATCH, import_register


def peak_bytes(session: Session, path: Path, settings: Settings, clock: Clock) -> int:
    """The most that Python held at once during an import."""
    gc.collect()
    tracemalloc.start()
    try:
        import_register(session, path, settings, clock)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def write(path: Path, first: int, rows: int) -> Path:
    lines = (f"{number};Kari Berg {number};Torget {number};4100;Jørpeland\n" for number in range(first, first + rows))
    path.write_text("customer_number;name;address_line_1;postal_code;city\n" + "".join(lines), "utf-8")
    return path


def test_memory_does_not_grow_with_the_file(session: Session, settings: Settings, clock: Clock, tmp_path: Path) -> None:
    # Caches of statements and of types fill with the first import.
    import_register(session, write(tmp_path / "warm.csv", 0, BATCH), settings, clock)
    small = peak_bytes(session, write(tmp_path / "small.csv", 10_000, 2 * BATCH), settings, clock)
    large = peak_bytes(session, write(tmp_path / "large.csv", 20_000, 5 * BATCH), settings, clock)
    # A row held back takes some 2 kB; the customer numbers seen, and garbage not yet collected, may grow.
    assert large - small < 3 * BATCH * 600
