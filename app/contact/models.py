"""New contact points that wait for their owner to confirm them, and what the old ones are still to be told."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, Id, Key, PublicId
from app.residents.models import ContactKind


class Confirmation(Base):
    """A value that is not in force yet: one of a resident and kind, and a newer request takes its place.

    ``code_hash`` is keyed (HMAC-SHA256), since there are only a million codes. ``public_id`` is what the signed link
    carries. ``confirmed_at`` set: used, once.
    """

    __tablename__ = "confirmation"
    __table_args__ = (UniqueConstraint("resident_id", "kind"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    resident_id: Mapped[Key] = mapped_column(ForeignKey("resident.id"))
    kind: Mapped[ContactKind]
    value: Mapped[str] = mapped_column(String(254))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    tries: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    confirmed_at: Mapped[dt.datetime | None]


class OwedNotice(Base):
    """A notice to a contact point that was changed or removed. The row goes when the notice got away."""

    __tablename__ = "owed_notice"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(36), unique=True)
    resident_id: Mapped[Key] = mapped_column(ForeignKey("resident.id"))
    kind: Mapped[ContactKind]
    value: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2))
    owed_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime] = mapped_column(index=True)
