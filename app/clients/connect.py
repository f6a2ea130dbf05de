"""The clients of the registers and of the two payment channels, made once a process from the settings."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from app.clients.efaktura import Efaktura
from app.clients.http import Outside, outside
from app.clients.krr import Krr
from app.clients.maskinporten import Maskinporten, client_key
from app.clients.svarut import SvarUt
from app.clients.vipps import Vipps
from app.core.clock import Clock
from app.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Clients:
    """One client a provider. Close it when the process has done its work."""

    maskinporten: Maskinporten
    krr: Krr
    efaktura: Efaktura
    vipps: Vipps

    def close(self) -> None:
        """Let all connections go."""
        for client in (self.maskinporten, self.krr, self.efaktura, self.vipps):
            client.close()


def connect(settings: Settings, clock: Clock, transport: httpx.BaseTransport | None = None) -> Clients:
    """The clients, over *transport* (the stand-ins') or the network. Nothing is asked yet. Raises `SettingsInvalid`."""
    way = outside(settings, transport)
    maskinporten = maskinporten_client(settings, way)
    return Clients(
        maskinporten=maskinporten,
        krr=Krr(way, settings.krr_url, maskinporten, clock),
        efaktura=efaktura_client(settings, way),
        vipps=vipps_client(settings, way),
    )


def maskinporten_client(settings: Settings, way: Outside) -> Maskinporten:
    """Maskinporten with the key registered there. Raises `SettingsInvalid`."""
    return Maskinporten(
        way,
        issuer=settings.maskinporten_issuer,
        client_id=settings.maskinporten_client_id,
        key=client_key(settings),
    )


def svarut_client(settings: Settings, way: Outside) -> SvarUt:
    """This municipality's account at SvarUt. Raises `SettingsInvalid`."""
    return SvarUt(
        way,
        settings.svarut_url,
        maskinporten_client(settings, way),
        account=str(settings.svarut_account),
        integration_id=str(settings.svarut_integration_id),
        integration_password=settings.svarut_integration_password,
    )


def efaktura_client(settings: Settings, way: Outside) -> Efaktura:
    """The eFaktura gateway for this municipality."""
    return Efaktura(way, settings.efaktura_url, settings.organisation_number, settings.efaktura_token)


def vipps_client(settings: Settings, way: Outside) -> Vipps:
    """Vipps with this municipality's credentials."""
    return Vipps(
        way,
        settings.vipps_url,
        client_id=settings.vipps_client_id,
        client_secret=settings.vipps_client_secret,
        subscription_key=settings.vipps_subscription_key,
    )
