"""Charts as SVG inside the page: drawn by a program of its own, once for each state of the figures, and kept.

A drawing is known by what is in it: the same figures in the same language are the same drawing, whenever and by
whichever process they are asked for. The drawings lie under ``INSTANCE_DIR/cache/charts``.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import structlog
from markupsafe import Markup

from app.core.atomic import write_atomically
from app.core.settings import Settings

log = structlog.get_logger(__name__)

PROGRAM = Path(__file__).with_name("chart_drawing.py")
PATIENCE_SECONDS = 60
# Two widths of some eight charts in three languages, for the filters of several people.
KEPT = 600
_one_at_a_time = Lock()


@dataclass(frozen=True, slots=True)
class Numbers:
    """How figures are written along an axis: d3's number locale."""

    decimal: str
    thousands: str
    grouping: tuple[int, ...] = (3,)
    currency: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, how long it is, and its figure in words."""

    name: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Series:
    """One small panel: its heading, and a value a month (None: nothing to show)."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart at one width. ``label`` is a Vega expression that writes a value along the axis."""

    kind: Literal["bars", "panels"]
    title: str
    numbers: Numbers
    is_narrow: bool = False
    items: tuple[Bar, ...] = ()
    months: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    mark: Literal["line", "bar"] = "line"
    label: str = "datum.label"

    @property
    def name(self) -> str:
        """What the drawing is kept under."""
        content = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(content.encode() + _program()).hexdigest()[:32]


@cache
def _program() -> bytes:
    return PROGRAM.read_bytes()


def draw(settings: Settings, drawings: Sequence[Drawing]) -> Mapping[Drawing, Markup]:
    """The SVGs of *drawings*, in one call of the drawing program for all that are not kept yet.

    What cannot be drawn is missing in the answer and said in the log: the page has every figure in its tables.
    """
    folder = settings.instance_dir / "cache" / "charts"
    found = _kept(folder, drawings)
    if len(found) == len(set(drawings)):
        return found
    with _one_at_a_time:
        found = _kept(folder, drawings)
        missing = [drawing for drawing in dict.fromkeys(drawings) if drawing not in found]
        for drawing, svg in zip(missing, _draw(missing), strict=False):
            _keep(folder, drawing, svg)
            found[drawing] = Markup(svg)  # noqa: S704 - written by our own program; every text in it is escaped
        _tidy(folder)
    return found


def _kept(folder: Path, drawings: Sequence[Drawing]) -> dict[Drawing, Markup]:
    found: dict[Drawing, Markup] = {}
    for drawing in drawings:
        try:
            svg = (folder / f"{drawing.name}.svg").read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        found[drawing] = Markup(svg)  # noqa: S704 - as above, from our own folder
    return found


def _draw(drawings: Sequence[Drawing]) -> list[str]:
    """Start the drawing program; its memory (some 160 MB) goes with it."""
    if not drawings:
        return []
    asked = json.dumps([asdict(drawing) for drawing in drawings])
    try:
        # -P: the folder of the program is not searched for modules, since ours bear names of the library's.
        done = subprocess.run(
            [sys.executable, "-P", str(PROGRAM)],
            input=asked.encode(),
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        drawn: list[str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said: Any = getattr(error, "stderr", None) or b""
        log.error("charts could not be drawn", error=type(error).__name__, detail=said[-500:].decode(errors="replace"))
        return []
    return drawn


def _keep(folder: Path, drawing: Drawing, svg: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(folder / f"{drawing.name}.svg", svg.encode())


def _tidy(folder: Path) -> None:
    """Let the drawings go that were made longest ago."""
    if not folder.is_dir():
        return
    made = sorted(folder.glob("*.svg"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in made[KEPT:]:
        path.unlink(missing_ok=True)
