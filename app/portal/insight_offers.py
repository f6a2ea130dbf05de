"""What is held about a resident's eFaktura: the offers that were sent, their answers, and the agreements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.models import Agreement, Offer, OfferAnswer, OfferMail
from app.residents.models import Resident


@dataclass(frozen=True, slots=True)
class SentOffer:
    """One offer; ``sent_at`` is None until its mail has left."""

    sent_at: dt.datetime | None
    answer: OfferAnswer | None
    answered_at: dt.datetime | None
    unsubscribed_at: dt.datetime | None


def offers(session: Session, resident: Resident) -> Sequence[SentOffer]:
    """The offers to *resident*, oldest first."""
    query = (
        select(OfferMail.sent_at, Offer.answer, Offer.answered_at, Offer.unsubscribed_at)
        .join(OfferMail, OfferMail.id == Offer.mail_id)
        .where(Offer.resident_id == resident.id)
        .order_by(Offer.id)
    )
    return [SentOffer(*row) for row in session.execute(query)]


def agreements(session: Session, resident: Resident) -> Sequence[Agreement]:
    """The agreements that were asked for, oldest first."""
    return session.scalars(select(Agreement).where(Agreement.resident_id == resident.id).order_by(Agreement.id)).all()


def efaktura_held(session: Session, resident: Resident) -> dict[str, Any]:
    """All of it as plain values; moments as ISO 8601."""
    return {
        "efaktura_offers": [
            {
                "sent_at": _iso(one.sent_at),
                "answer": one.answer.value if one.answer else None,
                "answered_at": _iso(one.answered_at),
                "unsubscribed_at": _iso(one.unsubscribed_at),
            }
            for one in offers(session, resident)
        ],
        "efaktura_agreements": [
            {
                "state": one.state.value,
                "source": one.source.value,
                "activation": one.activation.value,
                "reason": one.reason,
                "evidence": one.evidence,
                "requested_at": _iso(one.requested_at),
                "decided_at": _iso(one.decided_at),
                "ended_at": _iso(one.ended_at),
            }
            for one in agreements(session, resident)
        ],
    }


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None
