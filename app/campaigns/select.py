"""Whom the offer is for: one reason a resident why not, in SQL, so that counting and choosing can never disagree."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.campaigns.models import (
    Agreement,
    AgreementState,
    Campaign,
    CampaignState,
    MailState,
    Offer,
    OfferAnswer,
    OfferMail,
)
from app.core.dialect import one_of
from app.invoices.models import Invoice
from app.residents.models import (
    AddressProtection,
    ClosedReason,
    ContactKind,
    ContactPoint,
    Mandate,
    Preference,
    Resident,
    ResidentKind,
)
from app.routing.channels import Channel


class Skipped(StrEnum):
    """Why somebody is not asked. The first that fits counts; the last four are found when their turn comes."""

    ORGANISATION = "organisation"
    DECEASED = "deceased"
    PROTECTED = "protected"
    NO_EMAIL = "no_email"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    DECLINED = "declined"
    HAS_AGREEMENT = "has_agreement"
    HAS_AVTALEGIRO = "has_avtalegiro"
    CHOSE_OTHERWISE = "chose_otherwise"
    OFFERED = "offered"
    HAS_EFAKTURA = "has_efaktura"
    UNKNOWN = "unknown"
    MINOR = "minor"
    NOT_ALLOWED = "not_allowed"


CANDIDATE = "candidate"
# What closed an address for one resident says the same of it for everybody.
BAD_ADDRESS = (ClosedReason.BOUNCED, ClosedReason.COMPLAINED, ClosedReason.NOT_ME)
UNDER_WAY = (MailState.WAITING, MailState.SENDING)


@dataclass(frozen=True, slots=True)
class Rules:
    """What choosing depends on beside the database. ``campaign_id`` None: a campaign that is not there yet.

    ``again_days`` 0: never again. ``is_waiting``: the campaign's own mails are not held against those they wait for.
    """

    campaign_id: int | None
    now: dt.datetime
    again_days: int
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """One resident to ask, by the address that stands now."""

    resident_id: int
    customer_number: str
    contact_point_id: int
    address: str
    language: str


def count_by_reason(session: Session, rules: Rules) -> Mapping[str, int]:
    """How many residents are skipped, by reason, and how many are candidates. The gateway is not asked."""
    reason = _reason(rules)
    query = select(reason, func.count()).select_from(Resident).outerjoin(ContactPoint, _open_email()).group_by(reason)
    return {row[0]: row[1] for row in session.execute(query)}


def candidate_ids(session: Session, rules: Rules) -> array[int]:
    """The ids of all candidates, by rising id, eight bytes each."""
    query = _joined(Resident.id).where(_reason(rules) == CANDIDATE).order_by(Resident.id)
    return array("q", session.scalars(query.execution_options(yield_per=10_000)))


def count_addresses(session: Session, rules: Rules, after: str = "") -> int:
    """How many addresses above *after* the candidates have: so many mails."""
    query = _joined(func.count(func.distinct(ContactPoint.value)))
    return session.scalar(query.where(_reason(rules) == CANDIDATE, ContactPoint.value > after)) or 0


def next_addresses(session: Session, rules: Rules, after: str, most: int) -> Sequence[str]:
    """The next at most *most* addresses of candidates above *after*, in the database's order."""
    query = (
        _joined(ContactPoint.value)
        .where(_reason(rules) == CANDIDATE, ContactPoint.value > after)
        .distinct()
        .order_by(ContactPoint.value)
        .limit(most)
    )
    return session.scalars(query).all()


def candidates_at(session: Session, rules: Rules, addresses: Sequence[str]) -> list[Chosen]:
    """The candidates with these addresses, by rising id."""
    query = (
        _joined(Resident.id, Resident.customer_number, ContactPoint.id, ContactPoint.value, Resident.language)
        .where(one_of(session, ContactPoint.value, addresses), _reason(rules) == CANDIDATE)
        .order_by(Resident.id)
    )
    return [Chosen(*row) for row in session.execute(query)]


def _joined(*columns: Any) -> Select[Any]:
    return select(*columns).select_from(ContactPoint).join(Resident, _open_email())


def _open_email() -> ColumnElement[bool]:
    return and_(
        ContactPoint.resident_id == Resident.id,
        ContactPoint.kind == ContactKind.EMAIL,
        ContactPoint.closed_at.is_(None),
    )


