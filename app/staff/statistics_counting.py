"""Counts what came of the offers, whenever the statistics are counted."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.campaigns.figures import figures
from app.core.clock import OSLO
from app.delivery.statistics import month_of
from app.staff.statistics_models import OfferCount


def count_offers(session: Session) -> None:
    """Count every campaign anew from its rows. Does not commit."""
    session.execute(delete(OfferCount))
    for campaign in figures(session).campaigns:
        counts = campaign.counts
        session.add(
            OfferCount(
                public_id=campaign.public_id,
                name=campaign.name,
                month=month_of(campaign.started_at.astimezone(OSLO).date()),
                sent=counts.sent,
                delivered=counts.delivered,
                bounced=counts.bounced,
                answered=counts.answered,
                yes=counts.yes,
                active=counts.active,
            )
        )
