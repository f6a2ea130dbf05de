"""The settings of the eFaktura offer: how eFaktura is switched on, and how long the link in the mail works."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.core.settings_mail import MailSettings


class OfferSettings(MailSettings):
    """``agreement``: our yes is sent to the provider. ``guide``: consent is given in the bank, and we look it up."""

    efaktura_activation: Literal["agreement", "guide"] = "agreement"
    offer_link_days: int = Field(60, ge=1, le=365)
    agreement_answer_days: int = Field(5, ge=1, le=60)
    agreement_check_days: int = Field(30, ge=1, le=365)
