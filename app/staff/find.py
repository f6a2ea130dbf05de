"""One box that finds invoices and residents by whatever people have: each kind is one look into an index, capped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.national_id import NationalIdInvalid
from app.core.settings import Settings
from app.delivery.of_resident import Row, rows_of
from app.invoices.models import Invoice
from app.invoices.queries import ids_by_kid, ids_by_number
from app.residents.models import ContactKind, Resident
from app.residents.search import find_resident_by_national_id, ids_by_contact, ids_by_name

MOST = 100
PAGE = 20
LONGEST = 320
_KID = re.compile(r"[0-9]{2,25}|[0-9]{1,24}-")
_BLANKS = re.compile(r"[\s\u00a0]+")
# A national id, also a mistyped one, or as part of more.
_ELEVEN = re.compile(r"(?<!\d)\d{6}[\s\u00a0.-]?\d{5}(?!\d)")


class Matched(StrEnum):
    """By what something was found."""

    NUMBER = "number"
    KID = "kid"
    CUSTOMER_NUMBER = "customer_number"
    NATIONAL_ID = "national_id"
    MOBILE = "mobile"
    EMAIL = "email"
    NAME = "name"


INVOICES = (Matched.NUMBER, Matched.KID)
_CONTACTS = {ContactKind.MOBILE: Matched.MOBILE, ContactKind.EMAIL: Matched.EMAIL}


@dataclass(frozen=True, slots=True)
class Hit:
    """An invoice (found by number or KID) or a resident, by row id."""

    id: int
    matched: Matched

    @property
    def is_invoice(self) -> bool:
        """Which of the two."""
        return self.matched in INVOICES


@dataclass(frozen=True, slots=True)
class Line:
    """One hit as it is shown: ``row`` for an invoice; ``resident`` for both, None for an unknown buyer."""

    matched: Matched
    resident: Resident | None
    row: Row | None = None


def search(session: Session, settings: Settings, clock: Clock, text: str) -> list[Hit]:
    """At most `MOST` hits for *text*, the exact ones first; something found in two ways is there once."""
    text = _BLANKS.sub(" ", text).strip()[:LONGEST]
    compact = text.replace(" ", "")
    if not compact:
        return []
    hits = [Hit(found, Matched.NUMBER) for found in ids_by_number(session, text, MOST)]
    if not hits and compact != text:
        hits = [Hit(found, Matched.NUMBER) for found in ids_by_number(session, compact, MOST)]
    if _KID.fullmatch(compact):
        hits += [Hit(found, Matched.KID) for found in ids_by_kid(session, compact, MOST)]
    hits += [Hit(found, Matched.CUSTOMER_NUMBER) for found in _by_customer_number(session, compact)]
    hits += [Hit(found, Matched.NATIONAL_ID) for found in _by_national_id(session, settings, clock, text)]
    found = ids_by_contact(session, text, MOST)
    if found is not None:
        hits += [Hit(resident_id, _CONTACTS[found[0]]) for resident_id in found[1]]
    elif any(sign.isalpha() for sign in compact):
        hits += [Hit(resident_id, Matched.NAME) for resident_id in ids_by_name(session, text, MOST + 1)]
    return list(_once(hits))[: MOST + 1]


def find_person(session: Session, settings: Settings, clock: Clock, text: str) -> Resident | None:
    """The one resident with this customer number or national id."""
    ids = _by_customer_number(session, text.replace(" ", "")) or _by_national_id(session, settings, clock, text)
    return session.get(Resident, ids[0]) if len(ids) == 1 else None


def is_secret(text: str) -> bool:
    """Whether *text* holds what may be a national id, which is never shown again."""
    return _ELEVEN.search(text) is not None


def lines(session: Session, hits: Sequence[Hit]) -> list[Line]:
    """*hits* as they are shown, in their order, without those that are gone meanwhile. At most three statements."""
    invoice_ids = [hit.id for hit in hits if hit.is_invoice]
    query = select(Invoice).where(Invoice.id.in_(invoice_ids))
    invoices = list(session.scalars(query)) if invoice_ids else []
    rows = {row.invoice.id: row for row in rows_of(session, invoices)} if invoices else {}
    wanted = {hit.id for hit in hits if not hit.is_invoice} | {one.resident_id for one in invoices if one.resident_id}
    people = {one.id: one for one in session.scalars(select(Resident).where(Resident.id.in_(wanted)))} if wanted else {}
    shown: list[Line] = []
    for hit in hits:
        if hit.is_invoice and hit.id in rows:
            row = rows[hit.id]
            shown.append(Line(hit.matched, people.get(row.invoice.resident_id or 0), row))
        elif not hit.is_invoice and hit.id in people:
            shown.append(Line(hit.matched, people[hit.id]))
    return shown


def _by_customer_number(session: Session, number: str) -> list[int]:
    written = {number, number.upper(), number.lower()}
    return list(session.scalars(select(Resident.id).where(Resident.customer_number.in_(written)).order_by(Resident.id)))


def _by_national_id(session: Session, settings: Settings, clock: Clock, text: str) -> list[int]:
    try:
        found = find_resident_by_national_id(session, settings, clock, text)
    except NationalIdInvalid:
        return []
    return [] if found is None else [found.id]


def _once(hits: Iterable[Hit]) -> Iterable[Hit]:
    seen: set[tuple[bool, int]] = set()
    for hit in hits:
        if (hit.is_invoice, hit.id) not in seen:
            seen.add((hit.is_invoice, hit.id))
            yield hit
