"""Planning against one hand-written INSERT … SELECT, on both databases, interleaved; each run in its own process.

The databases are copies of one made beforehand, so that every run starts from the same pages. The limit of a
repetition is the better of the two statements. All variants must write the same parts, or the benchmark fails.
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.core.database import db
from app.core.settings import Settings
from app.delivery.models import PlanRow
from app.delivery.planning import plan_pending
from app.delivery.plans import PlanBook, key_of
from bench import planning_data, planning_limit
from bench.planning_limit import Variant
from bench.rows import Row
from tests.support import postgres

SIZES = (10_000, 100_000, 1_000_000)
REPETITIONS = {10_000: 7, 100_000: 5, 1_000_000: 3}
DATABASES = ("sqlite", "postgresql")
OURS = "ours"
VARIANTS = (OURS, *(variant.value for variant in Variant))
SERVER = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min"}


def run(is_small: bool = False, databases: tuple[str, ...] = DATABASES, sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """One row a database and size. ``ours`` and ``limit`` in seconds, medians; ``ratio`` the median of the pairs'."""
    return [row for name in databases for row in _rows(name, sizes[:1] if is_small else sizes)]


def _rows(name: str, sizes: tuple[int, ...]) -> Iterator[Row]:
    first: float | None = None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-planning-")))
        place = stack.enter_context(Sqlite.open(folder) if name == "sqlite" else Postgresql.open(folder))
        for size in sizes:
            measured = _measure(place, size)
            ours = statistics.median(one[OURS]["seconds"] for one in measured)
            limits = [min(one[variant.value]["seconds"] for variant in Variant) for one in measured]
            ratio = statistics.median(one[OURS]["seconds"] / limit for one, limit in zip(measured, limits, strict=True))
            first = first or ours / size
            yield {
                "name": f"plan-{name}", "n": size, "ours": round(ours, 3),
                "limit": round(statistics.median(limits), 3), "ratio": round(ratio, 2), "unit": "s",
                "peak_mb": round(max(one[OURS]["peak_mb"] for one in measured)),
                "note": f"{size / ours:,.0f} invoices/s; time an invoice {ours / size / first:.2f}x that of the first",
            }  # fmt: skip


def _measure(place: Place, size: int) -> list[dict[str, dict[str, Any]]]:
    place.make(size)
    measured = []
    try:
        keys = place.keys or place.child(OURS, [])["keys"]
        for _ in range(REPETITIONS.get(size, 3)):
            one = {variant: place.child(variant, keys) for variant in VARIANTS}
            counts = {variant: json.dumps(result["counts"]) for variant, result in one.items()}
            if len(set(counts.values())) != 1:
                raise AssertionError(f"the variants do not write the same: {counts}")
            measured.append(one)
    finally:
        place.forget()
    return measured


@dataclass(slots=True)
class Place:
    """Where the databases of one kind lie. ``make`` fills the original, ``copied`` gives the URL of a fresh copy."""

    folder: Path
    keys: list[int]

    def make(self, size: int) -> None:
        """Fill the original."""
        raise NotImplementedError

    def forget(self) -> None:
        """Remove the original."""
        raise NotImplementedError

    @contextmanager
    def copied(self) -> Iterator[str]:
        """The URL of a fresh copy, removed afterwards."""
        raise NotImplementedError
        yield

    def child(self, variant: str, keys: list[int]) -> dict[str, Any]:
        """What one run of *variant* on a fresh copy says, in a process of its own."""
        with self.copied() as url:
            done = subprocess.run(
                [sys.executable, "-m", "bench.planning", variant, url, str(self.folder)],
                input=json.dumps(keys), capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def fill(self, url: str, size: int) -> None:
        """Migrate and fill the database at *url*."""
        app = create_app(_settings(url, self.folder))
        with app.app_context():
            upgrade()
            planning_data.fill(db.session(), size)
            db.session.remove()
            db.engine.dispose()


class Sqlite(Place):
    """Files."""

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Place]:
        """Files in *folder*."""
        yield cls(folder, [])

    def make(self, size: int) -> None:
        path = self.folder / "original.db"
        self.fill(f"sqlite:///{path}", size)
        sa.create_engine(f"sqlite:///{path}").connect().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def forget(self) -> None:
        for path in self.folder.glob("original.db*"):
            path.unlink()

    @contextmanager
    def copied(self) -> Iterator[str]:
        path = self.folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(self.folder / "original.db", path)
        yield f"sqlite:///{path}"
        for left in self.folder.glob(f"{path.name}*"):
            left.unlink()


class Postgresql(Place):
    """Databases of a server of our own, with its usual promises to the disk kept."""

    server: postgres.Server

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Place]:
        """A server for as long as the benchmark lasts."""
        with postgres.server(SERVER) as server:
            place = cls(folder, [])
            place.server = server
            yield place

    def make(self, size: int) -> None:
        self.server.run('CREATE DATABASE "bench_original"')
        self.fill(self.server.url_of("bench_original"), size)
        engine = sa.create_engine(self.server.url_of("bench_original"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        engine.dispose()

    def forget(self) -> None:
        self.server.run('DROP DATABASE "bench_original" WITH (FORCE)')

    @contextmanager
    def copied(self) -> Iterator[str]:
        name = f"bench_{uuid.uuid4().hex}"
        self.server.run(f'CREATE DATABASE "{name}" TEMPLATE "bench_original" STRATEGY FILE_COPY')
        self.server.run("CHECKPOINT")
        yield self.server.url_of(name)
        self.server.run(f'DROP DATABASE "{name}" WITH (FORCE)')


def _settings(url: str, folder: Path) -> Settings:
    chosen: dict[str, Any] = {"environment": "test", "log_level": "WARNING"}
    return Settings(_env_file=None, instance_dir=folder / "instance", database_url=url, **chosen)


def child() -> None:
    """One run in this process: arguments are the variant, the URL and a folder; the keys come on standard input."""
    variant, url, folder = sys.argv[1:]
    settings = _settings(url, Path(folder)).model_copy(update={"today": planning_data.TODAY})
    app = create_app(settings)
    with app.app_context():
        session = db.session()
        session.execute(sa.text("SELECT 1"))
        session.rollback()
        given = json.load(sys.stdin)
        if variant == OURS:
            PlanBook.of(session, settings).learn(given)
            session.commit()
            work: Callable[[], Any] = lambda: plan_pending(session, settings, planning_data.Still())  # noqa: E731
        else:
            planning_limit.prepare(session, settings, given)
            work = lambda: planning_limit.run(session, Variant(variant))  # noqa: E731
        start, spent = time.perf_counter(), time.process_time()
        work()
        seconds, cpu = time.perf_counter() - start, time.process_time() - spent
        counts = session.execute(sa.text(
            "SELECT part, state, coalesce(channel, ''), coalesce(hold, ''), is_notice, count(*) FROM delivery"
            " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
        )).all()  # fmt: skip
        keys = [key_of(*row) for row in session.execute(
            sa.select(PlanRow.resident_facts, PlanRow.invoice_facts, PlanRow.day_facts))]  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [[*row[:4], bool(row[4]), row[5]] for row in counts]
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "counts": rows, "keys": keys}))


if __name__ == "__main__":
    child()
