"""A municipality's outbox of any size, straight into the tables: five invoices a resident, every route represented."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.database import Base
from app.delivery.facts import UNKNOWN_BUYER
from app.delivery.models import ResidentFactsRow
from app.invoices.models import Batch, Document, Invoice, Pending
from app.residents.models import Mandate, Resident
from app.routing.channels import Answer
from app.routing.facts import InvoiceFacts, ResidentFacts

TODAY = dt.date(2026, 11, 24)
MOMENT = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 24, 9)  # noqa: DTZ001 - as the database keeps it
INVOICES_EACH = 5
ACCOUNT = "15062295088"

Row = tuple[Any, ...]


class Still(Clock):
    """A clock that stands, so that every run sees the same day."""

    def now(self) -> dt.datetime:
        return MOMENT


def fill(session: Session, invoices: int) -> None:
    """*invoices* invoices in the outbox, the projection gathered, no plan yet. Commits."""
    chance = random.Random(7)
    residents = invoices // INVOICES_EACH
    _insert(session, Batch, ["id", "source", "started_at", "invoice_count", "rejected_count"],
            [(1, "bench", NOW, invoices, 0)])  # fmt: skip
    _insert(session, Document, ["id", "sha256", "size", "media_type", "stored_at"],
            [(1, bytes(32), 1, "application/xml", NOW)])  # fmt: skip
    _insert(session, Resident, [
        "id", "public_id", "customer_number", "kind", "name", "address_line_1", "address_line_2", "postal_code",
        "city", "country", "language", "address_protection", "created_at", "updated_at",
    ], _residents(residents))  # fmt: skip
    _insert(session, ResidentFactsRow, ["resident_id", "facts"], _facts(residents, chance))
    _insert(session, Mandate, [
        "account", "kid", "kid_key", "wants_notice", "registered_at", "updated_at",
    ], ((ACCOUNT, kid(i), kid(i), i % 10 != 0, NOW, NOW) for i in range(1, residents + 1) if i % 10 < 3))  # fmt: skip
    _insert(session, Invoice, [
        "id", "public_id", "batch_id", "source", "number", "kind", "resident_id", "category", "issued_on", "due_on",
        "amount_ore", "kid", "kid_key", "account", "content_sha256", "xml_document_id", "imported_at", "closed_at",
        "closed_reason",
    ], _invoices(residents))  # fmt: skip
    _insert(session, Pending, ["invoice_id", "resident_id", "facts", "due_on", "kid_key", "is_replan"],
            _pending(residents))  # fmt: skip
    session.commit()


def kid(resident: int) -> str:
    """The KID that all invoices of a resident carry."""
    return f"{resident:012d}"


def due_on(invoice: int) -> dt.date:
    """Some seventy due dates; one invoice in fifty shares the KID and the due date of the one before it."""
    return TODAY + dt.timedelta(days=3 + (invoice - (invoice % 50 == 0)) * 13 % 71)


def is_paired(invoice: int) -> bool:
    """Whether another invoice shares its KID and due date: those are plain, so that the lower id has the claim."""
    return invoice % 50 in (49, 0)


def _residents(count: int) -> Iterator[Row]:
    for i in range(1, count + 1):
        yield (i, str(uuid.UUID(int=i)), f"C{i}", "person", f"Resident {i}", "Rådhusgata 2", "", "4100", "Jørpeland",
               "", "nb", "none", NOW, NOW)  # fmt: skip


def _facts(count: int, chance: random.Random) -> Iterator[Row]:
    yield 0, UNKNOWN_BUYER.as_bits()
    for i in range(1, count + 1):
        yield i, _person(chance).as_bits()


def _person(chance: random.Random) -> ResidentFacts:
    def likely(share: float) -> bool:
        return chance.random() < share

    has_mobile, has_email = likely(0.9), likely(0.7)
    person = ResidentFacts(
        has_mobile=has_mobile,
        has_email=has_email,
        has_confirmed_email=has_email and likely(0.3),
        efaktura=Answer.YES if likely(0.45) else Answer.NO,
        vipps=(Answer.YES if likely(0.3) else Answer.NO) if has_mobile else Answer.NO,
        mailbox=Answer.YES if likely(0.5) else Answer.NO,
        reserved=Answer.YES if likely(0.04) else Answer.NO,
        wants_letters=likely(0.02),
        closed_vipps=likely(0.02),
        is_deceased=likely(0.003),
        has_protected_address=likely(0.002),
        has_postal_address=not likely(0.005),
    )
    return replace(person, mailbox=Answer.UNKNOWN, reserved=Answer.UNKNOWN) if likely(0.01) else person


def _buyer(invoice: int) -> int | None:
    return None if invoice % 499 == 0 and not is_paired(invoice) else (invoice - 1) // INVOICES_EACH + 1


def _invoices(residents: int) -> Iterator[Row]:
    for i in range(1, residents * INVOICES_EACH + 1):
        closed = i % 333 == 0 and not is_paired(i)
        own_kid = kid((i - 1) // INVOICES_EACH + 1)
        yield (i, str(uuid.UUID(int=i)), 1, "946485764", f"F{i}", "demand", _buyer(i), "default", TODAY, due_on(i),
               120_000, own_kid, own_kid, ACCOUNT, bytes(32), 1, NOW, NOW if closed else None,
               "paid" if closed else None)  # fmt: skip


def _pending(residents: int) -> Iterator[Row]:
    kinds = {
        1: InvoiceFacts(has_wrong_kid=True), 2: InvoiceFacts(allows_email=False), 3: InvoiceFacts(is_decision=True),
        4: InvoiceFacts(may_ask_krr=False),
    }  # fmt: skip
    plain, unknown = InvoiceFacts().as_bits(), InvoiceFacts(has_buyer=False).as_bits()
    special = {remainder: facts.as_bits() for remainder, facts in kinds.items()}
    for i in range(1, residents * INVOICES_EACH + 1):
        buyer = _buyer(i)
        facts = unknown if buyer is None else plain if is_paired(i) else special.get(i % 101, plain)
        yield i, buyer or 0, facts, due_on(i), kid((i - 1) // INVOICES_EACH + 1), False


def _insert(session: Session, model: type[Base], columns: list[str], rows: Iterable[Row]) -> None:
    name, raw = model.__tablename__, session.connection().connection.driver_connection
    assert raw is not None
    if session.get_bind().dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        plain = (tuple(str(cell) if isinstance(cell, dt.date) else cell for cell in row) for row in rows)
        raw.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", plain)
        return
    with raw.cursor() as cursor, cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    if "id" in columns:
        session.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"))
