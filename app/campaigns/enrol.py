"""Puts mails in a campaign: one an address, an offer for each resident who has it; and takes out who must not."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, MailState, Offer, OfferMail
from app.campaigns.select import Chosen, Rules, candidates_at
from app.core.database import Base
from app.core.dialect import Lock, begin_writing, one_of, put_rows, serialize
from app.core.ids import derived_id

LANGUAGES = ("nb", "nn", "en")
MAILS, OFFERS = (Base.metadata.tables[model.__tablename__] for model in (OfferMail, Offer))


def enrol(session: Session, campaign: Campaign, rules: Rules, chosen: Sequence[Chosen]) -> tuple[list[int], int]:
    """Make the mails of *chosen*, as far as they are candidates still; gives the mails' ids and how many are asked.

    One at a time, over all campaigns: nobody comes into two. Commits.
    """
    if not chosen:
        return [], 0
    wanted = {one.resident_id for one in chosen}
    session.commit()
    begin_writing(session)
    serialize(session, Lock.OFFERS)
    addresses = sorted({one.address for one in chosen})
    groups: dict[str, list[Chosen]] = {}
    for one in candidates_at(session, rules, addresses):
        if one.resident_id in wanted:
            groups.setdefault(one.address, []).append(one)
    if not groups:
        session.commit()
        return [], 0
    put_rows(session, insert(MAILS), [_mail(campaign, address, some[0]) for address, some in groups.items()])
    mine = OfferMail.campaign_id == campaign.id
    made = session.execute(
        select(OfferMail.id, OfferMail.address).where(mine, one_of(session, OfferMail.address, list(groups)))
    )
    ids = {address: mail_id for mail_id, address in made}
    put_rows(session, insert(OFFERS), [_offer(ids[address], one) for address, some in groups.items() for one in some])
    session.commit()
    return sorted(ids.values()), sum(map(len, groups.values()))


def _mail(campaign: Campaign, address: str, first: Chosen) -> dict[str, object]:
    """Written in the language of the first who has the address."""
    return {
        "public_id": str(uuid.uuid4()),
        "campaign_id": campaign.id,
        "address": address,
        "key": str(derived_id("offer", campaign.public_id, address)),
        "language": first.language if first.language in LANGUAGES else LANGUAGES[0],
        "state": MailState.WAITING,
        "resent": False,
    }


def _offer(mail_id: int, one: Chosen) -> dict[str, object]:
    return {
        "public_id": str(uuid.uuid4()),
        "mail_id": mail_id,
        "resident_id": one.resident_id,
        "contact_point_id": one.contact_point_id,
        "link_number": 1,
    }


def waiting_ids(session: Session, campaign_id: int) -> list[int]:
    """The mails that an earlier run left waiting."""
    query = select(OfferMail.id).where(OfferMail.campaign_id == campaign_id, OfferMail.state == MailState.WAITING)
    return list(session.scalars(query.order_by(OfferMail.id)))


def offered_at(session: Session, ids: Sequence[int]) -> tuple[list[str], set[int]]:
    """The addresses of the waiting mails *ids*, and the residents they are for."""
    waiting = (one_of(session, OfferMail.id, ids), OfferMail.state == MailState.WAITING)
    addresses = list(session.scalars(select(OfferMail.address).where(*waiting)))
    residents = session.scalars(
        select(Offer.resident_id).join(OfferMail, OfferMail.id == Offer.mail_id).where(*waiting)
    )
    return addresses, set(residents)


def take_out(session: Session, ids: Sequence[int], kept: Iterable[int], now: dt.datetime) -> list[int]:
    """Take everybody but the residents *kept* out of the waiting mails *ids*; gives the mails that are left. Commits.

    What never left is forgotten, so that whoever was unknown is asked another time; what may have left stays on record.
    """
    session.commit()
    begin_writing(session)
    waiting = select(OfferMail.id).where(one_of(session, OfferMail.id, ids), OfferMail.state == MailState.WAITING)
    mails = session.scalars(waiting.with_for_update()).all()
    of_mails, is_kept = one_of(session, Offer.mail_id, mails), one_of(session, Offer.resident_id, list(kept))
    never_left = exists().where(OfferMail.id == Offer.mail_id, OfferMail.opened_at.is_(None))
    quiet = {"synchronize_session": False}
    session.execute(delete(Offer).where(of_mails, never_left, ~is_kept), execution_options=quiet)
    is_for_somebody = exists().where(Offer.mail_id == OfferMail.id, is_kept)
    empty = (one_of(session, OfferMail.id, mails), ~is_for_somebody)
    session.execute(delete(OfferMail).where(*empty, OfferMail.opened_at.is_(None)), execution_options=quiet)
    session.execute(
        update(OfferMail).where(*empty).values(state=MailState.SKIPPED, settled_at=now), execution_options=quiet
    )
    left = session.scalars(waiting).all()
    session.commit()
    return list(left)
