"""The database handle, the base class of every model, and the column types of the house."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Annotated

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Date, DateTime, Dialect, Enum, Integer, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment: aware in Python, UTC without zone in the database. A naive value is refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment must be aware: naive datetime refused")
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """From the database."""
        return None if value is None else value.replace(tzinfo=dt.UTC)


# SQLite gives row ids only to a column declared INTEGER; PostgreSQL needs 64 bits.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Models inherit this, not ``db.Model``, so that mypy sees a real class."""

    # On the registry rather than on the class: Flask-SQLAlchemy subclasses Base, and SQLAlchemy
    # refuses a type_annotation_map on a base that already has a registry.
    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            dt.datetime: UtcDateTime(),
            dt.date: Date(),
            enum.Enum: Enum(
                enum.Enum,
                native_enum=False,
                create_constraint=False,
                length=40,
                values_callable=lambda kind: [member.value for member in kind],
            ),
        },
    )


Id = Annotated[int, mapped_column(BigId, primary_key=True)]
Key = Annotated[int, mapped_column(BigId)]
PublicId = Annotated[str, mapped_column(String(36), unique=True, default=lambda: str(uuid.uuid4()))]
"""Random id for addresses, logs and links: never a row number, never a national id."""

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
