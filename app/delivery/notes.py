"""What providers say is kept once, whoever brings it: the asking, a returned mail, or a call to us."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy.orm import Session

from app.channels.contract import ReceiptNote
from app.core.dialect import insert_ignoring
from app.delivery.models import Receipt
from app.routing.channels import Channel


def keep_notes(session: Session, now: dt.datetime, channel: Channel, notes: Iterable[ReceiptNote]) -> None:
    """Keep *notes* on messages of *channel*; what was said before is not kept twice. Does not commit."""
    rows = [
        {
            "channel": channel,
            "provider_reference": note.provider_reference,
            "status": note.status.value,
            "detail": note.detail[:200] if note.detail else None,
            "received_at": now,
        }
        for note in notes
    ]
    if rows:
        session.execute(insert_ignoring(session, Receipt), rows)
