"""The settings of the residents' pages: who lets people in, and what stands in front of us."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.core.settings_offers import OfferSettings


class PortalSettings(OfferSettings):
    """Log-in by ID-porten, and the bank's page for AvtaleGiro. Empty addresses: the stand-in's, or production's."""

    idporten_issuer: str = ""
    idporten_client_id: str = "fakturaportalen"
    idporten_key_id: str = "fakturaportalen-1"
    idporten_level: Literal["substantial", "high"] = "substantial"
    avtalegiro_agreement_url: str = ""
    trusted_proxies: int = Field(0, ge=0, le=9)
