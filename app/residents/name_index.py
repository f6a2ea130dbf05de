"""Keeps the words of residents' names, by which people search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import cast

from sqlalchemy import Table, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from app.core.dialect import one_of, put_rows
from app.residents.models import ContactPoint, Resident, ResidentName
from app.residents.names import words_of
from app.residents.queries import chunks

AT_ONCE = 5_000

_NAMES = cast(Table, ResidentName.__table__)


def index_names(session: Session, names: Mapping[int, str], *, are_new: bool = False) -> None:
    """Let the residents (by id) be found by these *names* and no others, in the caller's transaction.

    *are_new* says that none has words yet, so that none are looked for.
    """
    for chunk in chunks(names):
        if not are_new:
            old = delete(ResidentName).where(one_of(session, ResidentName.resident_id, chunk))
            session.execute(old.execution_options(synchronize_session=False))
        rows = [row for resident_id in chunk for row in _rows(resident_id, names[resident_id])]
        if rows:
            put_rows(session, insert(_NAMES), rows)


def index_missing(session: Session) -> int:
    """Give words to the residents who have none, and fill in folded contact points; gives how many. Does not commit."""
    session.execute(
        update(ContactPoint)
        .where(ContactPoint.value_folded.is_(None))
        .values(value_folded=func.lower(ContactPoint.value))
        .execution_options(synchronize_session=False)
    )
    after, count = 0, 0
    while True:
        query = select(Resident.id, Resident.name).where(
            Resident.id > after, ~exists().where(ResidentName.resident_id == Resident.id)
        )
        found = session.execute(query.order_by(Resident.id).limit(AT_ONCE)).all()
        if not found:
            return count
        index_names(session, {row.id: row.name for row in found}, are_new=True)
        after, count = found[-1].id, count + len(found)


def _rows(resident_id: int, name: str) -> Iterator[dict[str, object]]:
    words = words_of(name)
    pairs = permutations(words, 2) if len(words) > 1 else ((word, "") for word in words)
    for word, other in pairs:
        yield {"word": word, "other": other, "resident_id": resident_id}
