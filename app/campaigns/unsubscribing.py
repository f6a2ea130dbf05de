"""Being asked no more: one press, without log-in, for everyone a mail was about (RFC 8058)."""

from __future__ import annotations

from sqlalchemy import select

from app.campaigns.agreements import begin
from app.campaigns.desk import Desk
from app.campaigns.models import Offer, OfferAnswer, OfferMail
from app.core.audit import AuditEvent, record
from app.core.tokens import LinkInvalid
from app.residents.models import Resident

ACTOR = "unsubscribe link"


def unsubscribe(desk: Desk, token: str) -> bool:
    """Ask nobody of this mail again; whether the link is one of ours. The second time is fine. Commits."""
    try:
        public_id = desk.outfit.links.read_unsubscribe(token)
    except LinkInvalid:
        return False
    begin(desk.session)
    offers = desk.session.execute(
        select(Offer, Resident.public_id)
        .join(OfferMail, OfferMail.id == Offer.mail_id)
        .join(Resident, Resident.id == Offer.resident_id)
        .where(OfferMail.public_id == public_id)
        .order_by(Offer.id)
        .with_for_update(of=Offer)
        .execution_options(populate_existing=True)
    ).all()
    now = desk.clock.now()
    for offer, resident in offers:
        if offer.unsubscribed_at is None:
            offer.unsubscribed_at = now
            if offer.answer is None:
                offer.answer, offer.answered_at = OfferAnswer.UNSUBSCRIBED, now
            event, subject = AuditEvent.OFFER_UNSUBSCRIBED, f"resident:{resident}"
            record(desk.session, at=now, actor=ACTOR, event=event, subject=subject, reason=f"offer:{offer.public_id}")
    desk.session.commit()
    return bool(offers)


def can_unsubscribe(desk: Desk, token: str) -> bool:
    """Whether the link to be asked no more is one of ours; changes nothing."""
    try:
        public_id = desk.outfit.links.read_unsubscribe(token)
    except LinkInvalid:
        return False
    return desk.session.scalar(select(OfferMail.id).where(OfferMail.public_id == public_id)) is not None
