"""Settles who may have which national id, when a batch of register rows brings new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.dialect import one_of
from app.residents.models import Resident


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that says which national id its resident has: its place in the batch, the resident (None: new).

    ``indexes`` are the number's blind indexes under every live key, newest last; empty when there is no number.
    """

    place: int
    resident_id: int | None
    indexes: list[bytes]

    @property
    def key(self) -> bytes | None:
        """What the number is known by within the batch."""
        return self.indexes[-1] if self.indexes else None


class Holder(NamedTuple):
    """A resident who has a national id now."""

    resident_id: int
    customer_number: str


@dataclass(slots=True)
class Refusals:
    """Places of refused rows: their id stands in an earlier row, or the database says that another resident has it."""

    repeated: set[int] = field(default_factory=set)
    taken: dict[int, Holder] = field(default_factory=dict)


def find_holders(session: Session, claims: Iterable[Claim]) -> dict[bytes, Holder]:
    """Who has the claimed national ids now, by each claim's newest index."""
    newest = {index: claim.indexes[-1] for claim in claims for index in claim.indexes}
    if not newest:
        return {}
    holders = select(Resident.national_id_index, Resident.id, Resident.customer_number)
    found = session.execute(holders.where(one_of(session, Resident.national_id_index, list(newest))))
    return {newest[index]: Holder(resident_id, number) for index, resident_id, number in found if index is not None}


def refuse(claims: Iterable[Claim], holders: Mapping[bytes, Holder]) -> Refusals:
    """Which of *claims*, in the file's order, cannot stand. Pure.

    The first row keeps its id. An id whose holder gives it up in the same batch is free, so that two swapped numbers
    can be put right; a holder whose own claim is refused keeps what it has, hence the rounds.
    """
    refusals, standing = Refusals(), dict[int, Claim]()
    first: dict[bytes, int] = {}
    for claim in claims:
        if claim.key is not None and first.setdefault(claim.key, claim.place) != claim.place:
            refusals.repeated.add(claim.place)
        else:
            standing[claim.place] = claim
    while True:
        moving = {claim.resident_id: claim.key for claim in standing.values() if claim.resident_id is not None}
        taken = {
            place: holder for place, claim in standing.items() if (holder := _other_holder(claim, holders, moving))
        }
        if not taken:
            return refusals
        refusals.taken |= taken
        for place in taken:
            del standing[place]


def _other_holder(claim: Claim, holders: Mapping[bytes, Holder], moving: Mapping[int, bytes | None]) -> Holder | None:
    holder = holders.get(claim.key) if claim.key is not None else None
    if holder is None or holder.resident_id == claim.resident_id:
        return None
    gives_it_up = moving.get(holder.resident_id, claim.key) != claim.key
    return None if gives_it_up else holder
