"""Which way an invoice goes, and why not the others: facts in, plan out.

AvtaleGiro pays and delivers no document, so a plan is a claim (or none) plus a route of document channels in the
municipality's own order. The rules themselves are the tables of `app.routing.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.routing.channels import Channel, Claim, Mandate, Reason
from app.routing.facts import Facts
from app.routing.rules import UNKNOWN, Case, Policy, gate, objection, waits

__all__ = ["Claim", "Plan", "Policy", "decide"]

Verdicts = dict[Channel, Reason | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided for all invoices with the same facts.

    ``route`` and ``passed_over`` (and AvtaleGiro when there is a ``claim``) are each channel exactly once.
    ``is_notice``: the document only tells, the claim takes the money.
    ``is_open_ended``: the route stops before a question that nobody answered, or before the paper that the mailbox
    prints by itself, so when it runs out the facts are gathered anew. ``is_waiting``: nothing can be sent before a
    register answers. ``hold``: a person decides.
    """

    claim: Claim | None
    route: tuple[Channel, ...]
    passed_over: Mapping[Channel, Reason]
    hold: Reason | None = None
    is_notice: bool = False
    is_waiting: bool = False
    is_open_ended: bool = False


@dataclass(frozen=True, slots=True)
class Ways:
    """The document channels sorted: those to try in order, those passed over, and whether a question cut them off."""

    route: tuple[Channel, ...]
    passed_over: dict[Channel, Reason]
    is_cut_off: bool


def decide(facts: Facts, policy: Policy) -> Plan:
    """The plan for *facts* under *policy*. Total: every combination has a plan, a wait or a hold."""
    case = Case.of(facts, policy)
    verdicts: Verdicts = {channel: objection(channel, case) for channel in policy.order}
    reason = gate(case)
    if reason is not None:
        return _held(reason, verdicts)
    claim = case.claim_type if verdicts[Channel.AVTALEGIRO] is None else None
    if claim is not None:
        _narrow(case, claim, verdicts)
    return _plan(case, claim, verdicts)


def _stands_alone(case: Case, claim: Claim | None) -> Reason | None:
    """Why the claim needs no document beside it, or None when it does. A decision is always delivered."""
    if claim is None or case.invoice.is_decision:
        return None
    if claim is Claim.BANK_NOTIFIES:
        return Reason.BANK_NOTIFIES
    return Reason.CLAIM_ALONE if case.invoice.mandate is Mandate.SILENT else None


def _narrow(case: Case, claim: Claim, verdicts: Verdicts) -> None:
    """Pass over the document channels that the claim makes needless, or that would ask for the money twice."""
    alone = _stands_alone(case, claim)
    needless = {} if alone is None else dict.fromkeys(Channel, alone)
    needless.setdefault(Channel.VIPPS, Reason.CLAIM_PAYS)
    for channel, reason in needless.items():
        # What nobody needs to know must not keep the claim waiting, so an open question gives way too.
        if channel not in (Channel.AVTALEGIRO, Channel.EFAKTURA) and (
            verdicts[channel] is None or verdicts[channel] in UNKNOWN
        ):
            verdicts[channel] = reason


def _ways(case: Case, verdicts: Verdicts) -> Ways:
    route: list[Channel] = []
    passed_over: dict[Channel, Reason] = {}
    is_cut_off = False
    for channel, reason in verdicts.items():
        if channel is Channel.AVTALEGIRO:
            continue
        if reason is not None:
            passed_over[channel] = reason
            is_cut_off = is_cut_off or waits(reason, case)
        elif is_cut_off:
            passed_over[channel] = Reason.UNDECIDED
        elif channel is Channel.PAPER and case.policy.mailbox_prints and Channel.MAILBOX in route:
            # Ours would be the second letter. Only a mailbox that refuses opens paper again, in a new plan.
            passed_over[channel] = Reason.MAILBOX_PRINTS
            is_cut_off = True
        else:
            route.append(channel)
    return Ways(tuple(route), passed_over, is_cut_off)


def _plan(case: Case, claim: Claim | None, verdicts: Verdicts) -> Plan:
    ways = _ways(case, verdicts)
    if not ways.route:
        if ways.is_cut_off and case.day.is_past_safe_day:
            return _held(Reason.REGISTER_SILENT, verdicts)
        if ways.is_cut_off:
            passed_over = {Channel.AVTALEGIRO: verdicts[Channel.AVTALEGIRO] or Reason.UNDECIDED, **ways.passed_over}
            return Plan(None, (), passed_over, is_waiting=True, is_open_ended=True)
        if _stands_alone(case, claim) is None:
            reason = Reason.NOTHING_LEFT if case.invoice.refused_paper else Reason.NO_POSTAL_ADDRESS
            return _held(reason, verdicts)
    claim_reason = verdicts[Channel.AVTALEGIRO]
    passed_over = ways.passed_over if claim_reason is None else {Channel.AVTALEGIRO: claim_reason, **ways.passed_over}
    return Plan(
        claim,
        ways.route,
        passed_over,
        is_notice=claim is not None and bool(ways.route),
        is_open_ended=ways.is_cut_off,
    )


def _held(reason: Reason, verdicts: Mapping[Channel, Reason | None]) -> Plan:
    """Nothing leaves: each channel keeps its own reason, and where it had none, the gate's."""
    return Plan(None, (), {channel: own or reason for channel, own in verdicts.items()}, hold=reason)
