"""One resident at a desk whose messages are kept instead of sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy.orm import Session

from app.contact.codes import Codes
from app.contact.desk import Desk
from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.models import Resident
from tests.portal.people import add_resident


@dataclass
class Sent:
    """One message that left."""

    key: str
    to: str
    text: str
    subject: str = ""


@dataclass
class KeptMessages:
    """Takes every message, unless told not to."""

    sent: list[Sent] = field(default_factory=list)
    is_down: bool = False

    def sms(self, key: str, mobile: str, text: str) -> bool:
        """Keep it."""
        return self._keep(Sent(key, mobile, text))

    def email(self, key: str, address: str, subject: str, text: str) -> bool:
        """Keep it."""
        return self._keep(Sent(key, address, text, subject))

    def _keep(self, message: Sent) -> bool:
        if self.is_down:
            return False
        self.sent.append(message)
        return True

    def code(self) -> str:
        """The code of the last message."""
        words = (self.sent[-1].subject or self.sent[-1].text).split()
        return next(word for word in words if len(word) == 6 and word.isdigit())


@pytest.fixture
def messages() -> KeptMessages:
    return KeptMessages()


@pytest.fixture
def desk(session: Session, settings: Settings, clock: Clock, messages: KeptMessages) -> Desk:
    return Desk(session, settings, clock, Codes.by(settings), messages, "192.0.2.1")


@pytest.fixture
def resident(session: Session, settings: Settings, clock: Clock) -> Resident:
    return add_resident(session, settings, clock, 1)


def later(desk: Desk, **span: float) -> Desk:
    """The same desk after a while."""
    return replace(desk, clock=Clock(desk.clock.shift + dt.timedelta(**span)))
