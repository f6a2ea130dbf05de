"""The bank's form by which a resident agrees to AvtaleGiro, filled in; source: channels.md §2.6 (E-Agreement).

Whoever comes back from it has proved nothing: the truth comes from the bank, in the file of mandates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.links import address
from app.core.settings import Settings
from app.delivery.outlook import mandate_of
from app.invoices.models import Invoice
from app.residents.models import Resident
from app.routing.channels import Kind, Mandate

PRODUCTION = "https://pvu.avtalegiro.no/ecsa/start"
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Agreement:
    """Where to post, and what."""

    address: str
    fields: Mapping[str, str]


def agreement_for(session: Session, settings: Settings, resident: Resident) -> Agreement | None:
    """The form for the KID and account of the resident's newest demand; None when there is none, or a mandate already.

    A mandate must meet later invoices too, so it is offered only where the KID has a fixed part (AVTALEGIRO_KID_FIXED),
    or the two newest demands have the same KID.
    """
    if mandate_of(session, resident) is not Mandate.NONE:
        return None
    query = (
        select(Invoice.kid, Invoice.account)
        .where(
            Invoice.resident_id == resident.id,
            Invoice.kind == Kind.DEMAND,
            Invoice.kid.is_not(None),
            Invoice.account.is_not(None),
            Invoice.fault.is_(None),
        )
        .order_by(Invoice.issued_on.desc(), Invoice.id.desc())
        .limit(2)
    )
    found = session.execute(query).all()
    is_lasting = bool(settings.avtalegiro_kid_fixed) or len({row.kid for row in found}) < len(found)
    if not found or not is_lasting:
        return None
    stand_in = address(settings, "/sandbox/avtalegiro/ecsa/start") if settings.sandbox else PRODUCTION
    return Agreement(
        settings.avtalegiro_agreement_url or stand_in,
        {
            "companyAccountNo": found[0].account,
            "kid": found[0].kid,
            "companyName": settings.municipality_name[:LONGEST_NAME],
            "returnUrl": address(settings, "/min-side/levering?avtalegiro=tilbake"),
        },
    )
