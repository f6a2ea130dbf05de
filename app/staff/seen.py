"""Writes down what somebody of the municipality has seen, before it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.core.audit import AuditEvent, record
from app.core.database import db
from app.core.dialect import begin_writing
from app.core.here import clock
from app.staff.access import current_staff


def note(event: AuditEvent, subject: str, reason: str = "", details: Mapping[str, Any] | None = None) -> Session:
    """Keep the event, and give the session to read with. Must come before anything is read: it begins anew. Commits."""
    session = db.session()
    session.commit()
    begin_writing(session)
    record(session, at=clock().now(), actor=current_staff().actor, event=event, subject=subject, reason=reason,
           details=details)  # fmt: skip
    session.commit()
    return session
