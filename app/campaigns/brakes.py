"""Stops a campaign whose mails come back: a list of bad addresses harms the municipality's name as a sender."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, CampaignState, MailState, OfferMail, StopReason
from app.core.settings import Settings

log = structlog.get_logger(__name__)

BRAKE = "brake"
RETURNED = (MailState.BOUNCED, MailState.REFUSED)


@dataclass(frozen=True, slots=True)
class Returns:
    """How many mails have left, and how many of them came back or were refused."""

    sent: int
    returned: int

    @property
    def percent(self) -> float:
        """The share that came back, 0 to 100."""
        return 100 * self.returned / self.sent if self.sent else 0.0


def returns(session: Session, campaign: Campaign) -> Returns:
    """Those of *campaign*, since a person last let it go on."""
    query = select(func.count(), func.count().filter(OfferMail.state.in_(RETURNED))).where(
        OfferMail.campaign_id == campaign.id, OfferMail.sent_at.is_not(None)
    )
    if campaign.stopped_at is not None:
        query = query.where(OfferMail.sent_at > campaign.stopped_at)
    return Returns(*session.execute(query).one())


def is_warned(found: Returns, settings: Settings) -> bool:
    """Whether somebody should look at it."""
    return found.sent >= settings.offer_bounce_minimum and found.percent >= settings.offer_bounce_warn_percent


def check(session: Session, settings: Settings, campaign_id: int, now: dt.datetime) -> bool:
    """Stop the campaign when too many came back; whether it was stopped now. Does not commit."""
    campaign = session.get_one(Campaign, campaign_id, populate_existing=True)
    found = returns(session, campaign)
    if not is_warned(found, settings):
        return False
    say = {"campaign": campaign.public_id, "sent": found.sent, "returned": found.returned}
    if found.percent < settings.offer_bounce_stop_percent:
        log.warning("many offers come back", **say)
        return False
    stopped = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.state == CampaignState.RUNNING)
        .values(state=CampaignState.STOPPED, stopped_at=now, stopped_by=BRAKE, stop_reason=StopReason.BOUNCES)
        .returning(Campaign.id)
    ).all()
    if stopped:
        log.error("campaign stopped: too many offers come back", **say)
    return bool(stopped)
