"""How a resident's next ordinary invoice would come, and why not by the other ways: the same rules that send it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.delivery.facts import facts_of
from app.delivery.models import ResidentFactsRow
from app.delivery.plans import policy_of
from app.invoices.models import Invoice
from app.residents.models import Mandate as MandateRow
from app.residents.models import Resident, StaleResident
from app.routing.channels import Channel, Mandate, Reason
from app.routing.facts import DayFacts, Facts, InvoiceFacts, ResidentFacts
from app.routing.policy import Plan, decide

UNANSWERED = frozenset(
    {Reason.EFAKTURA_UNKNOWN, Reason.VIPPS_UNKNOWN, Reason.MAILBOX_UNKNOWN, Reason.RESERVATION_UNKNOWN}
)
CHOSEN = frozenset({Reason.CLOSED_BY_RESIDENT, Reason.ALL_BY_LETTER})
SWITCHED_OFF = frozenset({Reason.NO_EFAKTURA, Reason.NO_VIPPS, Reason.NO_MAILBOX})


class Standing(StrEnum):
    """What a way is to the resident today."""

    IN_USE = "in_use"
    READY = "ready"
    FALLBACK = "fallback"
    UNASKED = "unasked"
    CHOSEN_AWAY = "chosen_away"
    OFF = "off"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Way:
    """One document channel; ``reason`` says why it is passed over, None when it is not."""

    channel: Channel
    standing: Standing
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """``first``: how the document comes (None: not at all, by ``hold`` or because the claim stands alone).

    ``is_certain``: no register has to be asked first. ``has_claim``: AvtaleGiro takes the money.
    """

    first: Channel | None
    ways: tuple[Way, ...]
    is_certain: bool
    has_claim: bool
    hold: Reason | None


def outlook(session: Session, settings: Settings, resident: Resident) -> Outlook:
    """The outlook for an invoice of the default category, in good time before it is due. Changes nothing."""
    row = settings.category(None)
    invoice = InvoiceFacts(
        allows_email=row.allows_email,
        is_decision=row.is_decision,
        may_ask_krr=row.may_ask_krr,
        mandate=mandate_of(session, resident),
    )
    facts, policy = resident_facts(session, resident), policy_of(settings)
    plan = decide(Facts(facts, invoice, DayFacts()), policy)
    # What a register has not said counts as no here, so that there is something to say.
    sure = decide(Facts(facts, invoice, replace(DayFacts(), is_past_safe_day=True)), policy)
    first = sure.route[0] if sure.route else None
    ways = tuple(_way(channel, plan, sure) for channel in policy.order if channel is not Channel.AVTALEGIRO)
    return Outlook(
        first=first,
        ways=ways,
        is_certain=not any(way.standing is Standing.UNASKED for way in ways[: _place(ways, first)]),
        has_claim=sure.claim is not None,
        hold=sure.hold,
    )


def resident_facts(session: Session, resident: Resident) -> ResidentFacts:
    """What is known of *resident*: as gathered when nothing has changed since, else read anew."""
    is_stale = exists().where(StaleResident.resident_id == resident.id)
    query = select(ResidentFactsRow.facts).where(ResidentFactsRow.resident_id == resident.id, ~is_stale)
    bits = session.scalar(query)
    return ResidentFacts.from_bits(bits) if bits is not None else facts_of(session, resident.id)


def mandate_of(session: Session, resident: Resident) -> Mandate:
    """The AvtaleGiro mandate that an invoice like the resident's earlier ones would meet."""
    query = (
        select(MandateRow.wants_notice)
        .join(Invoice, Invoice.kid_key == MandateRow.kid_key)
        .where(Invoice.resident_id == resident.id, MandateRow.ended_at.is_(None))
        .order_by(Invoice.issued_on.desc())
        .limit(1)
    )
    wants_notice = session.scalar(query)
    if wants_notice is None:
        return Mandate.NONE
    return Mandate.NOTIFY if wants_notice else Mandate.SILENT


def _way(channel: Channel, plan: Plan, sure: Plan) -> Way:
    reason = plan.passed_over.get(channel)
    if reason in UNANSWERED:
        return Way(channel, Standing.UNASKED, reason)
    if channel in sure.route:
        is_first = sure.route[0] is channel
        later = Standing.FALLBACK if channel is Channel.PAPER else Standing.READY
        return Way(channel, Standing.IN_USE if is_first else later, None)
    reason = sure.passed_over.get(channel, reason)
    if reason in CHOSEN:
        return Way(channel, Standing.CHOSEN_AWAY, reason)
    return Way(channel, Standing.OFF if reason in SWITCHED_OFF else Standing.IMPOSSIBLE, reason)


def _place(ways: tuple[Way, ...], first: Channel | None) -> int:
    return next((place for place, way in enumerate(ways) if way.channel is first), len(ways))
