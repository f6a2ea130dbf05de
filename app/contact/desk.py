"""What the services work with, and the ways in which they can say no."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from app.contact.codes import Codes
from app.core.clock import Clock
from app.core.settings import Settings


class Messenger(Protocol):
    """Sends short messages. *key* is a UUID: the same for a repeat. False: it did not get away, or was refused."""

    def sms(self, key: str, mobile: str, text: str) -> bool:
        """Send *text* to *mobile* (E.164)."""
        ...

    def email(self, key: str, address: str, subject: str, text: str) -> bool:
        """Send *text* to *address* (checked ASCII)."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a service needs. ``network``: the address the request came from; ``language``: nb, nn or en."""

    session: Session
    settings: Settings
    clock: Clock
    codes: Codes
    messenger: Messenger
    network: str
    language: str = "nb"


class CodeRefused(Exception):
    """A code that confirms nothing."""


class CodeWrong(CodeRefused):
    """Not the code; ``left`` tries remain."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} tries left")
        self.left = left


class CodeTooOld(CodeRefused):
    """Older than ten minutes, used, or never asked for."""


class TriesSpent(CodeRefused):
    """Tried too often: only a new code helps."""


class CodeNotSent(Exception):
    """The message did not get away; nothing waits to be confirmed."""


class AskedTooSoon(Exception):
    """The last code was sent a moment ago; says how long to wait."""

    def __init__(self, wait: dt.timedelta) -> None:
        super().__init__(f"wait {wait}")
        self.wait = wait


class LinkSpent(Exception):
    """The link was ours, but a newer request has taken its place, or what it confirmed was removed."""
