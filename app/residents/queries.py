"""What other rooms ask about residents, for one or for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.dialect import one_of
from app.residents.models import ContactKind, ContactPoint, Resident

Item = TypeVar("Item")

# SQLite takes 32,766 values in a statement, and PostgreSQL plans a few thousand well.
CHUNK = 1_000


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """*items* in lists of at most *size*, as many as one ``IN`` takes."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def find_resident(session: Session, customer_number: str) -> Resident | None:
    """The resident with this customer number, or None."""
    return session.scalar(select(Resident).where(Resident.customer_number == customer_number))


def find_resident_ids(session: Session, customer_numbers: Collection[str]) -> dict[str, int]:
    """Ids by customer number, of those that the register has."""
    found: dict[str, int] = {}
    for chunk in chunks(customer_numbers):
        rows = select(Resident.customer_number, Resident.id).where(one_of(session, Resident.customer_number, chunk))
        found.update((row.customer_number, row.id) for row in session.execute(rows))
    return found


def open_contact_points(
    session: Session, resident_ids: Collection[int]
) -> Mapping[int, Mapping[ContactKind, ContactPoint]]:
    """The open contact points of many residents, at most one of a kind; residents without any are absent."""
    found: dict[int, dict[ContactKind, ContactPoint]] = defaultdict(dict)
    for chunk in chunks(resident_ids):
        points = select(ContactPoint).where(
            one_of(session, ContactPoint.resident_id, chunk), ContactPoint.closed_at.is_(None)
        )
        for point in session.scalars(points):
            found[point.resident_id][point.kind] = point
    return dict(found)
