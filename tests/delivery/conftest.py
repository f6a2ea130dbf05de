"""The town of the delivery tests."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.core.settings import Settings
from tests.delivery.town import Town


@pytest.fixture
def town(session: Session, settings: Settings) -> Town:
    """A municipality with every channel taking everything, and nobody in it."""
    return Town(session, settings)
