"""What a provider tells us by itself: kept as a receipt, and handled by the next run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import ReceiptNote
from app.channels.eformidling import RECEIPTS
from app.clients.eformidling_contract import State
from app.delivery.models import Attempt
from app.delivery.notes import keep_notes
from app.routing.channels import Channel


def keep_eformidling_status(session: Session, now: dt.datetime, event: Mapping[str, Any]) -> bool:
    """Keep one status of one letter, once; whether it was one. A letter nobody knows is kept too. Commits.

    *event* is the access point's ``{"event": "status", "messageId", "direction", "status", …}``; a ping, an incoming
    letter and a state we do not know are none. Source: docs.digdir.no, eFormidling, Webhooks.
    """
    state = {state.value: state for state in State}.get(str(event.get("status", "")).upper())
    key = _uuid(event.get("messageId"))
    if event.get("event") != "status" or event.get("direction", "OUTGOING") != "OUTGOING" or not state or not key:
        return False
    # The print service and the mailbox share their ids; what is unknown may become known while it is sent.
    channel = session.scalar(select(Attempt.channel).where(Attempt.key == key)) or Channel.MAILBOX
    keep_notes(session, now, channel, [ReceiptNote(key, RECEIPTS[state], state.value)])
    session.commit()
    return True


def _uuid(value: object) -> str | None:
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
