"""Residents with an e-mail address and nothing else, put straight into the database."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from app.residents.models import AddressProtection, ContactKind, ContactPoint, ContactSource, Resident, ResidentKind

AT_ONCE = 2000
LANGUAGES = ("nb", "nn", "en")


def put_residents(engine: Engine, count: int) -> Sequence[str]:
    """*count* residents whom the eFaktura register does not know; gives their addresses, each its own."""
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    addresses = [f"innbygger.{number}@example.com" for number in range(count)]
    with Session(engine) as session:
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(count, start + AT_ONCE))
            session.execute(insert(Resident), [_resident(number, now) for number in numbers])
            names = [f"T{number}" for number in numbers]
            query = select(Resident.customer_number, Resident.id).where(Resident.customer_number.in_(names))
            ids = dict(session.execute(query).all())
            points = [
                {
                    "resident_id": ids[f"T{number}"], "kind": ContactKind.EMAIL, "value": addresses[number],
                    "source": ContactSource.REGISTER, "registered_at": now,
                }
                for number in numbers
            ]  # fmt: skip
            session.execute(insert(ContactPoint), points)
        session.commit()
    return addresses


def _resident(number: int, now: dt.datetime) -> dict[str, object]:
    return {
        "public_id": str(uuid.uuid4()), "customer_number": f"T{number}", "kind": ResidentKind.PERSON,
        "name": f"Innbygger {number}", "language": LANGUAGES[number % 3], "postal_code": "4100", "city": "JØRPELAND",
        "address_line_1": "Utsikten 1", "address_line_2": "", "country": "", "created_at": now, "updated_at": now,
        "address_protection": AddressProtection.NONE,
    }  # fmt: skip
