"""A resident, a folder to drop files into, and the import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.reports import ImportReport
from app.core.settings import Settings
from app.invoices.intake import import_invoices
from app.residents.models import Resident


@pytest.fixture
def kari(session: Session, clock: Clock) -> Resident:
    resident = Resident(customer_number="100001", name="Kari", created_at=clock.now(), updated_at=clock.now())
    session.add(resident)
    session.commit()
    return resident


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    """Puts files into a folder; gives the folder."""

    def put(**files: bytes) -> Path:
        folder = tmp_path / "files"
        for name, data in files.items():
            path = folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder

    return put


@pytest.fixture
def take(session: Session, settings: Settings, clock: Clock) -> Callable[..., ImportReport]:
    """Imports paths."""
    return lambda *paths: import_invoices(session, paths, settings, clock)
