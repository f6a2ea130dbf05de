"""A sandbox directory with four people, and a client that reaches the stand-ins in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.sandbox import SandboxTransport
from app.sandbox.world import write_world
from tests.sandbox.samples import PEOPLE


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """SANDBOX_DIR with the people of the samples."""
    folder = tmp_path / "sandbox"
    write_world(folder, PEOPLE)
    return folder


@pytest.fixture
def client(directory: Path) -> Iterator[httpx.Client]:
    """The stand-ins, reached by their real addresses."""
    with httpx.Client(transport=SandboxTransport(directory)) as opened:
        yield opened
