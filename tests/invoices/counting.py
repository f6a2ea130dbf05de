"""What tests of the intake count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.reports import ImportReport

Take = Callable[..., ImportReport]
Drop = Callable[..., Path]


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.read, report.created, report.unchanged, len(report.rejected)


def rows(session: Session, model: type[object]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0
