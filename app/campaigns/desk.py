"""What the services of offers and agreements work with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import httpx
from sqlalchemy.orm import Session

from app.campaigns.link_mail import LinkSender, MailedLinks
from app.campaigns.links import OfferLinks
from app.clients.connect import efaktura_client
from app.clients.efaktura_agreement import AgreementStatus, Requested
from app.clients.efaktura_contract import Consumer, EfakturaAnswer
from app.clients.http import outside
from app.clients.look_ups import LookUp
from app.clients.post import Note, Postman
from app.clients.rules import Judgement
from app.core.clock import Clock
from app.core.settings import Settings


class Gateway(Protocol):
    """`app.clients.efaktura.Efaktura`, as far as agreements need it."""

    def request_agreement(self, agreement_id: str, consumer: Consumer) -> Requested:
        """Ask for one agreement; never raises for what the gateway does."""
        ...

    def agreement_status(self, agreement_id: str) -> AgreementStatus | None:
        """Where it is; raises `CallFailed`."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...

    def look_up(self, consumers: Sequence[Consumer]) -> LookUp[str, EfakturaAnswer]:
        """Whom eFaktura reaches; never raises for what the gateway does."""
        ...


class Mails(Protocol):
    """`app.clients.post.Postman`, as far as receipts need it."""

    def send(self, note: Note) -> Judgement:
        """Hand one mail over; never raises for what the other side does."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...


@dataclass(frozen=True, slots=True)
class Outfit:
    """What outlives a request, made once a process; safe for threads."""

    links: OfferLinks
    gateway: Gateway
    mails: Mails
    sender: LinkSender

    @classmethod
    def by(cls, settings: Settings, clock: Clock, transport: httpx.BaseTransport | None) -> Self:
        """As the settings name them. Raises `SettingsInvalid`."""
        gateway = efaktura_client(settings, outside(settings, transport))
        links = OfferLinks.by(settings)
        return cls(links, gateway, Postman(settings, clock), MailedLinks(settings, clock, links))

    def close(self) -> None:
        """Let all connections go."""
        for one in (self.gateway, self.mails, self.sender):
            one.close()


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a service needs. ``network``: the address the request came from, empty for a job."""

    session: Session
    settings: Settings
    clock: Clock
    outfit: Outfit
    network: str = ""
