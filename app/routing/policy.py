"""Which way an invoice goes, and why not the others: pure rules over facts.

Each channel has a table of objections, read from the top: the first that holds is the reason the channel is passed
over. A channel with none takes its place in the municipality's own order. AvtaleGiro pays and delivers no document,
so a plan is a claim (or none) plus a route of document channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.routing.channels import Answer, Channel, Kind, Mandate, Reason
from app.routing.facts import Facts


@dataclass(frozen=True, slots=True)
class Policy:
    """The municipality's own choices. ``order`` holds each channel once, paper last."""

    order: tuple[Channel, ...] = tuple(Channel)
    reservation_closes_email: bool = True
    email_requires_confirmation: bool = False
    bank_notifies: bool = False


class Claim(StrEnum):
    """The AvtaleGiro transaction type of a claim; source: AvtaleGiro system spec 3.3 §2.2.2."""

    PAYEE_NOTIFIES = "02"
    BANK_NOTIFIES = "21"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided for all invoices with the same facts.

    ``route`` and ``passed_over`` (and AvtaleGiro when there is a ``claim``) are each channel exactly once.
    ``is_notice``: the document only tells, the claim takes the money.
    ``is_open_ended``: a register has not answered yet, so when the route runs out the facts are gathered anew.
    ``is_waiting``: nothing can be sent before a register answers. ``hold``: a person decides.
    """

    claim: Claim | None
    route: tuple[Channel, ...]
    passed_over: Mapping[Channel, Reason]
    hold: Reason | None = None
    is_notice: bool = False
    is_waiting: bool = False
    is_open_ended: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """The facts under one policy: what the rules read."""

    facts: Facts
    policy: Policy

    @property
    def pays_by_giro(self) -> bool:
        """Whether the account and KID on the invoice can be paid to by machine."""
        return not (self.facts.invoice.has_wrong_kid or self.facts.invoice.has_wrong_account)

    @property
    def goes_only_by_letter(self) -> bool:
        """Whether a person released an invoice that must not leave digitally."""
        resident = self.facts.resident
        return resident.is_deceased or resident.has_protected_address

    @property
    def email_needs_confirmation(self) -> bool:
        """Whether a registered address is not enough. Where KRR may not be asked, only a confirmed one will do."""
        return self.policy.email_requires_confirmation or not self.facts.invoice.may_ask_krr

    @property
    def asks_reservation(self) -> bool:
        """Whether a reservation in KRR bears on e-mail for this invoice."""
        return self.policy.reservation_closes_email and self.facts.invoice.may_ask_krr


Rule = tuple[Callable[[Case], bool], Reason]

PAYMENT_RULES: tuple[Rule, ...] = (
    (lambda case: case.goes_only_by_letter, Reason.RELEASED_TO_PAPER),
    (lambda case: case.facts.invoice.kind is not Kind.DEMAND, Reason.NOT_A_DEMAND),
    (lambda case: case.facts.invoice.has_wrong_kid, Reason.WRONG_KID),
    (lambda case: case.facts.invoice.has_wrong_account, Reason.WRONG_ACCOUNT),
)

CLAIM_RULES: tuple[Rule, ...] = (
    *PAYMENT_RULES,
    (lambda case: case.facts.invoice.mandate is Mandate.NONE, Reason.NO_MANDATE),
    (lambda case: case.facts.invoice.has_lost_claim, Reason.CLAIM_LOST),
    (lambda case: case.facts.invoice.has_claim_already, Reason.CLAIM_EXISTS),
    (lambda case: case.facts.day.is_too_late_for_claim, Reason.CLAIM_TOO_LATE),
)

EFAKTURA_RULES: tuple[Rule, ...] = (
    *PAYMENT_RULES,
    (lambda case: case.facts.invoice.is_decision, Reason.CONTAINS_DECISION),
    (lambda case: case.facts.invoice.refused_efaktura, Reason.REFUSED),
    (lambda case: case.facts.resident.wants_letters, Reason.ALL_BY_LETTER),
    (lambda case: case.facts.resident.closed_efaktura, Reason.CLOSED_BY_RESIDENT),
    (lambda case: case.facts.resident.efaktura is Answer.NO, Reason.NO_EFAKTURA),
    (lambda case: case.facts.day.is_too_late_for_efaktura, Reason.EFAKTURA_TOO_LATE),
    (lambda case: case.facts.resident.efaktura is Answer.UNKNOWN, Reason.EFAKTURA_UNKNOWN),
)

VIPPS_RULES: tuple[Rule, ...] = (
    *PAYMENT_RULES,
    (lambda case: case.facts.invoice.is_decision, Reason.CONTAINS_DECISION),
    (lambda case: case.facts.invoice.refused_vipps, Reason.REFUSED),
    (lambda case: case.facts.resident.wants_letters, Reason.ALL_BY_LETTER),
    (lambda case: case.facts.resident.closed_vipps, Reason.CLOSED_BY_RESIDENT),
    (lambda case: case.facts.resident.is_organisation, Reason.ORGANISATION),
    (lambda case: not case.facts.resident.has_mobile, Reason.NO_MOBILE),
    (lambda case: case.facts.resident.vipps is Answer.NO, Reason.NO_VIPPS),
    (lambda case: case.facts.day.is_too_late_for_vipps, Reason.VIPPS_TOO_LATE),
    (lambda case: case.facts.day.is_too_early_for_vipps, Reason.VIPPS_TOO_EARLY),
    (lambda case: case.facts.resident.vipps is Answer.UNKNOWN, Reason.VIPPS_UNKNOWN),
)

MAILBOX_RULES: tuple[Rule, ...] = (
    (lambda case: case.goes_only_by_letter, Reason.RELEASED_TO_PAPER),
    (lambda case: case.facts.invoice.refused_mailbox, Reason.REFUSED),
    (lambda case: case.facts.resident.wants_letters, Reason.ALL_BY_LETTER),
    (lambda case: case.facts.resident.closed_mailbox, Reason.CLOSED_BY_RESIDENT),
    (lambda case: case.facts.resident.is_organisation, Reason.ORGANISATION),
    (lambda case: not case.facts.resident.has_national_id, Reason.NO_NATIONAL_ID),
    (lambda case: not case.facts.invoice.may_ask_krr, Reason.KRR_NOT_FOR_CATEGORY),
    (lambda case: case.facts.resident.reserved is Answer.YES, Reason.RESERVED),
    (lambda case: case.facts.resident.mailbox is Answer.NO, Reason.NO_MAILBOX),
    (lambda case: case.facts.day.is_too_late_for_mailbox, Reason.MAILBOX_TOO_LATE),
    (
        lambda case: Answer.UNKNOWN in (case.facts.resident.mailbox, case.facts.resident.reserved),
        Reason.MAILBOX_UNKNOWN,
    ),
)

EMAIL_RULES: tuple[Rule, ...] = (
    (lambda case: case.goes_only_by_letter, Reason.RELEASED_TO_PAPER),
    (lambda case: case.facts.invoice.is_decision, Reason.CONTAINS_DECISION),
    (lambda case: not case.facts.invoice.allows_email, Reason.NEVER_EMAIL),
    (lambda case: case.facts.invoice.refused_email, Reason.REFUSED),
    (lambda case: case.facts.resident.wants_letters, Reason.ALL_BY_LETTER),
    (lambda case: case.facts.resident.closed_email, Reason.CLOSED_BY_RESIDENT),
    (lambda case: not case.facts.resident.has_email, Reason.NO_EMAIL),
    (
        lambda case: not case.facts.invoice.may_ask_krr and not case.facts.resident.has_confirmed_email,
        Reason.KRR_NOT_FOR_CATEGORY,
    ),
    (
        lambda case: case.email_needs_confirmation and not case.facts.resident.has_confirmed_email,
        Reason.EMAIL_UNCONFIRMED,
    ),
    (lambda case: case.asks_reservation and case.facts.resident.reserved is Answer.YES, Reason.RESERVED),
    (lambda case: case.facts.day.is_too_late_for_email, Reason.EMAIL_TOO_LATE),
    (
        lambda case: case.asks_reservation and case.facts.resident.reserved is Answer.UNKNOWN,
        Reason.RESERVATION_UNKNOWN,
    ),
)

PAPER_RULES: tuple[Rule, ...] = (
    (lambda case: case.facts.invoice.refused_paper, Reason.REFUSED),
    (lambda case: not case.facts.resident.has_postal_address, Reason.NO_POSTAL_ADDRESS),
)

RULES: Mapping[Channel, tuple[Rule, ...]] = {
    Channel.AVTALEGIRO: CLAIM_RULES,
    Channel.EFAKTURA: EFAKTURA_RULES,
    Channel.VIPPS: VIPPS_RULES,
    Channel.MAILBOX: MAILBOX_RULES,
    Channel.EMAIL: EMAIL_RULES,
    Channel.PAPER: PAPER_RULES,
}

GATES: tuple[Rule, ...] = (
    (lambda case: not case.facts.invoice.has_buyer, Reason.UNKNOWN_BUYER),
    (lambda case: case.facts.invoice.is_held_by_staff, Reason.HELD_BY_STAFF),
)

WAIVABLE_GATES: tuple[Rule, ...] = (
    (lambda case: case.facts.resident.is_deceased, Reason.DECEASED),
    (lambda case: case.facts.resident.has_protected_address, Reason.PROTECTED_ADDRESS),
    (lambda case: case.facts.invoice.has_wrong_kid, Reason.WRONG_KID),
    (lambda case: case.facts.invoice.has_wrong_account, Reason.WRONG_ACCOUNT),
    (lambda case: case.facts.invoice.is_partly_credited, Reason.PARTLY_CREDITED),
)

# What each unanswered question waits for, and the day fact that says its register is silent altogether.
UNKNOWN: Mapping[Reason, Callable[[Case], bool]] = {
    Reason.EFAKTURA_UNKNOWN: lambda case: case.facts.day.is_efaktura_silent,
    Reason.VIPPS_UNKNOWN: lambda case: case.facts.day.is_vipps_silent,
    Reason.MAILBOX_UNKNOWN: lambda case: case.facts.day.is_krr_silent,
    Reason.RESERVATION_UNKNOWN: lambda case: case.facts.day.is_krr_silent,
}


def decide(facts: Facts, policy: Policy) -> Plan:
    """The plan for *facts* under *policy*. Total: every combination has a plan, a wait or a hold."""
    case = Case(facts, policy)
    verdicts = {channel: _first(RULES[channel], case) for channel in policy.order}
    gate = _first(GATES, case) or (None if facts.invoice.is_released else _first(WAIVABLE_GATES, case))
    if gate is not None:
        return _held(gate, verdicts)
    claim = _claim(case, verdicts)
    if claim is not None:
        _narrow(case, claim, verdicts)
    return _plan(case, claim, verdicts)


def _first(rules: tuple[Rule, ...], case: Case) -> Reason | None:
    return next((reason for applies, reason in rules if applies(case)), None)


def _claim(case: Case, verdicts: dict[Channel, Reason | None]) -> Claim | None:
    if verdicts[Channel.AVTALEGIRO] is not None:
        return None
    takes_efaktura = verdicts[Channel.EFAKTURA] in (None, Reason.EFAKTURA_UNKNOWN)
    if case.policy.bank_notifies and not takes_efaktura and not case.facts.invoice.is_decision:
        return Claim.BANK_NOTIFIES
    return Claim.PAYEE_NOTIFIES


def _narrow(case: Case, claim: Claim, verdicts: dict[Channel, Reason | None]) -> None:
    """Pass over the document channels that a claim makes needless. A decision is always delivered."""
    if case.facts.invoice.is_decision:
        return
    reason = None
    if case.policy.bank_notifies:
        reason = Reason.BANK_NOTIFIES
    elif case.facts.invoice.mandate is Mandate.SILENT:
        reason = Reason.CLAIM_ALONE
    if reason is not None:
        needless = [channel for channel in verdicts if channel not in (Channel.AVTALEGIRO, Channel.EFAKTURA)]
        verdicts.update({channel: verdicts[channel] or reason for channel in needless})
        # An unanswered question about a channel that is needless anyway must not hold the claim back.
        verdicts.update({channel: reason for channel in needless if verdicts[channel] in UNKNOWN})


def _plan(case: Case, claim: Claim | None, verdicts: dict[Channel, Reason | None]) -> Plan:
    route: list[Channel] = []
    passed_over: dict[Channel, Reason] = {}
    is_undecided = is_silent = False
    for channel, reason in verdicts.items():
        if channel is Channel.AVTALEGIRO:
            if claim is None and reason is not None:
                passed_over[channel] = reason
        elif reason in UNKNOWN:
            passed_over[channel] = reason
            is_silent = is_silent or (not route and UNKNOWN[reason](case))
            is_undecided = is_undecided or not case.facts.day.is_past_safe_day
        elif reason is not None:
            passed_over[channel] = reason
        elif is_undecided:
            passed_over[channel] = Reason.UNDECIDED
        else:
            route.append(channel)
    if is_undecided and not route:
        return Plan(None, (), _without_claim(passed_over), is_waiting=True, is_open_ended=True)
    if is_silent:
        return _held(Reason.REGISTER_SILENT, verdicts)
    if Channel.EFAKTURA in route and case.facts.resident.shares_efaktura_identifier:
        return _held(Reason.IDENTIFIER_SHARED, verdicts)
    if not route and not _is_claim_enough(case, claim):
        return _held(Reason.NOTHING_LEFT if case.facts.invoice.refused_paper else Reason.NO_POSTAL_ADDRESS, verdicts)
    is_notice = claim is not None and bool(route)
    return Plan(claim, tuple(route), passed_over, is_notice=is_notice, is_open_ended=is_undecided)


def _is_claim_enough(case: Case, claim: Claim | None) -> bool:
    if claim is None or case.facts.invoice.is_decision:
        return False
    return case.policy.bank_notifies or case.facts.invoice.mandate is Mandate.SILENT


def _without_claim(passed_over: dict[Channel, Reason]) -> dict[Channel, Reason]:
    return {Channel.AVTALEGIRO: Reason.UNDECIDED, **passed_over}


def _held(gate: Reason, verdicts: Mapping[Channel, Reason | None]) -> Plan:
    """Nothing leaves: each channel keeps its own reason, and where it had none, the gate's."""
    return Plan(None, (), {channel: reason or gate for channel, reason in verdicts.items()}, hold=gate)
