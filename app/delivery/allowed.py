"""Outside production only allow-listed residents are ever reached by a real provider; the sandbox takes everyone."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

from app.channels.contract import Recipient
from app.core.settings import Environment, Settings
from app.routing.channels import Channel


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which channels reach real people from here, and whom they may reach: customer numbers, addresses, numbers."""

    real: frozenset[Channel]
    names: frozenset[str]

    @classmethod
    def by(cls, settings: Settings) -> Self:
        """The rule that *settings* give."""
        if settings.environment is Environment.PRODUCTION:
            return cls(frozenset(), frozenset())
        real = set() if settings.sandbox else set(Channel) - {Channel.EMAIL}
        # The mail server stands outside the sandbox: with one set, mail leaves this machine.
        if settings.mail_server and not _is_this_machine(settings.mail_server):
            real.add(Channel.EMAIL)
        return cls(frozenset(real), frozenset(settings.allowed_recipients))

    def lets(self, channel: Channel, recipient: Recipient) -> bool:
        """Whether *recipient* may be sent to by *channel*."""
        if channel not in self.real:
            return True
        names = {recipient.customer_number, recipient.email, recipient.mobile} - {None, ""}
        return not names.isdisjoint(self.names)


def _is_this_machine(server: str) -> bool:
    if server == "localhost":
        return True
    try:
        return ipaddress.ip_address(server).is_loopback
    except ValueError:
        return False
