"""How Alembic reaches the database: by the connection it is given, else by the application's engine."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from flask import current_app, has_app_context
from sqlalchemy import Connection, inspect
from sqlalchemy.orm import Session

from app.core.database import UtcDateTime, db
from app.residents.models import ResidentName
from app.residents.name_index import index_missing


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types by what they are in the database, so that a migration stands alone."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


def run(connection: Connection) -> None:
    """Run the asked migrations on *connection*, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        compare_type=True,
        render_as_batch=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()
        if inspect(connection).has_table(ResidentName.__tablename__):
            derive(connection)


def derive(connection: Connection) -> None:
    """Fill in what is worked out from other tables, and what a new table or column of that kind begins without."""
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        index_missing(session)
        session.commit()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
elif has_app_context():
    with current_app.extensions["migrate"].db.engine.connect() as opened:
        run(opened)
else:
    raise RuntimeError("run migrations through `flask db …`, or give Alembic a connection")
