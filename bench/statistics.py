"""The statistics page with few and with many invoices: it reads summary tables, so it may not get much slower.

``ours`` is the page with the larger number, ``limit`` three times the page with the smaller; both warm, in
milliseconds, without the network. Beside them: how many statements the page asks, and what counting costs.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event, update

from app import create_app
from app.core.database import db
from app.delivery.models import Delivery
from app.delivery.statistics import count
from app.invoices.models import Invoice
from app.staff.access import Role
from bench import statistics_data, two_sizes
from bench.planning_data import MOMENT
from bench.planning_places import settings_for
from bench.rows import Row
from tests.portal.people import Unread
from tests.staff.people import log_in

REPETITIONS = 25
PAGE = "/ansatt/statistikk"


@dataclass(frozen=True, slots=True)
class Measured:
    """One size: milliseconds a page, its statements, and the seconds of a first count and of one a night later."""

    page: float
    queries: int
    count_all: float
    count_again: float


def run(is_small: bool = False) -> Iterator[Row]:
    """One row a database."""
    for kind, size, few, many in two_sizes.measured("statistics", _measure, is_small):
        note = (
            f"ms a page, {many.queries} statements ({few.queries} with few); {few.page:.1f} ms with few; "
            f"count: all {many.count_all:.1f} s, what moved {many.count_again:.1f} s"
        )
        yield two_sizes.row(f"statistics-{kind}", size, few.page, many.page, note)


def _measure(url: str, folder: Path, size: int) -> Measured:
    app = create_app(settings_for(url, folder))
    with app.app_context():
        upgrade()
        statistics_data.fill(db.session(), size)
        began = time.perf_counter()
        count(db.session(), app.config["CLOCK"], everything=True)
        count_all = time.perf_counter() - began
        count_again = _again(app)
        client = _logged_in(app)
        client.get(PAGE)
        times = sorted(_timed(client) for _ in range(REPETITIONS))
        queries = _queries(client)
        db.session.remove()
        db.engine.dispose()
    return Measured(statistics.median(times) * 1000, queries, count_all, count_again)


def _again(app: Flask) -> float:
    """A count when one month's invoices have moved, as after a night."""
    session, weeks_back = db.session(), MOMENT - dt.timedelta(weeks=3)
    session.execute(update(Delivery).where(Delivery.invoice_id % 12 != 11).values(changed_at=weeks_back))
    session.execute(update(Invoice).values(imported_at=weeks_back))
    session.commit()
    began = time.perf_counter()
    count(session, app.config["CLOCK"])
    return time.perf_counter() - began


def _logged_in(app: Flask) -> FlaskClient:
    """Somebody with the least role."""
    client = Unread(app, app.response_class)
    log_in(client, Role.STATISTICS)
    return client


def _timed(client: FlaskClient) -> float:
    began = time.perf_counter()
    answer = client.get(PAGE)
    taken = time.perf_counter() - began
    assert answer.status_code == 200
    assert b"<svg" in answer.data
    return taken


def _queries(client: FlaskClient) -> int:
    asked: list[str] = []

    def hear(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(db.engine, "before_cursor_execute", hear)
    client.get(PAGE)
    event.remove(db.engine, "before_cursor_execute", hear)
    return len(asked)
