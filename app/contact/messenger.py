"""Short messages on their way out: SMS and e-mail, by the providers that the settings name."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import structlog

from app.clients.post import Note, Postman
from app.clients.rules import Judgement, Verdict
from app.clients.sms import Sms
from app.clients.sms_text import SmsUnfit
from app.core.clock import Clock
from app.core.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Providers:
    """What sends, made once a process; safe for threads."""

    texts: Sms
    mails: Postman

    @classmethod
    def by(cls, settings: Settings, clock: Clock, transport: httpx.BaseTransport | None) -> Providers:
        """As the settings name them. Raises `SettingsInvalid`."""
        return cls(Sms(settings, transport), Postman(settings, clock))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`app.contact.desk.Messenger`, in one *language*."""

    providers: Providers
    language: str

    def sms(self, key: str, mobile: str, text: str) -> bool:
        """Send *text* to *mobile*; whether it was taken, or may have been."""
        try:
            judgement = self.providers.texts.send(key, mobile, text, kind="code")
        except SmsUnfit:
            log.exception("sms_unfit", key=key)
            return False
        return _is_away(judgement)

    def email(self, key: str, address: str, subject: str, text: str) -> bool:
        """Send *text* to *address*; whether it was taken, or may have been."""
        judgement = self.providers.mails.send(Note(key, address, subject, text, self.language))
        say = log.error if judgement.needs_alarm else log.info
        say("mail", key=key, verdict=judgement.verdict.value, detail=judgement.detail)
        return _is_away(judgement)


def _is_away(judgement: Judgement) -> bool:
    # A number or address that cannot be reached is not told apart: nobody learns here which ones exist.
    return judgement.verdict is not Verdict.UNAVAILABLE
