"""A town for the providers."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.core.settings import Settings
from tests.delivery.town import Town


@pytest.fixture
def town(session: Session, settings: Settings) -> Town:
    """A municipality with nobody in it."""
    return Town(session, settings)
