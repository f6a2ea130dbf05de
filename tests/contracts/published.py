"""What the services publish about themselves, read from the folder beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the published descriptions are not here: {SHARED} is missing"
)


def published(name: str) -> Any:
    """The content of a JSON or YAML file under the folder."""
    path = SHARED / name
    text = path.read_text(encoding="utf-8")
    return yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)
