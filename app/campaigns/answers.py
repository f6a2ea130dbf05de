"""What pages do with an offer: read its link, answer it, and say yes from Min side.

A GET may call `read_link` alone. The provider is called only after the answer is stored.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from app.campaigns.agreements import begin, decline, lock_resident, open_agreement, say_yes
from app.campaigns.desk import Desk
from app.campaigns.links import OfferLink
from app.campaigns.models import AgreementSource, AgreementState, Offer, OfferAnswer
from app.campaigns.provider import ask_provider
from app.campaigns.receipts import send_receipt
from app.campaigns.states import (
    AgreementFacts,
    Found,
    LinkState,
    LinkView,
    Why,
    agreement_of,
    facts,
    find_offer,
    takes_efaktura,
    view_of,
)
from app.core.audit import AuditEvent, record
from app.core.tokens import LinkInvalid
from app.residents.contacts import close_contact
from app.residents.models import ClosedReason, ContactKind, Resident

LINK_ACTOR = "offer link"
YES_FROM = frozenset({LinkState.FRESH, LinkState.DECLINED})
NO_FROM = frozenset({LinkState.FRESH, LinkState.PENDING, LinkState.WISHED, LinkState.ACTIVE})
NOT_ME_FROM = NO_FROM | {LinkState.DECLINED, LinkState.USED}


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer came to: the link as it is now.

    ``is_new``: this press changed something. ``is_too_late``: a no, or "not me", after the provider has the request or
    eFaktura is on: that can only be ended in the bank.
    """

    view: LinkView
    is_new: bool = False
    is_too_late: bool = False


def read_link(desk: Desk, token: str) -> LinkView:
    """What the link leads to; changes nothing. Whatever *token* is, it never raises."""
    try:
        link = desk.outfit.links.read_offer(token)
    except LinkInvalid:
        return LinkView(LinkState.UNKNOWN)
    return view_of(desk.session, find_offer(desk.session, link.offer), link)


def answer(desk: Desk, token: str, reply: OfferAnswer) -> Answered:
    """Take YES, NO or NOT_ME; the same again, or too late, changes nothing. Commits.

    Two at the same moment come one after the other, so that at most one request reaches the provider. A yes is sent to
    the provider at once, after it is stored; when the provider is down it stays requested, and is asked again later.
    """
    try:
        link = desk.outfit.links.read_offer(token)
    except LinkInvalid:
        return Answered(LinkView(LinkState.UNKNOWN))
    take = _REPLIES[reply]
    begin(desk.session)
    found = _locked(desk, link)
    view = view_of(desk.session, found, link)
    if found is None:
        desk.session.rollback()
        return Answered(view)
    is_new, is_too_late = take(desk, found, link, view)
    desk.session.commit()
    agreement = open_agreement(desk.session, found.resident.id)
    desk.session.commit()
    if reply is OfferAnswer.YES and agreement is not None:
        ask_provider(desk, agreement.id)
        send_receipt(desk, agreement.id)
    return Answered(view_of(desk.session, find_offer(desk.session, link.offer), link), is_new, is_too_late)


def ask_from_min_side(
    desk: Desk, resident: Resident, source: AgreementSource = AgreementSource.MIN_SIDE, actor: str = ""
) -> AgreementFacts:
    """A yes of the resident who is logged in, or whom staff has on the telephone (*actor* then says who). Commits."""
    begin(desk.session)
    locked, who = lock_resident(desk.session, resident.id), actor or f"resident:{resident.public_id}"
    evidence = {"language": locked.language}
    agreement = say_yes(desk.session, desk.settings, locked, source, who, desk.clock.now(), evidence=evidence)
    desk.session.commit()
    ask_provider(desk, agreement.id)
    send_receipt(desk, agreement.id)
    found = agreement_of(desk.session, resident.id)
    return found if found is not None else facts(agreement)


def _locked(desk: Desk, link: OfferLink) -> Found | None:
    resident_id = desk.session.scalar(select(Offer.resident_id).where(Offer.public_id == link.offer))
    if resident_id is None:
        return None
    lock_resident(desk.session, resident_id)
    # Read after the wait: another press may have been first.
    return find_offer(desk.session, link.offer)


def _yes(desk: Desk, found: Found, link: OfferLink, view: LinkView) -> tuple[bool, bool]:
    if view.state not in YES_FROM:
        return False, False
    now, offer = desk.clock.now(), found.offer
    evidence = {"offer": offer.public_id, "link": link.number, "language": found.mail.language}
    say_yes(
        desk.session, desk.settings, found.resident, AgreementSource.OFFER, LINK_ACTOR, now,
        offer_id=offer.id, evidence=evidence,
    )  # fmt: skip
    _note(desk, found, OfferAnswer.YES, now)
    return True, False


def _no(desk: Desk, found: Found, link: OfferLink, view: LinkView) -> tuple[bool, bool]:
    if view.state not in NO_FROM:
        return False, False
    if not _take_back(desk, found, Why.WITHDRAWN):
        return False, True
    _note(desk, found, OfferAnswer.NO, desk.clock.now())
    return True, False


def _not_me(desk: Desk, found: Found, link: OfferLink, view: LinkView) -> tuple[bool, bool]:
    if view.state not in NOT_ME_FROM:
        return False, False
    now, is_in_time = desk.clock.now(), _take_back(desk, found, Why.NOT_ME)
    close_contact(desk.session, found.resident.id, ContactKind.EMAIL, found.point.value, ClosedReason.NOT_ME, now)
    _note(desk, found, OfferAnswer.NOT_ME, now)
    _record(desk, found.resident.public_id, AuditEvent.ADDRESS_REMOVED, ClosedReason.NOT_ME.value, now)
    return True, not is_in_time


_REPLIES = {OfferAnswer.YES: _yes, OfferAnswer.NO: _no, OfferAnswer.NOT_ME: _not_me}


def _take_back(desk: Desk, found: Found, why: Why) -> bool:
    """Take an open request back, if the provider cannot have it; whether nothing is under way or in force now."""
    agreement = open_agreement(desk.session, found.resident.id)
    if agreement is None:
        return not takes_efaktura(desk.session, found.resident.id)
    if agreement.state is AgreementState.ACTIVE or facts(agreement).is_at_provider:
        return False
    decline(desk.session, agreement, why, LINK_ACTOR, desk.clock.now())
    return True


def _note(desk: Desk, found: Found, reply: OfferAnswer, now: dt.datetime) -> None:
    found.offer.answer, found.offer.answered_at = reply, now
    _record(
        desk, found.resident.public_id, AuditEvent.OFFER_ANSWERED, f"{reply.value} offer:{found.offer.public_id}", now
    )


def _record(desk: Desk, resident: str, event: AuditEvent, reason: str, now: dt.datetime) -> None:
    record(desk.session, at=now, actor=LINK_ACTOR, event=event, subject=f"resident:{resident}", reason=reason)
