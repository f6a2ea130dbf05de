"""Rooms above that send mail too, and want to know when returned mails have been read.

Each is told in the job's own thread, after the receipts of returned mails are committed, and commits what it does.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings

Listener = Callable[[Session, Settings, Clock], int]
"""Takes out of the unhandled receipts those of mails it sent; gives how many."""

_listeners: dict[str, Listener] = {}


def listen(name: str, listener: Listener) -> None:
    """Tell *listener* from now on, once however often it is named."""
    _listeners[name] = listener


def tell(session: Session, settings: Settings, clock: Clock) -> int:
    """Tell everybody; gives how many returned mails were theirs."""
    return sum(listener(session, settings, clock) for listener in _listeners.values())
