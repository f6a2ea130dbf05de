"""Finds residents by what people say of them; every question is one look into an index, capped."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.core.clock import Clock
from app.core.contact import EmailInvalid, MobileInvalid, normalise_email, normalise_mobile
from app.core.crypto import vault
from app.core.national_id import check_national_id
from app.core.settings import Settings
from app.residents.models import ContactKind, ContactPoint, Resident, ResidentName
from app.residents.names import MOST_WORDS, words_of
from app.residents.register import national_id_rules

SHORTEST = 2
_AFTER_Z = "{"


def find_resident_by_national_id(
    session: Session, settings: Settings, clock: Clock, national_id: str
) -> Resident | None:
    """The resident, found by the blind index under every live key; None when the register has no such person.

    Raises `NationalIdInvalid` for a number that this installation does not take.
    """
    number = check_national_id(national_id, national_id_rules(settings, clock))
    indexes = vault(settings).blind_indexes(number)
    return session.scalars(select(Resident).where(Resident.national_id_index.in_(indexes))).first()


def ids_by_contact(session: Session, text: str, most: int) -> tuple[ContactKind, list[int]] | None:
    """Who has, or had, the mobile number or e-mail address *text*, however it is written; None when it is neither.

    Those who have it now come first.
    """
    kind, condition = ContactKind.EMAIL, ContactPoint.value_folded == ""
    try:
        if "@" in text:
            condition = ContactPoint.value_folded == normalise_email(text).lower()
        else:
            kind, condition = ContactKind.MOBILE, ContactPoint.value == normalise_mobile(text)
    except (EmailInvalid, MobileInvalid):
        return None
    query = (
        select(ContactPoint.resident_id)
        .where(condition, ContactPoint.kind == kind)
        .order_by(ContactPoint.closed_at.is_not(None), ContactPoint.resident_id)
    )
    return kind, list(dict.fromkeys(session.scalars(query.limit(most))))


def ids_by_name(session: Session, text: str, most: int) -> list[int]:
    """Who has a name in which each word of *text* begins a word, in any order; in the order of the names.

    Two beginnings are matched as one whole word and one beginning first. None for less than two letters.
    """
    words = words_of(text)
    if not words or max(len(word) for word in words) < SHORTEST:
        return []
    if len(words) == 1:
        return _ids(session, (_begins(ResidentName.word, words[0]),), most, most * MOST_WORDS)
    # The longest words are the rarest: they are looked up, and the others must be in the name too.
    first, second, *rest = sorted(words, key=len, reverse=True)
    found: dict[int, None] = {}
    for one, other in ((first, second), (second, first)):
        pair = (ResidentName.word == one, _begins(ResidentName.other, other))
        found |= dict.fromkeys(_with(session, pair, rest, most))
    if len(found) < most:
        pair = (_begins(ResidentName.word, first), _begins(ResidentName.other, second))
        found |= dict.fromkeys(_with(session, pair, rest, most))
    return list(found)[:most]


def _with(session: Session, pair: Sequence[ColumnElement[bool]], rest: Sequence[str], most: int) -> list[int]:
    more = aliased(ResidentName)
    further = [exists().where(more.resident_id == ResidentName.resident_id, _begins(more.word, word)) for word in rest]
    return _ids(session, (*pair, *further), most, most * MOST_WORDS)


def _ids(session: Session, conditions: Sequence[ColumnElement[bool]], most: int, rows: int) -> list[int]:
    query = (
        select(ResidentName.resident_id)
        .where(*conditions)
        .order_by(ResidentName.word, ResidentName.other, ResidentName.resident_id)
        .limit(rows)
    )
    return list(dict.fromkeys(session.scalars(query)))[:most]


def _begins(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return (column >= word) & (column < word + _AFTER_Z)
