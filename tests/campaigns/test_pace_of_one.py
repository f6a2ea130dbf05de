"""A campaign may be made slower than the setting, never faster, also while it runs."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.campaigns import service
from app.campaigns.models import Campaign
from app.campaigns.pace import pace_of
from app.core.clock import Clock
from app.core.errors import NotFound, NotPossible
from app.core.settings import Settings


@pytest.mark.parametrize(
    ("most", "own", "pace"), [(0, None, 0), (60, None, 60), (0, 10, 10), (60, 10, 10), (60, 600, 60)]
)
def test_the_slower_of_the_two_counts(settings: Settings, most: int, own: int | None, pace: int) -> None:
    campaign = Campaign(name="a", mails_per_minute=own)
    assert pace_of(settings.model_copy(update={"offer_mails_per_minute": most}), campaign) == pace


def test_the_pace_is_set_and_taken_away(session: Session, clock: Clock) -> None:
    service.start(session, clock, "vår", "staff:a")
    assert service.set_pace(session, clock, "vår", 30, "staff:a").mails_per_minute == 30
    assert service.set_pace(session, clock, "vår", None, "staff:a").mails_per_minute is None


@pytest.mark.parametrize("pace", [0, -1, 100_001])
def test_a_pace_that_is_none_is_refused(session: Session, clock: Clock, pace: int) -> None:
    service.start(session, clock, "vår", "staff:a")
    with pytest.raises(NotPossible):
        service.set_pace(session, clock, "vår", pace, "staff:a")


def test_a_campaign_that_is_not_there_has_no_pace(session: Session, clock: Clock) -> None:
    with pytest.raises(NotFound):
        service.set_pace(session, clock, "vår", 30, "staff:a")
