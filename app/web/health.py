"""For operations: is the process alive, and is it ready (database reached, migrations done)."""

from __future__ import annotations

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from app.core.database import db
from app.web import assets

bp = Blueprint("health", __name__, url_prefix="/helse")


@bp.get("/live")
def live() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "live"}


@bp.get("/klar")
def ready() -> ResponseReturnValue:
    """The database answers, its migrations are the program's, and the pages have their files."""
    try:
        with db.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return {"status": "not ready", "database": "unreachable"}, 503
    expected = _head()
    if found != expected:
        return {"status": "not ready", "database": "reached", "migration": found, "expected": expected}, 503
    missing = assets.missing()
    if missing:
        return {"status": "not ready", "database": "reached", "migration": found, "missing files": missing}, 503
    return {"status": "ready", "database": "reached", "migration": found}


def _head() -> str | None:
    config = Config()
    config.set_main_option("script_location", current_app.extensions["migrate"].directory)
    return ScriptDirectory.from_config(config).get_current_head()
