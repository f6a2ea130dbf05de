"""Planning against one hand-written INSERT … SELECT, on both databases, interleaved; each run in its own process.

The databases are copies of one made beforehand, so that every run starts from the same pages. The limit of a
repetition is the better of the two statements. All variants must write the same parts, or the benchmark fails.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.planning_child import OURS
from bench.planning_limit import Variant
from bench.planning_places import Place, opened
from bench.rows import Row

SIZES = (10_000, 100_000, 1_000_000)
REPETITIONS = {10_000: 9, 100_000: 5, 1_000_000: 3}
DATABASES = ("sqlite", "postgresql")
LIMITS = tuple(variant.value for variant in Variant)
SMALL, ORIGINAL = "small", "original"
SMALLEST = 500

Result = dict[str, Any]


@dataclass(slots=True)
class Measured:
    """All runs of one size. ``first_night``: seconds with no plan stored yet."""

    first_night: float
    runs: list[dict[str, Result]] = field(default_factory=list)

    def ours(self) -> float:
        """Our median, in seconds."""
        return statistics.median(float(run[OURS]["seconds"]) for run in self.runs)

    def limit(self) -> float:
        """The median of the better statement, in seconds."""
        return statistics.median(_better(run) for run in self.runs)

    def ratio(self) -> float:
        """The median over the repetitions of ours to the limit."""
        return statistics.median(float(run[OURS]["seconds"]) / _better(run) for run in self.runs)

    def peak(self) -> float:
        """The most memory a run of ours took, in MB."""
        return max(float(run[OURS]["peak_mb"]) for run in self.runs)


def run(
    is_small: bool = False, databases: tuple[str, ...] = DATABASES, sizes: tuple[int, ...] = SIZES
) -> Iterator[Row]:
    """One row a database and size. ``ours`` and ``limit`` in seconds, medians; ``ratio`` the median of the pairs'."""
    for kind in databases:
        yield from rows(kind, sizes[:1] if is_small else sizes)


def rows(kind: str, sizes: tuple[int, ...]) -> Iterator[Row]:
    """The rows of one database, each as soon as it is measured."""
    first: float | None = None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-planning-")))
        place = stack.enter_context(opened(kind, folder))
        place.make(SMALL, SMALLEST)
        for size in sizes:
            measured = measure(place, size)
            ours = measured.ours()
            first = first or ours / size
            yield {
                "name": f"plan-{kind}", "n": size, "ours": round(ours, 3), "limit": round(measured.limit(), 3),
                "ratio": round(measured.ratio(), 2), "unit": "s", "peak_mb": round(measured.peak()),
                "note": f"{size / ours:,.0f} invoices/s; an invoice takes {ours / size / first:.2f}x of the first size;"
                f" first night {measured.first_night:.2f} s",
            }  # fmt: skip


def measure(place: Place, size: int) -> Measured:
    """Every variant in turn, again and again. Raises AssertionError when they do not write the same."""
    place.make(ORIGINAL, size)
    try:
        first = child(place, OURS, [])
        measured = Measured(first["seconds"])
        for _ in range(REPETITIONS.get(size, 3)):
            results = {variant: child(place, variant, first["keys"]) for variant in (OURS, *LIMITS)}
            if len({json.dumps(result["counts"]) for result in results.values()}) != 1:
                raise AssertionError({variant: result["counts"] for variant, result in results.items()})
            measured.runs.append(results)
    finally:
        place.forget(ORIGINAL)
    return measured


def child(place: Place, variant: str, keys: list[int]) -> Result:
    """What one run of *variant* on a fresh copy says. Raises RuntimeError with what it complained of."""
    with place.copied(ORIGINAL) as url, place.copied(SMALL) as small:
        done = subprocess.run(
            [sys.executable, "-m", "bench.planning_child", variant, url, small, str(place.folder)],
            input=json.dumps(keys), capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    result: Result = json.loads(done.stdout)
    return result


def _better(run: dict[str, Result]) -> float:
    return min(float(run[variant]["seconds"]) for variant in LIMITS)
