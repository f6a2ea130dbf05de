"""Retries without their waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    """As many tries as outside tests, and no wait between them."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
