"""What the benchmarks of mail share: measured in a process of its own, in pairs with smtplib to the same sink."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from bench.mail_server import NoSink, sink
from bench.rows import Row

Note = Callable[[dict[str, Any], float], str]
"""The row's note, from what the process printed and our seconds."""


def mail_row(name: str, module: str, count: int, note: Note) -> Row:
    """``python -m MODULE PORT COUNT`` prints ``pairs`` (seconds, ours and the limit's) and ``peak_mb`` as JSON."""
    row: Row = {"name": name, "n": count, "ours": None, "limit": None, "ratio": None, "unit": "s", "peak_mb": None}
    try:
        with sink() as port:
            command = [sys.executable, "-m", module, str(port), str(count)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
    except NoSink as missing:
        return {**row, "note": str(missing)}
    measured = json.loads(done.stdout)
    pairs = measured["pairs"]
    ours = statistics.median(one for one, _ in pairs)
    return {
        **row,
        "ours": round(ours, 3),
        "limit": round(statistics.median(limit for _, limit in pairs), 3),
        "ratio": round(statistics.median(one / limit for one, limit in pairs), 2),
        "peak_mb": round(measured["peak_mb"]),
        "note": note(measured, ours),
    }
