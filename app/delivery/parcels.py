"""A claimed part with all that sending it needs, read for a whole group in a few queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.channels.contract import Consignment, Outcome
from app.core.ids import derived_id
from app.delivery.models import Attempt, Delivery, Part, PlanRow
from app.invoices.models import Invoice
from app.residents.models import Resident
from app.routing.channels import Channel

UNSETTLED = (None, Outcome.UNCERTAIN)


def may_have_arrived() -> ColumnElement[bool]:
    """In SQL: that nobody knows what became of an `Attempt`.

    A mail that is sent again, since nobody could be asked, may have arrived the first time, whatever came of the second
    try; unlike the others it goes on without being asked about.
    """
    is_resent = and_(Attempt.resent, Attempt.outcome == Outcome.UNAVAILABLE)
    return or_(Attempt.outcome.is_(None), Attempt.outcome == Outcome.UNCERTAIN, is_resent)


@dataclass(slots=True)
class Parcel:
    """One part of one invoice on its way. ``attempt`` is its latest, ``tried`` how many there were."""

    delivery: Delivery
    invoice: Invoice
    plan: PlanRow
    resident: Resident | None
    attempt: Attempt | None = None
    tried: int = 0
    consignment: Consignment | None = None

    @property
    def is_claim(self) -> bool:
        """Whether it asks the bank for money, rather than bring the document."""
        return self.delivery.part is Part.CLAIM

    @property
    def unsettled(self) -> Attempt | None:
        """The attempt of which nobody knows what became, if there is one."""
        attempt = self.attempt
        return attempt if attempt is not None and attempt.outcome in UNSETTLED else None

    def repeatable(self, channel: Channel) -> Attempt | None:
        """The attempt that surely did not arrive and is the same as the one now due: it is made again."""
        attempt = self.attempt
        if attempt is None or attempt.channel is not channel or attempt.is_notice != self.delivery.is_notice:
            return None
        return attempt if attempt.outcome is Outcome.UNAVAILABLE else None

    def next_key(self, channel: Channel) -> str:
        """The id of the next attempt: the same whoever makes it, and whenever."""
        return str(derived_id(self.invoice.public_id, self.delivery.part, channel, self.tried + 1))


def load(session: Session, ids: Collection[int], *, recalled: bool = False) -> list[Parcel]:
    """The parcels of the deliveries *ids*, in the order of their ids. ``recalled``: to be called back, not sent."""
    rows = session.execute(
        select(Delivery, Invoice, PlanRow, Resident)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .join(PlanRow, PlanRow.id == Delivery.plan_id)
        .outerjoin(Resident, Resident.id == Invoice.resident_id)
        .where(Delivery.id.in_(ids))
        .order_by(Delivery.id)
        .execution_options(populate_existing=True)
    )
    parcels = {row[0].id: Parcel(*row) for row in rows}
    attempts = session.scalars(
        select(Attempt)
        .where(Attempt.delivery_id.in_(ids))
        .order_by(Attempt.number)
        .execution_options(populate_existing=True)
    )
    for attempt in attempts:
        if attempt.delivery_id in parcels:
            parcel = parcels[attempt.delivery_id]
            parcel.tried = attempt.number
            if attempt.is_cancellation == recalled:
                parcel.attempt = attempt
    return list(parcels.values())
