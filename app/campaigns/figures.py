"""What came of the offers, per campaign and day. What nobody can know is not here: who opened a mail or a page."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, exists, func, select
from sqlalchemy.orm import Session

from app.campaigns.brakes import RETURNED
from app.campaigns.models import (
    Agreement,
    AgreementState,
    Campaign,
    CampaignState,
    MailState,
    Offer,
    OfferAnswer,
    OfferMail,
    StopReason,
)
from app.channels.contract import Outcome
from app.core.clock import OSLO
from app.delivery.models import Attempt, Delivery
from app.invoices.models import Invoice
from app.routing.channels import Channel

# "2026-11-24 13": both databases write a moment so, in UTC, and Oslo lies whole hours from it.
_HOUR_LENGTH = 13


@dataclass(frozen=True, slots=True)
class Counts:
    """``sent``, ``delivered`` and ``bounced`` (refused ones too) count mails; the rest counts residents.

    ``answered``: pressed Yes, No or Not me. ``active``: the agreement that came of the yes stands. ``first_invoice``:
    said yes, and an invoice has been taken as eFaktura since. ``unsubscribed``: wants no more mails of the kind.
    """

    sent: int = 0
    delivered: int = 0
    bounced: int = 0
    answered: int = 0
    yes: int = 0
    active: int = 0
    first_invoice: int = 0
    unsubscribed: int = 0

    def as_json(self) -> dict[str, int]:
        """By name."""
        return asdict(self)


NAMES = tuple(one.name for one in fields(Counts))


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What came until now of the mails that left on one day (Oslo)."""

    day: dt.date
    counts: Counts


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """One campaign. ``waiting``: mails that are made and have not left."""

    name: str
    public_id: str
    state: CampaignState
    stop_reason: StopReason | None
    started_at: dt.datetime
    waiting: int
    counts: Counts
    days: Sequence[DayFigures]


@dataclass(frozen=True, slots=True)
class Figures:
    """All campaigns asked for, the newest first, and their sum."""

    total: Counts
    campaigns: Sequence[CampaignFigures] = field(default=())


def figures(session: Session, campaign: str | None = None) -> Figures:
    """The figures of the campaign with this name, or of all. Never suppressed: pages hide small groups themselves."""
    query = select(Campaign).order_by(Campaign.id.desc())
    campaigns = session.scalars(query if campaign is None else query.filter_by(name=campaign)).all()
    found = _counted(session, [one.id for one in campaigns])
    waiting = _waiting(session)
    told = [
        CampaignFigures(
            one.name,
            one.public_id,
            one.state,
            one.stop_reason,
            one.started_at,
            waiting.get(one.id, 0),
            _sum(found[one.id].values()),
            [DayFigures(day, _sum([counts])) for day, counts in sorted(found[one.id].items())],
        )
        for one in campaigns
    ]
    return Figures(_sum([one.counts.as_json() for one in told]), told)


def _counted(session: Session, ids: Sequence[int]) -> Mapping[int, dict[dt.date, dict[str, int]]]:
    found: dict[int, dict[dt.date, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: dict.fromkeys(NAMES, 0)))
    for query in (_mails(), _offers()):
        for row in session.execute(query.where(OfferMail.campaign_id.in_(ids))).mappings():
            counts = found[row["campaign_id"]][_day(row["hour"])]
            for name in NAMES:
                counts[name] += row.get(name, 0) or 0
    return found


def _day(hour: str) -> dt.date:
    return dt.datetime.strptime(f"{hour}+0000", "%Y-%m-%d %H%z").astimezone(OSLO).date()


def _grouped(**counts: ColumnElement[Any]) -> Select[Any]:
    hour = func.substr(cast(OfferMail.sent_at, String), 1, _HOUR_LENGTH)
    columns = [column.label(name) for name, column in counts.items()]
    return (
        select(OfferMail.campaign_id.label("campaign_id"), hour.label("hour"), *columns)
        .where(OfferMail.sent_at.is_not(None))
        .group_by(OfferMail.campaign_id, hour)
    )


def _mails() -> Select[Any]:
    return _grouped(
        sent=func.count(),
        delivered=_count(OfferMail.state == MailState.DELIVERED),
        bounced=_count(OfferMail.state.in_(RETURNED)),
    )


def _offers() -> Select[Any]:
    is_yes = Offer.answer == OfferAnswer.YES
    pressed = Offer.answer.in_((OfferAnswer.YES, OfferAnswer.NO, OfferAnswer.NOT_ME))
    is_active = exists().where(Agreement.offer_id == Offer.id, Agreement.state == AgreementState.ACTIVE)
    query = _grouped(
        answered=_count(pressed),
        yes=_count(is_yes),
        active=_count(is_active),
        first_invoice=_count(and_(is_yes, _has_efaktura_since())),
        unsubscribed=_count(Offer.unsubscribed_at.is_not(None)),
    )
    return query.join(Offer, Offer.mail_id == OfferMail.id)


def _has_efaktura_since() -> ColumnElement[bool]:
    return exists().where(
        Invoice.resident_id == Offer.resident_id,
        Delivery.invoice_id == Invoice.id,
        Attempt.delivery_id == Delivery.id,
        Attempt.channel == Channel.EFAKTURA,
        Attempt.outcome == Outcome.ACCEPTED,
        Attempt.taken_back_at.is_(None),
        Attempt.opened_at >= Offer.answered_at,
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _waiting(session: Session) -> Mapping[int, int]:
    under_way = OfferMail.state.in_((MailState.WAITING, MailState.SENDING))
    query = select(OfferMail.campaign_id, func.count()).where(under_way).group_by(OfferMail.campaign_id)
    return {row[0]: row[1] for row in session.execute(query)}


def _sum(some: Iterator[Mapping[str, int]] | Sequence[Mapping[str, int]] | Any) -> Counts:
    total = dict.fromkeys(NAMES, 0)
    for counts in some:
        for name in NAMES:
            total[name] += counts[name]
    return Counts(**total)