def _reason(rules: Rules) -> ColumnElement[str]:
    return case(
        (Resident.kind != ResidentKind.PERSON, Skipped.ORGANISATION.value),
        (Resident.deceased_on.is_not(None), Skipped.DECEASED.value),
        (Resident.address_protection != AddressProtection.NONE, Skipped.PROTECTED.value),
        (and_(ContactPoint.id.is_(None), _has_bad_address()), Skipped.BOUNCED.value),
        (ContactPoint.id.is_(None), Skipped.NO_EMAIL.value),
        (_is_bad_address(), Skipped.BOUNCED.value),
        (_is_unsubscribed(), Skipped.UNSUBSCRIBED.value),
        (_has_declined(), Skipped.DECLINED.value),
        (_has_agreement(), Skipped.HAS_AGREEMENT.value),
        (_has_avtalegiro(), Skipped.HAS_AVTALEGIRO.value),
        (_chose_otherwise(), Skipped.CHOSE_OTHERWISE.value),
        (_is_offered(rules), Skipped.OFFERED.value),
        else_=CANDIDATE,
    )


def _has_bad_address() -> ColumnElement[bool]:
    """An address was closed for a reason of its own, and none has come since."""
    closed = aliased(ContactPoint)
    return exists().where(
        closed.resident_id == Resident.id, closed.kind == ContactKind.EMAIL, closed.closed_reason.in_(BAD_ADDRESS)
    )


def _is_bad_address() -> ColumnElement[bool]:
    """Mail to it came back from, or was not for, somebody else who had it; whoever confirmed it since knows better."""
    closed = aliased(ContactPoint)
    return exists().where(
        closed.value == ContactPoint.value,
        closed.closed_reason.in_(BAD_ADDRESS),
        or_(ContactPoint.confirmed_at.is_(None), ContactPoint.confirmed_at < closed.closed_at),
    )


def _is_unsubscribed() -> ColumnElement[bool]:
    """By the resident, or by whoever reads the address."""
    said = Offer.unsubscribed_at.is_not(None)
    at_address = exists().where(OfferMail.address == ContactPoint.value, Offer.mail_id == OfferMail.id, said)
    return or_(exists().where(Offer.resident_id == Resident.id, said), at_address)


def _has_declined() -> ColumnElement[bool]:
    return exists().where(Offer.resident_id == Resident.id, Offer.answer == OfferAnswer.NO)


def _has_agreement() -> ColumnElement[bool]:
    is_open = Agreement.state.in_((AgreementState.REQUESTED, AgreementState.ACTIVE))
    return exists().where(Agreement.resident_id == Resident.id, is_open)


def _has_avtalegiro() -> ColumnElement[bool]:
    """A mandate names a KID, and the KID is a resident's by the invoices that carry it."""
    return exists().where(
        Invoice.resident_id == Resident.id, Mandate.kid_key == Invoice.kid_key, Mandate.ended_at.is_(None)
    )


def _chose_otherwise() -> ColumnElement[bool]:
    """Whoever wants letters alone, no eFaktura, or no e-mail, has said so on Min side."""
    closed = Preference.channel.in_((Channel.EFAKTURA, Channel.EMAIL))
    return exists().where(Preference.resident_id == Resident.id, or_(Preference.is_all_by_letter, closed))


def _is_offered(rules: Rules) -> ColumnElement[bool]:
    """This campaign, or lately another, has written to the resident or to the address."""
    parts: list[ColumnElement[bool]] = []
    if rules.campaign_id is not None and not rules.is_waiting:
        parts.append(OfferMail.campaign_id == rules.campaign_id)
    other = and_(_is_fresh(rules), OfferMail.campaign_id != (rules.campaign_id or 0))
    condition = or_(*parts, other)
    by_resident = exists().where(Offer.resident_id == Resident.id, OfferMail.id == Offer.mail_id, condition)
    by_address = exists().where(OfferMail.address == ContactPoint.value, condition)
    return or_(by_resident, by_address)


def _is_fresh(rules: Rules) -> ColumnElement[bool]:
    """A mail that was begun not long ago, or is about to be."""
    is_running = exists().where(Campaign.id == OfferMail.campaign_id, Campaign.state == CampaignState.RUNNING)
    is_coming = and_(OfferMail.state.in_(UNDER_WAY), is_running.correlate(OfferMail))
    if not rules.again_days:
        return or_(OfferMail.opened_at.is_not(None), is_coming)
    return or_(OfferMail.opened_at > rules.now - dt.timedelta(days=rules.again_days), is_coming)
