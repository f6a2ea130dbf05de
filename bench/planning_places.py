"""Where the databases of the planning benchmark lie: an original of each size, and fresh copies of it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.core.database import db
from app.core.settings import Settings
from bench import planning_data
from tests.support import postgres

SERVER = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min"}


class Place(Protocol):
    """One kind of database."""

    @property
    def folder(self) -> Path: ...

    def make(self, name: str, size: int) -> None:
        """Fill the original *name* with *size* invoices."""
        ...

    def forget(self, name: str) -> None:
        """Remove the original *name*."""
        ...

    def copied(self, name: str) -> Any:
        """A context that gives the URL of a fresh copy of *name*, and removes it."""
        ...


@dataclass(frozen=True, slots=True)
class Sqlite:
    """Files."""

    folder: Path

    def make(self, name: str, size: int) -> None:
        """Fill the original *name* with *size* invoices."""
        path = self._path(name)
        _fill(f"sqlite:///{path}", self.folder, size)
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()

    def forget(self, name: str) -> None:
        """Remove the original *name*."""
        for path in self.folder.glob(f"{name}.db*"):
            path.unlink()

    @contextmanager
    def copied(self, name: str) -> Iterator[str]:
        """The URL of a fresh copy of *name*."""
        copy = uuid.uuid4().hex
        shutil.copyfile(self._path(name), self._path(copy))
        try:
            yield f"sqlite:///{self._path(copy)}"
        finally:
            self.forget(copy)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.db"


@dataclass(frozen=True, slots=True)
class Postgresql:
    """Databases of a server of our own, with its usual promises to the disk kept."""

    folder: Path
    server: postgres.Server

    def make(self, name: str, size: int) -> None:
        """Fill the original *name* with *size* invoices."""
        self.server.run(f'CREATE DATABASE "{name}"')
        _fill(self.server.url_of(name), self.folder, size)
        engine = sa.create_engine(self.server.url_of(name), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        engine.dispose()

    def forget(self, name: str) -> None:
        """Remove the original *name*."""
        self.server.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @contextmanager
    def copied(self, name: str) -> Iterator[str]:
        """The URL of a fresh copy of *name*."""
        copy = f"bench_{uuid.uuid4().hex}"
        self.server.run(f'CREATE DATABASE "{copy}" TEMPLATE "{name}" STRATEGY FILE_COPY')
        try:
            yield self.server.url_of(copy)
        finally:
            self.forget(copy)


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Place]:
    """The place of *kind* (sqlite or postgresql), for as long as the benchmark lasts."""
    if kind == "sqlite":
        yield Sqlite(folder)
        return
    with postgres.server(SERVER) as server:
        yield Postgresql(folder, server)


def settings_for(url: str, folder: Path) -> Settings:
    """Settings of a benchmark: the day is the data's."""
    chosen: dict[str, Any] = {"environment": "test", "log_level": "WARNING", "today": planning_data.TODAY}
    return Settings(_env_file=None, instance_dir=folder / "instance", database_url=url, **chosen)


def _fill(url: str, folder: Path, size: int) -> None:
    app = create_app(settings_for(url, folder))
    with app.app_context():
        upgrade()
        planning_data.fill(db.session(), size)
        db.session.remove()
        db.engine.dispose()
