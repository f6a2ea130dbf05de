"""The settings of the eFaktura offer: how eFaktura is switched on, how long its link works, how its mails are sent."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from app.core.settings_mail import MailSettings

_HOURS = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
# What a production installation does unless it says otherwise; elsewhere nothing slows the mails down.
PRODUCTION_MAILS_PER_MINUTE = 300
PRODUCTION_HOURS = "08-20"


class OfferSettings(MailSettings):
    """``agreement``: our yes is sent to the provider. ``guide``: consent is given in the bank, and we look it up.

    ``offer_mails_per_minute`` 0: as fast as it goes. ``offer_hours``: ``08-20``, whole hours in Oslo, or empty.
    ``offer_again_days`` 0: nobody is asked twice, however many campaigns there are.
    """

    efaktura_activation: Literal["agreement", "guide"] = "agreement"
    offer_link_days: int = Field(60, ge=1, le=365)
    agreement_answer_days: int = Field(5, ge=1, le=60)
    agreement_check_days: int = Field(30, ge=1, le=365)

    offer_mails_per_minute: int = Field(0, ge=0)
    offer_hours: str = ""
    offer_again_days: int = Field(365, ge=0)
    offer_bounce_warn_percent: float = Field(5, gt=0, le=100)
    offer_bounce_stop_percent: float = Field(10, gt=0, le=100)
    offer_bounce_minimum: int = Field(50, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _calm_in_production(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("environment") == "production":
            values.setdefault("offer_mails_per_minute", PRODUCTION_MAILS_PER_MINUTE)
            values.setdefault("offer_hours", PRODUCTION_HOURS)
        return values

    @model_validator(mode="after")
    def _possible_offers(self) -> Self:
        """Impossible combinations stop the start."""
        if self.offer_hours and self.offer_span is None:
            raise ValueError("OFFER_HOURS must be two whole hours, the earlier first, as 08-20, or empty")
        if self.offer_bounce_stop_percent < self.offer_bounce_warn_percent:
            raise ValueError("OFFER_BOUNCE_STOP_PERCENT must not be less than OFFER_BOUNCE_WARN_PERCENT")
        return self

    @property
    def offer_span(self) -> tuple[int, int] | None:
        """The hours of the day, in Oslo, from which and until which mails leave; None: at any time."""
        found = _HOURS.fullmatch(self.offer_hours.strip())
        if found is None:
            return None
        first, last = int(found[1]), int(found[2])
        return (first, last) if 0 <= first < last <= 24 else None
