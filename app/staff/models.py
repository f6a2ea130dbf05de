"""Who of the municipality has been here, so that what they did can be shown with a name."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base


class StaffMember(Base):
    """One person, as the log-in provider named them last. ``actor`` is what the audit record has."""

    __tablename__ = "staff_member"

    actor: Mapped[str] = mapped_column(String(120), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(20))
    seen_at: Mapped[dt.datetime]
