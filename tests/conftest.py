"""Every test that touches the database runs on SQLite and on PostgreSQL, each test on a database of its own."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_migrate import upgrade
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy.orm import Session

from app import create_app
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings
from tests.support import postgres
from tests.support.lint import LintingClient
from tests.support.quick import compile_once, write_to_memory

TODAY = dt.date(2026, 11, 24)
servers = contextlib.ExitStack()
# How fast a machine is says nothing about the program: no test fails for the time it takes.
hypothesis_settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, before the workers, which find it by its address."""
    compile_once()
    if not hasattr(config, "workerinput") and not config.getoption("collectonly"):
        write_to_memory()
        os.environ["TEST_PG_URL"] = servers.enter_context(postgres.server()).url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it after the last test."""
    if not hasattr(config, "workerinput"):
        servers.close()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for a browser, a database or a command of their own."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what stays to the end: all modules, and thousands of tests."""
    gc.freeze()


MakeSettings = Callable[..., Settings]


def make_settings(instance: Path, database_url: str = "", **values: object) -> Settings:
    """Settings for a test: nothing read from ``.env``, everything written under *instance*."""
    chosen = {"environment": "test", "today": TODAY, "log_level": "WARNING", **values}
    return Settings(_env_file=None, instance_dir=instance, database_url=database_url, **chosen)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    folder = tmp_path_factory.mktemp("template")
    _migrate(make_settings(folder))
    return folder / "fakturaportalen.db"


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[str]:
    """The name of a migrated, empty PostgreSQL database to copy."""
    server, name = postgres.Server(os.environ["TEST_PG_URL"]), f"template_{uuid.uuid4().hex}"
    server.run(f'CREATE DATABASE "{name}"')
    folder = Path(os.environ.get("PYTEST_TMP", "/tmp")) / name  # noqa: S108 - a name nobody can guess
    _migrate(make_settings(folder, server.url_of(name)))
    shutil.rmtree(folder, ignore_errors=True)
    yield name
    server.run(f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrate(settings: Settings) -> None:
    app = create_app(settings)
    with app.app_context():
        upgrade()
        db.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database on each of the two."""
    if request.param == "sqlite":
        path = tmp_path / "instance" / "fakturaportalen.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server, name = postgres.Server(os.environ["TEST_PG_URL"]), f"test_{uuid.uuid4().hex}"
    template = request.getfixturevalue("postgresql_template")
    server.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    yield server.url_of(name)
    server.run(f'DROP DATABASE "{name}" WITH (FORCE)')


# For what happens between two writers at once: SQLite has one.
several_writers = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """The settings of this test; a test may replace fields by ``model_copy(update=…)`` before it makes an app."""
    return make_settings(tmp_path / "instance", database_url)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The whole application on this test's database, with its context pushed."""
    app = create_app(settings)
    app.test_client_class = LintingClient
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Session:
    """The database session of this test."""
    return db.session()


@pytest.fixture
def clock(app: Flask) -> Clock:
    """The application's clock: 24 November 2026 in Oslo, running."""
    found: Clock = app.config["CLOCK"]
    return found


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runs ``flask`` commands."""
    return app.test_cli_runner()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a browser; every page it opens is read by `tests.support.lint`."""
    return app.test_client()
