"""Each kind of search with few and with many invoices and residents: it looks into indexes, so it may not get slower.

``ours`` is a whole search with the larger number (what is typed is posted, what was found is shown), ``limit`` three
times that with the smaller; both warm, in milliseconds, without the network. Beside them: how many statements it asks,
and how long looking takes by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy.orm import Session

from app import create_app
from app.core.crypto import vault
from app.core.database import db
from app.core.settings import Settings
from app.residents.models import ContactKind, ContactPoint, ContactSource, Resident
from app.residents.name_index import index_missing
from app.sandbox.people import made_up_person
from app.staff.access import Role
from app.staff.find import search
from bench import planning_data, two_sizes
from bench.planning_places import settings_for
from bench.rows import Row
from tests.portal.people import Unread, hidden
from tests.staff.people import log_in

REPETITIONS = 11
SEED = 7
PAGE = "/ansatt/sok"
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of a whole search, of looking alone, and the statements of a whole one."""

    page: float
    alone: float
    queries: int


def run(is_small: bool = False) -> Iterator[Row]:
    """A row for each kind of search and database."""
    for kind, size, few, many in two_sizes.measured("search", _measure, is_small):
        for what in few:
            yield _row(f"search-{what}-{kind}", size, few[what], many[what])


def _row(name: str, size: int, few: Measured, many: Measured) -> Row:
    note = (
        f"ms a search, {many.queries} statements ({few.queries} with few); {few.page:.1f} ms with few: "
        f"{many.page / few.page:.2f} times; looking alone {many.alone:.2f} ms, with few {few.alone:.2f} ms"
    )
    return two_sizes.row(name, size, few.page, many.page, note)


def _measure(url: str, folder: Path, size: int) -> dict[str, Measured]:
    app = create_app(settings_for(url, folder))
    with app.app_context():
        upgrade()
        fill(db.session(), app.config["SETTINGS"], size)
        client = Unread(app, app.response_class)
        log_in(client, Role.CASEWORKER)
        token = hidden(client.get(PAGE).text, "csrf_token")
        found = {what: _one(app, client, token, text) for what, text in texts(size).items()}
        db.session.remove()
        db.engine.dispose()
    return found


def texts(size: int) -> Mapping[str, str]:
    """What is typed, by kind: somebody in the middle of the register, and names that many share."""
    middle = size // planning_data.INVOICES_EACH // 2
    person = made_up_person(SEED, middle)
    given, family = person.given_name, person.family_name
    return {
        "number": f"F{size // 2}",
        "kid": planning_data.kid(middle),
        "customer": f"C{middle}",
        "national-id": person.national_id,
        "mobile": f"40 {middle:06d}",
        "email": f"Person.{middle}@Example.com".upper(),
        "name": given,
        "two-names": f"{family} {given}",
        "beginnings": f"{given[:2]} {family[:2]}",
        "nothing": "finnes ikke",
    }


def fill(session: Session, settings: Settings, invoices: int) -> None:
    """*invoices* invoices, and a fifth as many residents with names, numbers and addresses. Commits."""
    planning_data.fill(session, invoices)
    residents, keys = invoices // planning_data.INVOICES_EACH, vault(settings)
    table, point = Resident.__table__, ContactPoint.__table__
    named = (
        sa.update(table)  # type: ignore[arg-type]
        .where(table.c.id == sa.bindparam("one"))
        .values(name=sa.bindparam("called"), national_id_index=sa.bindparam("blind"))
    )
    for first in range(1, residents + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, residents + 1))
        people = [(number, made_up_person(SEED, number)) for number in numbers]
        session.connection().execute(
            named,
            [{"one": number, "called": one.name, "blind": keys.blind_index(one.national_id)} for number, one in people],
        )
        session.connection().execute(
            sa.insert(point),  # type: ignore[arg-type]
            [
                {"resident_id": number, "kind": kind, "value": value, "value_folded": value.lower(),
                 "source": ContactSource.REGISTER, "registered_at": planning_data.MOMENT}
                for number, _ in people
                for kind, value in (
                    (ContactKind.MOBILE, f"+4740{number:06d}"), (ContactKind.EMAIL, f"Person.{number}@example.com"),
                )
            ],
        )  # fmt: skip
    index_missing(session)
    session.commit()
    # As the database's own upkeep would have done by now.
    session.connection().exec_driver_sql("ANALYZE")
    session.commit()


def _one(app: Flask, client: FlaskClient, token: str, text: str) -> Measured:
    def whole() -> None:
        answer = client.post(PAGE, data={"csrf_token": token, "text": text})
        assert answer.status_code == 302, answer.text
        assert client.get(answer.headers["Location"]).status_code == 200

    def alone() -> None:
        search(db.session(), app.config["SETTINGS"], app.config["CLOCK"], text)
        db.session.rollback()

    asked: list[str] = []

    def hear(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    whole()
    sa.event.listen(db.engine, "before_cursor_execute", hear)
    whole()
    sa.event.remove(db.engine, "before_cursor_execute", hear)
    alone()
    return Measured(_best(whole), _best(alone), len(asked))


def _best(do: Callable[[], None]) -> float:
    """Milliseconds of the quickest: what else the machine does meanwhile only ever adds."""
    times = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        do()
        times.append(time.perf_counter() - began)
    return min(times) * 1000
