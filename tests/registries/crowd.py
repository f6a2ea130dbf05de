"""A whole town of residents with one waiting invoice each, written in a statement a table."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

import httpx
from sqlalchemy.orm import Session

from app.routing.facts import InvoiceFacts
from tests.registries.town import NOW, Town

MAILBOX = {"postkasseadresse": "kari.nordmann#1ABC", "postkasseleverandoeradresse": "984661185"}


def settle(town: Town, people: int) -> None:
    """*people* residents, each with a decision: that KRR alone is asked for. Their numbers are 1 to *people*."""
    today, due_on, at = NOW.date(), NOW.date() + dt.timedelta(days=30), NOW.replace(tzinfo=None)
    batch, document, facts = town.batch.id, town.document.id, InvoiceFacts(is_decision=True).as_bits()
    ids = range(1, people + 1)
    keys = [str(uuid.UUID(int=i)) for i in ids]
    secrets = [
        (town.vault.encrypt(national_id(i), row=key), town.vault.blind_index(national_id(i)))
        for i, key in zip(ids, keys, strict=True)
    ]
    write(town.session, "resident", [
        "id", "public_id", "customer_number", "kind", "name", "address_line_1", "address_line_2", "postal_code",
        "city", "country", "language", "address_protection", "created_at", "updated_at", "national_id_encrypted",
        "national_id_index",
    ], ((i, key, f"C{i}", "person", f"Resident {i}", "Tauvegen 1", "", "4100", "JØRPELAND", "", "nb", "none", at, at,
         *secret) for i, key, secret in zip(ids, keys, secrets, strict=True)))  # fmt: skip
    write(town.session, "invoice", [
        "id", "public_id", "batch_id", "source", "number", "kind", "resident_id", "category", "issued_on", "due_on",
        "amount_ore", "content_sha256", "xml_document_id", "imported_at",
    ], ((i, key, batch, "946485764", f"F-{i}", "demand", i, "default", today, due_on, 10_000, bytes(32), document, at)
        for i, key in zip(ids, keys, strict=True)))  # fmt: skip
    write(town.session, "pending", ["invoice_id", "resident_id", "facts", "due_on", "is_replan"],
          ((i, i, facts, due_on, False) for i in ids))  # fmt: skip
    town.session.commit()


def write(session: Session, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Put *rows* into *table* as fast as the database takes them, past the library."""
    raw = session.connection().connection.driver_connection
    assert raw is not None
    if session.get_bind().dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        plain = (tuple(str(cell) if isinstance(cell, dt.date) else cell for cell in row) for row in rows)
        raw.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", plain)  # noqa: S608
        return
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def national_id(number: int) -> str:
    """Eleven digits, another for each *number*."""
    return f"{number + 20_000_000_000:011d}"


class Digdir(httpx.BaseTransport):
    """Maskinporten and KRR at their paths: everyone has a mailbox and is not reserved. Counts what it is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.sizes: Counter[int] = Counter()
        self.people: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the service at that path."""
        content = request.read()
        with self._lock:
            self.calls[request.url.path] += 1
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "a", "token_type": "Bearer", "expires_in": 599})
        if request.url.path != "/rest/v2/personer" or request.headers["Authorization"] != "Bearer a":
            raise AssertionError(f"nobody answers at {request.url.path}")
        numbers = json.loads(content)["personidentifikatorer"]
        with self._lock:
            self.sizes[len(numbers)] += 1
            self.people.update(numbers)
        return httpx.Response(200, json={"personer": [entry(number) for number in numbers]})


def entry(number: str) -> dict[str, object]:
    """One person as KRR shows them."""
    return {"personidentifikator": number, "status": "AKTIV", "reservasjon": "NEI", "digital_post": MAILBOX}
