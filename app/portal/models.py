"""What the portal remembers beside sessions: log-out messages that were taken once."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base


class SpentLogoutToken(Base):
    """The ``jti`` of a log-out token, hashed with its issuer, kept until the token itself is too old."""

    __tablename__ = "spent_logout_token"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
