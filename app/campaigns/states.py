"""What an offer's link and a resident's agreement stand at, as facts that pages put into words. Changes nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from app.campaigns.links import OfferLink
from app.campaigns.models import (
    Activation,
    Agreement,
    AgreementSource,
    AgreementState,
    Offer,
    OfferAnswer,
    OfferMail,
)
from app.core.contact import mask_email
from app.registries.models import Register, RegistryAnswer
from app.residents.models import AddressProtection, ContactKind, ContactPoint, Resident
from app.routing.channels import Answer

OPEN = (AgreementState.REQUESTED, AgreementState.ACTIVE)


class LinkState(StrEnum):
    """What the link of an offer leads to.

    ``pending``: said yes, the provider has not answered. ``wished``: said yes, and the rest is done in the bank.
    ``declined``: said no, may say yes. ``used``: the yes came to nothing or was ended. ``not_me``: the address was
    another's. ``replaced``: there is a newer link or address, or nobody to ask any more. ``shared``: several residents
    have the address, so it speaks for none of them. The last five name nobody.
    """

    FRESH = "fresh"
    ACTIVE = "active"
    PENDING = "pending"
    WISHED = "wished"
    DECLINED = "declined"
    USED = "used"
    SHARED = "shared"
    NOT_ME = "not_me"
    EXPIRED = "expired"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


NAMING = frozenset(
    {LinkState.FRESH, LinkState.ACTIVE, LinkState.PENDING, LinkState.WISHED, LinkState.DECLINED, LinkState.USED}
)


class Why(StrEnum):
    """The codes of `Agreement.reason`.

    ``asking``: the request is under way; ``unavailable``: it surely did not arrive; ``uncertain``: it may have;
    ``not_found`` and ``several``: the look-up keys fit nobody, or more than one, so it is done in the bank;
    ``withdrawn``: the resident said no in time; ``not_me``: said whoever has the address; ``refused``: by the provider;
    ``in_bank``: switched off there.
    """

    ASKING = "asking"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"
    NOT_FOUND = "not_found"
    SEVERAL = "several"
    WITHDRAWN = "withdrawn"
    NOT_ME = "not_me"
    REFUSED = "refused"
    IN_BANK = "in_bank"


@dataclass(frozen=True, slots=True)
class AgreementFacts:
    """One agreement. ``is_at_provider``: the provider has the request, or may have it. ``told_at``: when the receipt
    left, None while none has."""

    public_id: str
    state: AgreementState
    activation: Activation
    source: AgreementSource
    reason: Why | None
    is_at_provider: bool
    requested_at: dt.datetime
    decided_at: dt.datetime | None
    ended_at: dt.datetime | None
    told_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the page of a link shows. Names and address are empty where the state names nobody."""

    state: LinkState
    language: str = ""
    first_name: str = field(default="", repr=False)
    masked_email: str = field(default="", repr=False)
    agreement: AgreementFacts | None = None

    @property
    def is_shared(self) -> bool:
        """Whether several residents have the address."""
        return self.state is LinkState.SHARED


@dataclass(frozen=True, slots=True)
class Found:
    """An offer with what it hangs on."""

    offer: Offer
    mail: OfferMail
    resident: Resident
    point: ContactPoint


def find_offer(session: Session, public_id: str) -> Found | None:
    """The offer with this public id, as the database has it now."""
    row = session.execute(
        select(Offer, OfferMail, Resident, ContactPoint)
        .join(OfferMail, OfferMail.id == Offer.mail_id)
        .join(Resident, Resident.id == Offer.resident_id)
        .join(ContactPoint, ContactPoint.id == Offer.contact_point_id)
        .where(Offer.public_id == public_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return Found(*row) if row else None


def view_of(session: Session, found: Found | None, link: OfferLink) -> LinkView:
    """What *link* leads to."""
    if found is None:
        return LinkView(LinkState.UNKNOWN)
    newest = newest_agreement(session, found.resident.id)
    state = _state(session, found, link, newest)
    if state not in NAMING:
        return LinkView(state, found.mail.language)
    return LinkView(
        state,
        found.mail.language,
        first_name(found.resident.name),
        mask_email(found.point.value),
        facts(newest) if newest else None,
    )


def _state(session: Session, found: Found, link: OfferLink, newest: Agreement | None) -> LinkState:
    offer, resident = found.offer, found.resident
    if link.is_expired:
        return LinkState.EXPIRED
    if offer.answer is OfferAnswer.NOT_ME:
        return LinkState.NOT_ME
    is_gone = resident.deceased_on is not None or resident.address_protection is not AddressProtection.NONE
    if link.number != offer.link_number or found.point.closed_at is not None or is_gone:
        return LinkState.REPLACED
    if is_shared(session, found):
        return LinkState.SHARED
    if newest is not None and newest.state in OPEN:
        return _open_state(newest)
    if takes_efaktura(session, resident.id):
        return LinkState.ACTIVE
    if offer.answer is OfferAnswer.NO:
        return LinkState.DECLINED
    return LinkState.USED if offer.answer is OfferAnswer.YES else LinkState.FRESH


def _open_state(agreement: Agreement) -> LinkState:
    if agreement.state is AgreementState.ACTIVE:
        return LinkState.ACTIVE
    return LinkState.WISHED if agreement.activation is Activation.GUIDE else LinkState.PENDING


def is_shared(session: Session, found: Found) -> bool:
    """Whether the mail was for several residents, or another one has the address now."""
    other = aliased(Offer)
    several = exists().where(other.mail_id == found.mail.id, other.id != found.offer.id)
    too = exists().where(
        ContactPoint.kind == ContactKind.EMAIL,
        ContactPoint.value == found.point.value,
        ContactPoint.closed_at.is_(None),
        ContactPoint.resident_id != found.resident.id,
    )
    return bool(session.scalar(select(several | too)))


def takes_efaktura(session: Session, resident_id: int) -> bool:
    """Whether the eFaktura register said yes when it was last asked."""
    answer = session.scalar(
        select(RegistryAnswer.answer).filter_by(resident_id=resident_id, register=Register.EFAKTURA)
    )
    return answer is Answer.YES


def newest_agreement(session: Session, resident_id: int) -> Agreement | None:
    """The resident's newest agreement, as the database has it now; the open one, where one is open."""
    query = select(Agreement).filter_by(resident_id=resident_id).order_by(Agreement.id.desc()).limit(1)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def agreement_of(session: Session, resident_id: int) -> AgreementFacts | None:
    """What Min side and staff tell of a resident's agreement: the newest, which is the open one if any is."""
    newest = newest_agreement(session, resident_id)
    return facts(newest) if newest else None


def facts(agreement: Agreement) -> AgreementFacts:
    """*agreement* as facts."""
    reason = Why(agreement.reason) if agreement.reason else None
    is_away = agreement.taken_at is not None or reason in {Why.ASKING, Why.UNCERTAIN}
    return AgreementFacts(
        agreement.public_id,
        agreement.state,
        agreement.activation,
        agreement.source,
        reason,
        is_away and agreement.activation is Activation.AGREEMENT,
        agreement.requested_at,
        agreement.decided_at,
        agreement.ended_at,
        agreement.receipt_sent_at,
    )


def first_name(name: str) -> str:
    """What to call somebody by: ``Kari Nordmann``, ``NORDMANN, KARI`` and ``kari`` all give ``Kari``."""
    _, comma, given = name.partition(",")
    words = (given if comma else name).split()
    word = words[0] if words else ""
    return word.title() if word.isupper() or word.islower() else word
