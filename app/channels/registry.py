"""The one list of the channels in use: the only module that knows every adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from app.channels.avtalegiro import Avtalegiro
from app.channels.contract import FileChannel, MessageChannel
from app.channels.efaktura import EfakturaChannel
from app.channels.email import Email
from app.channels.mailbox import Mailbox
from app.channels.paper import PaperBatch
from app.channels.print_service import PrintService
from app.channels.vipps import VippsChannel
from app.clients.connect import efaktura_client, vipps_client
from app.clients.eformidling import Eformidling
from app.clients.http import outside
from app.core.clock import Clock
from app.core.settings import Settings
from app.routing.channels import Channel


@dataclass(frozen=True, slots=True)
class Channels:
    """Every channel, by how it leaves: one by one as messages, or many at once as a file."""

    messages: Mapping[Channel, MessageChannel]
    files: Mapping[Channel, FileChannel]

    def close(self) -> None:
        """Let all connections go."""
        for channel in self.messages.values():
            channel.close()


def build_channels(settings: Settings, clock: Clock, transport: httpx.BaseTransport | None = None) -> Channels:
    """The channels as *settings* say. *transport*: the stand-ins', or None for the network.

    Raises `SettingsInvalid`. Nothing is connected to yet.
    """
    way = outside(settings, transport)
    eformidling = Eformidling(way, settings.eformidling_url, settings.eformidling_user, settings.eformidling_password)
    messages: list[MessageChannel] = [
        EfakturaChannel(efaktura_client(settings, way), settings.seats),
        VippsChannel(vipps_client(settings, way), settings.organisation_number, settings.seats),
        Mailbox(eformidling, settings, clock),
        Email(settings, clock),
    ]
    files: list[FileChannel] = [Avtalegiro(settings, clock)]
    if settings.print_provider == "eformidling":
        messages.append(PrintService(eformidling, settings))
    else:
        files.append(PaperBatch(settings))
    return Channels(
        messages={channel.channel: channel for channel in messages},
        files={channel.channel: channel for channel in files},
    )
