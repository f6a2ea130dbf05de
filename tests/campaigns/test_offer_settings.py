"""Offers leave calmly in production and at once elsewhere, and settings that cannot be meant stop the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import SettingsInvalid
from app.core.settings import load_settings
from app.core.settings_offers import PRODUCTION_HOURS, PRODUCTION_MAILS_PER_MINUTE, OfferSettings


def test_nothing_slows_mails_down_but_in_production() -> None:
    assert OfferSettings(_env_file=None).offer_mails_per_minute == 0
    assert OfferSettings(_env_file=None).offer_span is None
    calm = OfferSettings._calm_in_production({"environment": "production"})  # type: ignore[operator]
    assert calm["offer_mails_per_minute"] == PRODUCTION_MAILS_PER_MINUTE
    assert calm["offer_hours"] == PRODUCTION_HOURS
    chosen = OfferSettings._calm_in_production({"environment": "production", "offer_hours": ""})  # type: ignore[operator]
    assert chosen["offer_hours"] == ""


@pytest.mark.parametrize("hours", ["8", "20-08", "08-25", "08:00-20:00", "morning"])
def test_hours_that_are_none_stop_the_start(tmp_path: Path, hours: str) -> None:
    with pytest.raises(SettingsInvalid, match="OFFER_HOURS"):
        load_settings(_env_file=None, instance_dir=tmp_path, offer_hours=hours)


def test_a_brake_below_its_warning_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="OFFER_BOUNCE_STOP_PERCENT"):
        load_settings(_env_file=None, instance_dir=tmp_path, offer_bounce_stop_percent=1)
