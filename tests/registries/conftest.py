"""A town with waiting invoices, and retries without their waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina
from sqlalchemy.orm import Session

from app.core.settings import Settings
from tests.registries.town import Town


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
def town(session: Session, settings: Settings) -> Town:
    return Town(session, settings)
