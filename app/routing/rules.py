"""Why a channel cannot carry an invoice: one table of objections a channel, read from the top.

The first objection that holds is the reason that is stored and shown. So within a table the lasting reasons stand
before the passing ones: what the municipality or the resident decided, then what the registers say, then the dates,
and last the questions that nobody has answered yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from app.routing.channels import Answer, Channel, Claim, Kind, Mandate, Reason, SentClaim
from app.routing.facts import DayFacts, Facts, InvoiceFacts, ResidentFacts


@dataclass(frozen=True, slots=True)
class Policy:
    """The municipality's own choices. ``order`` holds each channel once, paper last; else ValueError.

    ``mailbox_prints``: whoever carries letters to the mailbox prints by itself what no mailbox takes.
    """

    order: tuple[Channel, ...] = tuple(Channel)
    reservation_closes_email: bool = True
    email_requires_confirmation: bool = False
    bank_notifies: bool = False
    mailbox_prints: bool = False

    def __post_init__(self) -> None:
        if sorted(self.order) != sorted(Channel) or self.order[-1] is not Channel.PAPER:
            raise ValueError("a routing order names each channel once, with paper last")


@dataclass(frozen=True, slots=True)
class Case:
    """The facts under one policy: what the rules read."""

    resident: ResidentFacts
    invoice: InvoiceFacts
    day: DayFacts
    policy: Policy

    @classmethod
    def of(cls, facts: Facts, policy: Policy) -> Self:
        """The three kinds of *facts* side by side."""
        return cls(facts.resident, facts.invoice, facts.day, policy)

    @property
    def is_demand(self) -> bool:
        """Whether something is to be paid by a date. For all else no channel can be too late."""
        return self.invoice.kind is Kind.DEMAND

    @property
    def goes_only_by_letter(self) -> bool:
        """Whether a person released an invoice that must not leave digitally."""
        return self.resident.is_deceased or self.resident.has_protected_address

    @property
    def asks_reservation(self) -> bool:
        """Whether an unanswered question about reservation keeps e-mail waiting."""
        return self.policy.reservation_closes_email and self.invoice.may_ask_krr

    @property
    def claim_type(self) -> Claim:
        """Which claim this would be. The bank notifies nobody who gets the document: by eFaktura, or as a decision."""
        if self.invoice.sent_claim is not SentClaim.NONE:
            return Claim(self.invoice.sent_claim.value)
        takes_efaktura = waits_or_goes(objection(Channel.EFAKTURA, self), self)
        is_by_bank = self.policy.bank_notifies and not takes_efaktura and not self.invoice.is_decision
        return Claim.BANK_NOTIFIES if is_by_bank else Claim.PAYEE_NOTIFIES


Rule = tuple[Callable[[Case], bool], Reason]

PAYMENT_RULES: tuple[Rule, ...] = (
    (lambda case: case.goes_only_by_letter, Reason.RELEASED_TO_PAPER),
    (lambda case: not case.is_demand, Reason.NOT_A_DEMAND),
    (lambda case: case.invoice.has_wrong_kid, Reason.WRONG_KID),
    (lambda case: case.invoice.has_wrong_account, Reason.WRONG_ACCOUNT),
)

CLAIM_RULES: tuple[Rule, ...] = (
    *PAYMENT_RULES,
    (lambda case: case.invoice.mandate is Mandate.NONE, Reason.NO_MANDATE),
    (lambda case: case.invoice.has_claim_already, Reason.CLAIM_EXISTS),
    (lambda case: case.claim_type is Claim.PAYEE_NOTIFIES and case.day.is_too_late_for_claim, Reason.CLAIM_TOO_LATE),
    (
        lambda case: case.claim_type is Claim.BANK_NOTIFIES and case.day.is_too_late_for_bank_notice,
        Reason.BANK_NOTICE_TOO_LATE,
    ),
    (lambda case: case.day.is_too_early_for_claim, Reason.CLAIM_TOO_EARLY),
)

EFAKTURA_RULES: tuple[Rule, ...] = (
    *PAYMENT_RULES,
    (lambda case: case.invoice.is_decision, Reason.CONTAINS_DECISION),
    (lambda case: case.invoice.refused_efaktura, Reason.REFUSED),
    (lambda case: case.resident.wants_letters, Reason.ALL_BY_LETTER),
    (lambda case: case.resident.closed_efaktura, Reason.CLOSED_BY_RESIDENT),
    (lambda case: case.resident.efaktura is Answer.NO, Reason.NO_EFAKTURA),
    (lambda case: case.day.is_too_late_for_efaktura, Reason.EFAKTURA_TOO_LATE),
    (lambda case: case.resident.shares_efaktura_identifier, Reason.IDENTIFIER_SHARED),
    (lambda case: case.resident.efaktura is Answer.UNKNOWN, Reason.EFAKTURA_UNKNOWN),
)

VIPPS_RULES: tuple[Rule, ...] = (
    *PAYMENT_RULES,
    (lambda case: case.invoice.is_decision, Reason.CONTAINS_DECISION),
    (lambda case: case.invoice.refused_vipps, Reason.REFUSED),
    (lambda case: case.resident.wants_letters, Reason.ALL_BY_LETTER),
    (lambda case: case.resident.closed_vipps, Reason.CLOSED_BY_RESIDENT),
    (lambda case: case.resident.is_organisation, Reason.ORGANISATION),
    (lambda case: not case.resident.has_mobile, Reason.NO_MOBILE),
    (lambda case: case.resident.vipps is Answer.NO, Reason.NO_VIPPS),
    (lambda case: case.day.is_too_late_for_vipps, Reason.VIPPS_TOO_LATE),
    (lambda case: case.day.is_too_early_for_vipps, Reason.VIPPS_TOO_EARLY),
    (lambda case: case.resident.vipps is Answer.UNKNOWN, Reason.VIPPS_UNKNOWN),
)

MAILBOX_RULES: tuple[Rule, ...] = (
    (lambda case: case.goes_only_by_letter, Reason.RELEASED_TO_PAPER),
    (lambda case: case.invoice.refused_mailbox, Reason.REFUSED),
    (lambda case: case.resident.wants_letters, Reason.ALL_BY_LETTER),
    (lambda case: case.resident.closed_mailbox, Reason.CLOSED_BY_RESIDENT),
    (lambda case: case.resident.is_organisation, Reason.ORGANISATION),
    (lambda case: not case.resident.has_national_id, Reason.NO_NATIONAL_ID),
    (lambda case: not case.invoice.may_ask_krr, Reason.KRR_NOT_FOR_CATEGORY),
    (lambda case: case.resident.reserved is Answer.YES, Reason.RESERVED),
    (lambda case: case.resident.mailbox is Answer.NO, Reason.NO_MAILBOX),
    (lambda case: case.policy.mailbox_prints and not case.resident.has_postal_address, Reason.NO_POSTAL_ADDRESS),
    (lambda case: case.is_demand and case.day.is_too_late_for_mailbox, Reason.MAILBOX_TOO_LATE),
    (lambda case: Answer.UNKNOWN in (case.resident.mailbox, case.resident.reserved), Reason.MAILBOX_UNKNOWN),
)

EMAIL_RULES: tuple[Rule, ...] = (
    (lambda case: case.goes_only_by_letter, Reason.RELEASED_TO_PAPER),
    (lambda case: case.invoice.is_decision, Reason.CONTAINS_DECISION),
    (lambda case: not case.invoice.allows_email, Reason.NEVER_EMAIL),
    (lambda case: case.invoice.refused_email, Reason.REFUSED),
    (lambda case: case.resident.wants_letters, Reason.ALL_BY_LETTER),
    (lambda case: case.resident.closed_email, Reason.CLOSED_BY_RESIDENT),
    (lambda case: not case.resident.has_email, Reason.NO_EMAIL),
    # Known from another invoice's question, it counts here too: a reservation may close more, never less.
    (lambda case: case.policy.reservation_closes_email and case.resident.reserved is Answer.YES, Reason.RESERVED),
    (
        lambda case: not case.invoice.may_ask_krr and not case.resident.has_confirmed_email,
        Reason.KRR_NOT_FOR_CATEGORY,
    ),
    (
        lambda case: case.policy.email_requires_confirmation and not case.resident.has_confirmed_email,
        Reason.EMAIL_UNCONFIRMED,
    ),
    (lambda case: case.is_demand and case.day.is_too_late_for_email, Reason.EMAIL_TOO_LATE),
    (lambda case: case.asks_reservation and case.resident.reserved is Answer.UNKNOWN, Reason.RESERVATION_UNKNOWN),
)

PAPER_RULES: tuple[Rule, ...] = (
    (lambda case: case.invoice.refused_paper, Reason.REFUSED),
    (lambda case: not case.resident.has_postal_address, Reason.NO_POSTAL_ADDRESS),
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
    (lambda case: not case.invoice.has_buyer, Reason.UNKNOWN_BUYER),
    (lambda case: case.invoice.is_held_by_staff, Reason.HELD_BY_STAFF),
)

WAIVABLE_GATES: tuple[Rule, ...] = (
    (lambda case: case.resident.is_deceased, Reason.DECEASED),
    (lambda case: case.resident.has_protected_address, Reason.PROTECTED_ADDRESS),
    (lambda case: case.invoice.has_wrong_kid, Reason.WRONG_KID),
    (lambda case: case.invoice.has_wrong_account, Reason.WRONG_ACCOUNT),
    (lambda case: case.invoice.is_partly_credited, Reason.PARTLY_CREDITED),
    (lambda case: objection(Channel.EFAKTURA, case) is Reason.IDENTIFIER_SHARED, Reason.IDENTIFIER_SHARED),
)

# Each unanswered question, and the day fact that says its register is silent altogether.
UNKNOWN: Mapping[Reason, Callable[[DayFacts], bool]] = {
    Reason.EFAKTURA_UNKNOWN: lambda day: day.is_efaktura_silent,
    Reason.VIPPS_UNKNOWN: lambda day: day.is_vipps_silent,
    Reason.MAILBOX_UNKNOWN: lambda day: day.is_krr_silent,
    Reason.RESERVATION_UNKNOWN: lambda day: day.is_krr_silent,
}


def objection(channel: Channel, case: Case) -> Reason | None:
    """The first reason *channel* cannot carry the invoice, or None when it can."""
    if channel is Channel.AVTALEGIRO:
        if case.invoice.has_lost_claim:
            return Reason.CLAIM_LOST
        if case.invoice.sent_claim is not SentClaim.NONE:
            return None
    return first(RULES[channel], case)


def gate(case: Case) -> Reason | None:
    """Why a person must decide before any channel, or None. A person who released it has looked."""
    return first(GATES, case) or (None if case.invoice.is_released else first(WAIVABLE_GATES, case))


def waits(reason: Reason | None, case: Case) -> bool:
    """Whether *reason* is a question still worth waiting for, or one whose register is silent to all.

    Past the latest safe day a single unknown counts as no; silence never does, until a person says so.
    """
    if reason is None or reason not in UNKNOWN:
        return False
    return not case.day.is_past_safe_day or (UNKNOWN[reason](case.day) and not case.invoice.is_released)


def waits_or_goes(reason: Reason | None, case: Case) -> bool:
    """Whether a channel with this objection is open, or may turn out to be."""
    return reason is None or waits(reason, case)


def first(rules: tuple[Rule, ...], case: Case) -> Reason | None:
    """The reason of the first rule that holds."""
    for applies, reason in rules:
        if applies(case):
            return reason
    return None
