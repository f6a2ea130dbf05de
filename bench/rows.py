"""What a benchmark gives: one row a size."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Row(TypedDict):
    """``ours`` and ``limit`` in ``unit`` (seconds a run unless it says otherwise); ``ratio`` = ours / limit."""

    name: str
    n: int
    ours: float | None
    limit: float | None
    ratio: float | None
    unit: str
    peak_mb: float | None
    note: NotRequired[str]
