"""The drop folder: done files move to ``archive/``, bad ones to ``rejected/`` with a report beside."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path

from app.core.reports import ImportReport

FOLDERS = ("register", "mandates", "invoices", "payments")


def inbox_files(inbox: Path, folder: str) -> list[Path]:
    """The files waiting in ``inbox/folder``, sub-folders included, by name. Hidden and half-written stay."""
    root = inbox / folder
    if not root.is_dir():
        return []
    return sorted(path for path in _walk(root) if not path.name.startswith(".") and path.suffix != ".part")


def _walk(root: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(root):
        yield from (Path(parent) / name for name in names)


def archive(inbox: Path, path: Path, now: dt.datetime) -> Path:
    """Move a done file to ``inbox/archive/<folder>/<moment>/``, keeping its sub-folder; gives the new place."""
    return _move(inbox, path, "archive", now)


def reject(inbox: Path, path: Path, report: ImportReport, now: dt.datetime) -> Path:
    """Move a bad file to ``inbox/rejected/…`` with ``NAME.report.json`` beside it; gives the new place."""
    place = _move(inbox, path, "rejected", now)
    beside = place.with_name(place.name + ".report.json")
    beside.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=2), encoding="utf-8")
    return place


def _move(inbox: Path, path: Path, to: str, now: dt.datetime) -> Path:
    inside = path.relative_to(inbox)
    place = inbox / to / inside.parts[0] / now.strftime("%Y%m%dT%H%M%S") / Path(*inside.parts[1:])
    place.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while place.exists():
        place = place.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    path.replace(place)
    return place
