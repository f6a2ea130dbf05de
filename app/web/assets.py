"""Our own files as addresses that change with their content, so a browser may keep them for a year."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import structlog
from flask import Flask, current_app, request, url_for

from app.core.settings import Settings

log = structlog.get_logger(__name__)

FOR_A_YEAR = "public, max-age=31536000, immutable"
# Without these the pages cannot be read with pleasure: /helse/klar says so.
NEEDED = ("web/site.css", "web/site.js", "vendor/designsystemet.css", "vendor/inter-latin-wght-normal.woff2")


def asset(name: str) -> str:
    """The address of *name* under ``static/``, with a part that changes when the file does."""
    version = version_of(name)
    if not version:
        log.warning("a file of the pages is missing: run make setup", name=name)
    return url_for("static", filename=name, v=version or None)


def version_of(name: str) -> str:
    """Twelve hexadecimal digits of the file's SHA-256, or empty when there is no such file."""
    path = Path(current_app.static_folder or "") / name
    try:
        found = path.stat()
    except OSError:
        return ""
    return _digest(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=256)
def _digest(path: Path, _changed_ns: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def versions() -> tuple[str, ...]:
    """What the pages' own files are like now."""
    return (*(version_of(name) for name in NEEDED), mark_version())


def mark_file() -> Path:
    """The municipality's own mark: ``mark.svg`` under INSTANCE_DIR, else a plain one."""
    settings: Settings = current_app.config["SETTINGS"]
    own = settings.instance_dir / "mark.svg"
    return own if own.is_file() else Path(current_app.static_folder or "") / "web" / "mark.svg"


def mark_version() -> str:
    """Changes when the mark does."""
    return f"{mark_file().stat().st_mtime_ns:x}"


def missing() -> list[str]:
    """The files every page needs that are not there."""
    return [name for name in NEEDED if not version_of(name)]


def keeping() -> str:
    """How long the file that was just asked for may be kept: a year under its present version, else not unasked."""
    name = (request.view_args or {}).get("filename", "")
    is_current = bool(name) and request.args.get("v", "") == version_of(name) != ""
    return FOR_A_YEAR if is_current else "no-cache"


def init_app(app: Flask) -> None:
    """Let templates name their files."""
    app.jinja_env.globals.update(asset=asset, mark_version=mark_version)
