"""Registers and mandate files written row by row, and the imports that read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.reports import ImportReport
from app.core.settings import Settings
from app.residents.models import ContactKind, ContactPoint, Resident, StaleResident
from app.residents.register import import_register
from app.sandbox.people import made_up_person

Row = dict[str, str]
TakeRegister = Callable[..., ImportReport]


def person_id(number: int) -> str:
    """A made-up national id, another one for each *number*."""
    return made_up_person(7, number).national_id


def write_register(path: Path, rows: Sequence[Row], encoding: str = "utf-8") -> Path:
    """Write *rows* with the columns that any of them has."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [";".join(columns), *(";".join(row.get(name, "") for name in columns) for row in rows)]
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path


@pytest.fixture
def take(session: Session, settings: Settings, clock: Clock, tmp_path: Path) -> TakeRegister:
    """Import rows given as dicts; what a row does not name is empty."""

    def take(*rows: Row) -> ImportReport:
        return import_register(session, write_register(tmp_path / "register.csv", rows), settings, clock)

    return take


def resident(session: Session, customer_number: str) -> Resident:
    """The stored resident, as the database has it now."""
    found = select(Resident).where(Resident.customer_number == customer_number)
    return session.scalars(found.execution_options(populate_existing=True)).one()


def points(session: Session, customer_number: str, kind: ContactKind) -> list[ContactPoint]:
    """All contact points of a kind, as the database has them now, oldest first."""
    found = select(ContactPoint).where(
        ContactPoint.resident_id == resident(session, customer_number).id, ContactPoint.kind == kind
    )
    return list(session.scalars(found.order_by(ContactPoint.id).execution_options(populate_existing=True)))


def open_value(session: Session, customer_number: str, kind: ContactKind) -> str | None:
    """The value that is open, if one is."""
    return next((point.value for point in points(session, customer_number, kind) if point.closed_at is None), None)


def take_stale(session: Session) -> list[int]:
    """Who was marked as changed since the last call."""
    found = list(session.scalars(select(StaleResident.resident_id).order_by(StaleResident.resident_id)))
    session.query(StaleResident).delete()
    session.commit()
    return found
