"""Everything the municipality's people see of one resident, read in a few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row as SqlRow
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, Offer, OfferMail
from app.campaigns.states import AgreementFacts, agreement_of
from app.core.errors import NotFound
from app.core.settings import Settings
from app.delivery.of_resident import Page, invoices_of
from app.delivery.outlook import Outlook, outlook
from app.invoices.models import Invoice
from app.registries.models import RegistryAnswer
from app.residents.models import AddressProtection, ContactPoint, Mandate, Resident
from app.residents.preferences import Choice, choices

MOST_OFFERS = 20


@dataclass(frozen=True, slots=True)
class Dossier:
    """What the page shows. ``offers``: rows of `Offer`, its campaign's name, and when the mail left."""

    resident: Resident
    outlook: Outlook
    contacts: Sequence[ContactPoint]
    choice: Choice
    answers: Sequence[RegistryAnswer]
    mandates: Sequence[Mandate]
    agreement: AgreementFacts | None
    offers: Sequence[SqlRow[Offer, str, object]]
    invoices: Page

    @property
    def is_protected(self) -> bool:
        """Whether address and contact points are shown only to who says why."""
        return self.resident.address_protection is not AddressProtection.NONE


def resident_by_public_id(session: Session, public_id: str) -> Resident:
    """The resident behind an address; raises `NotFound`."""
    found = session.scalar(select(Resident).where(Resident.public_id == public_id))
    if found is None:
        raise NotFound("there is no such resident")
    return found


def dossier_of(session: Session, settings: Settings, resident: Resident, page: int) -> Dossier:
    """All of it, with page *page* of the invoices. Changes nothing."""
    mine = resident.id
    keys = select(Invoice.kid_key).where(Invoice.resident_id == mine, Invoice.kid_key.is_not(None))
    return Dossier(
        resident=resident,
        outlook=outlook(session, settings, resident),
        contacts=session.scalars(
            select(ContactPoint)
            .where(ContactPoint.resident_id == mine)
            .order_by(ContactPoint.closed_at.is_not(None), ContactPoint.kind.desc(), ContactPoint.id.desc())
        ).all(),
        choice=choices(session, [mine]).get(mine, Choice()),
        answers=session.scalars(
            select(RegistryAnswer).where(RegistryAnswer.resident_id == mine).order_by(RegistryAnswer.register)
        ).all(),
        mandates=session.scalars(select(Mandate).where(Mandate.kid_key.in_(keys)).order_by(Mandate.id)).all(),
        agreement=agreement_of(session, mine),
        offers=_offers(session, mine),
        invoices=invoices_of(session, resident, page),
    )


def _offers(session: Session, resident_id: int) -> Sequence[SqlRow[Offer, str, object]]:
    query = (
        select(Offer, Campaign.name, OfferMail.sent_at)
        .join(OfferMail, OfferMail.id == Offer.mail_id)
        .join(Campaign, Campaign.id == OfferMail.campaign_id)
        .where(Offer.resident_id == resident_id)
        .order_by(Offer.id.desc())
        .limit(MOST_OFFERS)
    )
    return session.execute(query).all()
