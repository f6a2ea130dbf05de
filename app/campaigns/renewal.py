"""A new link for an old one: always the same answer, and only ever to the address that is stored."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from app.campaigns.agreements import begin, lock_resident
from app.campaigns.desk import Desk
from app.campaigns.links import OfferLink
from app.campaigns.mail import Letter
from app.campaigns.models import Offer
from app.campaigns.states import Found, LinkState, find_offer, first_name, is_shared, view_of
from app.core.ids import derived_id
from app.core.throttle import Limit, TooOften, hit
from app.core.tokens import LinkInvalid
from app.residents.models import AddressProtection, ContactKind, ContactPoint
from app.residents.queries import open_contact_points

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
PER_OFFER = (Limit("new links of an offer, an hour", 1, HOUR), Limit("new links of an offer, a day", 5, DAY))
PER_NETWORK = Limit("new links asked for by a network address, an hour", 60, HOUR)
RENEWABLE = frozenset({LinkState.EXPIRED, LinkState.REPLACED})


def new_link(desk: Desk, token: str) -> bool:
    """Send a new link in place of an expired or replaced one; whether one was sent, which the page never tells.

    It goes to the resident's address of now, never to one that was typed, and makes every older link *replaced*.
    Commits before it sends. Asking too often sends nothing.
    """
    try:
        link = desk.outfit.links.read_offer(token)
    except LinkInvalid:
        return False
    found = find_offer(desk.session, link.offer)
    if found is None or view_of(desk.session, found, link).state not in RENEWABLE:
        return False
    uses = [(limit, link.offer) for limit in PER_OFFER]
    if desk.network:
        uses.append((PER_NETWORK, desk.network))
    try:
        hit(desk.session, desk.settings, uses, desk.clock.now())
    except TooOften:
        return False
    made = _renewed(desk, link)
    return made is not None and desk.outfit.sender.send(made)


def _renewed(desk: Desk, link: OfferLink) -> Letter | None:
    """The link of now, stored; None when there is nobody to send it to."""
    session = desk.session
    begin(session)
    resident_id = session.scalar(select(Offer.resident_id).where(Offer.public_id == link.offer))
    if resident_id is None:
        session.rollback()
        return None
    lock_resident(session, resident_id)
    found = find_offer(session, link.offer)
    point = open_contact_points(session, [resident_id]).get(resident_id, {}).get(ContactKind.EMAIL)
    if found is None or point is None or not _may_be_asked(found):
        session.rollback()
        return None
    found.offer.contact_point_id, found.offer.link_number = point.id, found.offer.link_number + 1
    session.flush()
    made = _link(desk, Found(found.offer, found.mail, found.resident, point), point)
    session.commit()
    return made


def _may_be_asked(found: Found) -> bool:
    resident = found.resident
    return resident.deceased_on is None and resident.address_protection is AddressProtection.NONE


def _link(desk: Desk, found: Found, point: ContactPoint) -> Letter:
    offer = found.offer
    return Letter(
        str(derived_id("new offer link", offer.public_id, offer.link_number)),
        found.mail.public_id,
        offer.public_id,
        offer.link_number,
        point.value,
        "" if is_shared(desk.session, found) else first_name(found.resident.name),
        found.mail.language,
    )
