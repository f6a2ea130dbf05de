"""The invoice letter as accessible PDF, against typst alone on the same document without tags and archive rules."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import tempfile
import time
from pathlib import Path

import typst

from app.invoices.ehf import parse_invoice
from app.invoices.letter import Form, InvoiceView, letter_data
from app.invoices.render import TEMPLATE, render_invoice
from bench.intake import made_up
from bench.memory import peak_mb
from bench.rows import Row

LETTERS, SMALL, REPETITIONS = 200, 50, 3
RECIPIENT = ("Kari Nordmann", "Fjordgata 3", "4100 Jørpeland")


def run(is_small: bool = False) -> list[Row]:
    """One row: seconds for *n* letters on one core, medians of interleaved repetitions."""
    with tempfile.TemporaryDirectory(prefix="bench-pdf-") as folder:
        views = [view(path) for path in made_up(Path(folder), SMALL if is_small else LETTERS)]
    pairs = []
    for repetition in range(-1, REPETITIONS):
        pair = ours(views), plain(views)
        if repetition >= 0:
            pairs.append(pair)
    spent = statistics.median(one for one, _ in pairs)
    return [
        {
            "name": "pdf",
            "n": len(views),
            "ours": round(spent, 3),
            "limit": round(statistics.median(limit for _, limit in pairs), 3),
            "ratio": round(statistics.median(one / limit for one, limit in pairs), 2),
            "unit": "s",
            "peak_mb": round(peak_mb()),
            "note": f"{len(views) / spent:,.0f} letters/s",
        }
    ]


def view(path: Path) -> InvoiceView:
    """The letter of one made-up invoice."""
    return InvoiceView(
        parse_invoice(path.read_bytes(), path.name), Form.DEMAND, "nb", RECIPIENT, "12345678911", "51 74 30 00", ""
    )


def ours(views: list[InvoiceView]) -> float:
    """Seconds to make every letter."""
    begun = time.perf_counter()
    for one in views:
        render_invoice(one)
    return time.perf_counter() - begun


def plain(views: list[InvoiceView]) -> float:
    """Seconds for typst alone: the data ready, no tags, no archive rules."""
    compiler = typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=typst.Fonts(include_system_fonts=False))
    ready = [json.dumps(letter_data(one), ensure_ascii=False) for one in views]
    begun = time.perf_counter()
    for data in ready:
        compiler.compile(format="pdf", sys_inputs={"data": data}, timestamp=dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    return time.perf_counter() - begun
