"""One run of one way of planning, in a process of its own: ``python -m bench.planning_child VARIANT URL SMALL FOLDER``.

What a process does once is done before the clock starts: its imports, and compiling the statements, on a small outbox.
The plans of the keys on standard input are stored by then, as they are on any night but the first.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.dialect import prepare_engine
from app.core.settings import Settings
from app.delivery.models import PlanRow
from app.delivery.planning import plan_pending
from app.delivery.plans import PlanBook, key_of
from bench import planning_limit
from bench.planning_data import Still
from bench.planning_limit import Variant
from bench.planning_places import settings_for

OURS = "ours"
COUNTS = """SELECT part, state, coalesce(channel, ''), coalesce(hold, ''), is_notice, count(*) FROM delivery
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""


def main(variant: str, url: str, small: str, folder: str) -> dict[str, Any]:
    """Seconds, peak of resident memory in MB, what was written, and the keys of all stored plans."""
    settings = settings_for(url, Path(folder))
    with _engine(small, url) as (engine, switch):
        with Session(engine) as session:
            plan_pending(session, settings, Still())
        switch()
        return _measured(engine, settings, variant)


def _measured(engine: sa.Engine, settings: Settings, variant: str) -> dict[str, Any]:
    with Session(engine) as session:
        PlanBook.of(session, settings).store(json.load(sys.stdin))
        session.commit()
        if variant != OURS:
            planning_limit.prepare(session, settings)
        seconds, cpu = _timed(session, settings, variant)
        # In kilobytes on Linux, where the benchmark is run.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        counts = [[*row[:4], bool(row[4]), row[5]] for row in session.execute(sa.text(COUNTS))]
        triples = sa.select(PlanRow.resident_facts, PlanRow.invoice_facts, PlanRow.day_facts)
        keys = [key_of(*row) for row in session.execute(triples)]
    return {"seconds": seconds, "cpu": cpu, "peak_mb": peak, "counts": counts, "keys": keys}


def _timed(session: Session, settings: Settings, variant: str) -> tuple[float, float]:
    start, spent = time.perf_counter(), time.process_time()
    if variant == OURS:
        plan_pending(session, settings, Still())
    else:
        planning_limit.run(session, Variant(variant))
    return time.perf_counter() - start, time.process_time() - spent


@contextmanager
def _engine(small: str, url: str) -> Iterator[tuple[sa.Engine, Callable[[], None]]]:
    """An engine on the database *small*, and what moves it to *url*: what it has compiled stays with it."""
    engine = sa.create_engine(small)
    prepare_engine(engine)
    target = sa.make_url(url).database

    def lead_there(_dialect: object, _record: object, arguments: list[Any], names: dict[str, Any]) -> None:
        if url.startswith("sqlite"):
            arguments[0] = target
        else:
            names["dbname"] = target

    def switch() -> None:
        engine.dispose()
        sa.event.listen(engine, "do_connect", lead_there)

    yield engine, switch
    engine.dispose()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
