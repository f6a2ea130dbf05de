"""The one list of the channels in use: the only module that knows every adapter."""

from __future__ import annotations

import datetime as dt
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
from app.channels.svarut import LONGEST_TAKING, SvarUtLetters
from app.channels.vipps import VippsChannel
from app.clients.connect import efaktura_client, svarut_client, vipps_client
from app.clients.eformidling import Eformidling
from app.clients.http import Outside, outside
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
    messages: list[MessageChannel] = [
        EfakturaChannel(efaktura_client(settings, way), settings.seats),
        VippsChannel(vipps_client(settings, way), settings.organisation_number, settings.seats),
        Email(settings, clock),
        *_letters(settings, clock, way),
    ]
    files: list[FileChannel] = [Avtalegiro(settings, clock)]
    if settings.print_provider == "batch":
        files.append(PaperBatch(settings))
    return Channels(
        messages={channel.channel: channel for channel in messages},
        files={channel.channel: channel for channel in files},
    )


def _letters(settings: Settings, clock: Clock, way: Outside) -> list[MessageChannel]:
    """The digital mailbox, and paper where a provider of letters prints it."""
    letters: list[MessageChannel] = []
    if "eformidling" in (settings.mailbox_provider, settings.print_provider):
        credentials = settings.eformidling_user, settings.eformidling_password
        eformidling = Eformidling(way, settings.eformidling_url, *credentials)
        if settings.mailbox_provider == "eformidling":
            letters.append(Mailbox(eformidling, settings, clock))
        if settings.print_provider == "eformidling":
            letters.append(PrintService(eformidling, settings))
    if "svarut" in (settings.mailbox_provider, settings.print_provider):
        svarut = svarut_client(settings, way)
        # The stand-in takes a letter, or does not, before it answers.
        taking = dt.timedelta(0) if settings.sandbox else LONGEST_TAKING
        chosen = {Channel.MAILBOX: settings.mailbox_provider, Channel.PAPER: settings.print_provider}
        letters += [
            SvarUtLetters(svarut, channel, clock, giro_form=settings.svarut_giro_form, longest_taking=taking)
            for channel, provider in chosen.items()
            if provider == "svarut"
        ]
    return letters
