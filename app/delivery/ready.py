"""Which of the claimed parcels may leave now: what is settled, still owed, allowed, and can be made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Mapping, Sequence

import structlog
from sqlalchemy import exists, select

from app.channels.contract import MessageChannel, Outcome, Recipient, Result
from app.delivery.allowed import Allowed
from app.delivery.desk import Desk
from app.delivery.kid_keys import is_mandate_of
from app.delivery.parcels import Parcel
from app.invoices.models import Invoice
from app.routing.channels import Channel

log = structlog.get_logger(__name__)

NOT_ALLOWED_WAIT = dt.timedelta(hours=6)
Recipients = Mapping[int, Recipient]


def settle_strays(desk: Desk, channel: MessageChannel | None, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Ask other channels about attempts that were left open there; gives the parcels that *channel* may go on with.

    Seldom: the plan was changed by a person while nobody knew what had become of the attempt. Does not commit.
    """
    going: list[Parcel] = []
    for parcel in parcels:
        attempt = parcel.unsettled
        if attempt is None or (channel is not None and attempt.channel is channel.channel):
            going.append(parcel)
            continue
        desk.consignments.fill([parcel], desk.consignments.recipients(attempt.channel, [parcel]), {})
        asked = desk.channels.messages.get(attempt.channel)
        unknown = Result(Outcome.UNCERTAIN, detail="cannot_be_asked", needs_alarm=True)
        found = asked.find(parcel.consignment) if asked and parcel.consignment else unknown
        if found.outcome in (Outcome.REFUSED, Outcome.UNAVAILABLE) and not found.needs_alarm:
            attempt.outcome, attempt.closed_at = found.outcome, desk.clock.now()
            going.append(parcel)
        else:
            uncertain = Result(Outcome.UNCERTAIN, detail=found.detail, needs_alarm=found.needs_alarm)
            desk.ledger.record(parcel, attempt, found if found.outcome is Outcome.ACCEPTED else uncertain)
    return going


def still_owed(desk: Desk, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Close what was paid, credited or cancelled meanwhile; gives the rest. Does not commit."""
    owed = [parcel for parcel in parcels if parcel.invoice.closed_at is None]
    for parcel in parcels:
        if parcel.invoice.closed_at is not None:
            desk.ledger.close(parcel)
    return owed


def still_mandated(desk: Desk, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Give up the claims whose mandate ended after they were planned; gives the rest. Does not commit.

    The bank would turn such a claim away without a word to us, and nobody would have asked for the money.
    """
    claims = [parcel.invoice.id for parcel in parcels if parcel.is_claim]
    if not claims:
        return list(parcels)
    query = select(Invoice.id).where(
        Invoice.id.in_(claims), exists().where(is_mandate_of(Invoice.kid, Invoice.account, desk.settings))
    )
    mandated = set(desk.session.scalars(query))
    for parcel in parcels:
        if parcel.is_claim and parcel.invoice.id not in mandated:
            desk.ledger.lead_on(parcel)
            log.info("the mandate has ended: no claim", invoice=parcel.invoice.public_id)
    return [parcel for parcel in parcels if not parcel.is_claim or parcel.invoice.id in mandated]


def allowed(desk: Desk, channel: Channel, parcels: Sequence[Parcel], recipients: Recipients) -> list[Parcel]:
    """Let those wait who may not be reached from here; gives the rest. Does not commit."""
    rule = Allowed.by(desk.settings)
    passed: list[Parcel] = []
    for parcel in parcels:
        if rule.lets(channel, recipients[parcel.delivery.id]):
            passed.append(parcel)
            continue
        desk.ledger.wait(parcel, NOT_ALLOWED_WAIT)
        desk.ledger.tally.not_allowed += 1
        log.warning("not in ALLOWED_RECIPIENTS: waits", invoice=parcel.invoice.public_id, channel=channel)
    return passed


def set_aside(desk: Desk, parcels: Sequence[Parcel], made: Container[int]) -> list[Parcel]:
    """Let those wait that could not be *made* ready, for somebody to repair; gives the rest. Does not commit."""
    for parcel in parcels:
        if parcel.delivery.id not in made:
            desk.ledger.tally.alarms += 1
            desk.ledger.wait(parcel)
    return [parcel for parcel in parcels if parcel.delivery.id in made]
