"""The answers of the registries: the outcome and when it was asked, never a payload."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, Id, Key
from app.routing.channels import Answer


class Register(StrEnum):
    """The registers asked. KRR gives two answers: has a mailbox, and is reserved."""

    EFAKTURA = "efaktura"
    VIPPS = "vipps"
    MAILBOX = "mailbox"
    RESERVATION = "reservation"


class RegistryAnswer(Base):
    """The last answer about one resident.

    ``reference``: the eFaktura identifier, or whose the mailbox is (``digipost``, ``e-boks``), else empty.
    """

    __tablename__ = "registry_answer"
    __table_args__ = (UniqueConstraint("resident_id", "register"),)

    id: Mapped[Id]
    resident_id: Mapped[Key] = mapped_column(ForeignKey("resident.id"))
    register: Mapped[Register]
    answer: Mapped[Answer]
    asked_at: Mapped[dt.datetime]
    reference: Mapped[str | None] = mapped_column(String(60), index=True)
