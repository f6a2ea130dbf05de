"""A new link in a mail of its own, to the address that is stored."""

from __future__ import annotations

from typing import Protocol

import structlog

from app.campaigns.links import OfferLinks
from app.campaigns.mail import Letter, Writer
from app.campaigns.outgoing import Outgoing, outgoing
from app.clients.rules import Verdict
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.allowed import Allowed
from app.routing.channels import Channel

log = structlog.get_logger(__name__)


class LinkSender(Protocol):
    """Sends new links."""

    def send(self, link: Letter) -> bool:
        """Send *link*; whether it got away. Never raises for what the other side does."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...


class MailedLinks:
    """Sends each in the offer's own mail. Outside production a real server is given allow-listed addresses alone."""

    def __init__(self, settings: Settings, clock: Clock, links: OfferLinks, way: Outgoing | None = None) -> None:
        """Raises `SettingsInvalid`. Nothing is connected to yet."""
        self._clock, self._way = clock, way or outgoing(settings)
        self._writer = Writer(settings, links, self._way.line_end)
        self._allowed = Allowed.by(settings)

    def send(self, link: Letter) -> bool:
        """Write and send."""
        if Channel.EMAIL in self._allowed.real and link.recipient not in self._allowed.names:
            log.info("new_link_not_sent", mail=link.key, detail="not in ALLOWED_RECIPIENTS")
            return False
        judgement = self._way.send(link.key, link.recipient, self._writer.prepare(link, self._clock.now()))
        say = log.error if judgement.needs_alarm else log.info
        say("new_link", mail=link.key, verdict=judgement.verdict.value, detail=judgement.detail)
        return judgement.verdict is not Verdict.UNAVAILABLE

    def close(self) -> None:
        """Let connections go."""
        self._way.close()
