"""Every combination of the routing facts, in two exhaustive halves that meet.

A plan is made in two steps: each channel's table gives one objection (or none), and the plan is composed of the
objections and a few facts more. So every combination is covered when (1) each table is run through the full product
of the facts it reads, and (2) the composition is run through the full product of every kind of objection and of the
facts it reads itself. That nothing else is read is measured here, not assumed.
"""

from __future__ import annotations

from itertools import permutations, product
from math import prod
from typing import Any

import pytest
from hypothesis import given as randomly
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.routing.channels import Answer, Channel, Claim, Mandate, Reason, SentClaim
from app.routing.facts import Facts
from app.routing.policy import Plan, Policy, decide
from app.routing.rules import RULES, UNKNOWN, Case, first, objection
from tests.routing.support import KINDS, check_properties, every, facts, values_of

POLICIES = [Policy(tuple(Channel), *choice) for choice in product((False, True), repeat=3)]
PRINTS = Policy(mailbox_prints=True)
PAYMENT = ("kind", "has_wrong_kid", "has_wrong_account", "is_deceased", "has_protected_address")
READ_BY_TABLE: dict[Channel, tuple[str, ...]] = {
    Channel.AVTALEGIRO: (
        *PAYMENT, "mandate", "has_claim_already", "is_too_late_for_claim", "is_too_early_for_claim",
        "is_too_late_for_bank_notice",
    ),
    Channel.EFAKTURA: (
        *PAYMENT, "is_decision", "refused_efaktura", "wants_letters", "closed_efaktura", "efaktura",
        "is_too_late_for_efaktura", "shares_efaktura_identifier",
    ),
    Channel.VIPPS: (
        *PAYMENT, "is_decision", "refused_vipps", "wants_letters", "closed_vipps", "is_organisation", "has_mobile",
        "vipps", "is_too_late_for_vipps", "is_too_early_for_vipps",
    ),
    Channel.MAILBOX: (
        "kind", "is_deceased", "has_protected_address", "refused_mailbox", "wants_letters", "closed_mailbox",
        "is_organisation", "has_national_id", "may_ask_krr", "reserved", "mailbox", "is_too_late_for_mailbox",
        "has_postal_address",
    ),
    Channel.EMAIL: (
        "kind", "is_deceased", "has_protected_address", "is_decision", "allows_email", "refused_email",
        "wants_letters", "closed_email", "has_email", "has_confirmed_email", "may_ask_krr", "reserved",
        "is_too_late_for_email",
    ),
    Channel.PAPER: ("refused_paper", "has_postal_address"),
}  # fmt: skip


def _spied(case: Case, seen: set[str]) -> Case:
    resident, invoice, day = [Spy(kind, seen) for kind in (case.resident, case.invoice, case.day)]
    return Case(resident, invoice, day, case.policy)  # type: ignore[arg-type]


class Spy:
    """Facts that note which of them are read."""

    def __init__(self, inner: Any, seen: set[str]) -> None:
        self._inner, self._seen = inner, seen

    def __getattr__(self, name: str) -> Any:
        self._seen.add(name)
        return getattr(self._inner, name)


@pytest.mark.parametrize("channel", Channel)
def test_each_table_runs_through_the_full_product_of_what_it_reads(channel: Channel) -> None:
    names, seen, reasons = READ_BY_TABLE[channel], set[str](), set[Reason | None]()
    # The claim's own question about eFaktura is part of the composition below; here the two answers stand for it.
    extra = [{"efaktura": Answer.YES}, {"efaktura": Answer.NO}] if channel is Channel.AVTALEGIRO else [{}]
    policies = POLICIES if channel in (Channel.AVTALEGIRO, Channel.EMAIL) else POLICIES[:1]
    policies = [Policy(), PRINTS] if channel is Channel.MAILBOX else policies
    count = 0
    for values in every(*names):
        for more, policy in product(extra, policies):
            case = Case.of(facts(**{**values, **more}), policy)
            reason = first(RULES[channel], case)
            reasons.add(reason)
            count += 1
            if reason is None:  # read to the end
                first(RULES[channel], _spied(case, seen))
    assert count == prod(len(values_of(name)) for name in names) * len(extra) * len(policies)
    assert reasons == {None, *(reason for _, reason in RULES[channel])}, "no rule is dead, none is missing"
    if channel is not Channel.AVTALEGIRO:
        assert seen == set(names), "the table reads exactly these facts"


# One example of each kind of objection a channel can meet: open, unanswered, closed (and for eFaktura: shared).
STATES: dict[Channel, tuple[dict[str, Any], ...]] = {
    Channel.EFAKTURA: (
        {"efaktura": Answer.YES}, {"efaktura": Answer.UNKNOWN}, {"efaktura": Answer.NO},
        {"efaktura": Answer.YES, "shares_efaktura_identifier": True}, {"efaktura": Answer.YES, "closed_efaktura": True},
    ),
    Channel.VIPPS: ({"vipps": Answer.YES}, {"vipps": Answer.UNKNOWN}, {"vipps": Answer.NO}),
    Channel.MAILBOX: (
        {"mailbox": Answer.YES, "reserved": Answer.NO}, {"mailbox": Answer.YES, "reserved": Answer.UNKNOWN},
        {"mailbox": Answer.UNKNOWN, "reserved": Answer.NO}, {"mailbox": Answer.NO, "reserved": Answer.NO},
        {"mailbox": Answer.YES, "reserved": Answer.YES},
    ),
    Channel.EMAIL: ({"has_email": True}, {"has_email": False}),
    Channel.PAPER: ({"has_postal_address": True}, {"has_postal_address": False}, {"refused_paper": True}),
}  # fmt: skip
COMPOSED = (
    "mandate", "is_too_late_for_claim", "is_past_safe_day", "is_efaktura_silent", "is_vipps_silent", "is_krr_silent",
    "is_released", "is_decision",
)  # fmt: skip


def _composition() -> list[dict[str, Any]]:
    return [{key: value for state in states for key, value in state.items()} for states in product(*STATES.values())]


def test_every_composition_of_objections_gives_a_plan_with_the_properties() -> None:
    count = 0
    rest = list(every(*COMPOSED))
    policies = [Policy(), Policy(bank_notifies=True), PRINTS]
    for states in _composition():
        for values in rest:
            given = facts(**{**states, **values})
            for policy in policies:
                check_properties(decide(given, policy), given, policy)
                count += 1
    print(f"{count} compositions")  # noqa: T201 - the number is asked for
    assert count == 5 * 3 * 5 * 2 * 3 * 3 * 2**7 * 3


def test_every_gate_meets_every_mandate_release_and_sent_claim() -> None:
    names = (
        "has_buyer", "is_held_by_staff", "is_released", "is_deceased", "has_protected_address", "has_wrong_kid",
        "has_wrong_account", "is_partly_credited", "mandate", "sent_claim", "has_lost_claim", "has_postal_address",
        "kind", "wants_letters",
    )  # fmt: skip
    gates = {
        "is_deceased": Reason.DECEASED, "has_protected_address": Reason.PROTECTED_ADDRESS,
        "has_wrong_kid": Reason.WRONG_KID, "has_wrong_account": Reason.WRONG_ACCOUNT,
        "is_partly_credited": Reason.PARTLY_CREDITED,
    }  # fmt: skip
    for values in every(*names, efaktura=Answer.YES, mailbox=Answer.YES):
        given = facts(**values)
        plan = decide(given, Policy())
        check_properties(plan, given, Policy())
        waivable = next((reason for name, reason in gates.items() if values[name]), None)
        if not values["has_buyer"]:
            assert plan.hold is Reason.UNKNOWN_BUYER
        elif values["is_held_by_staff"]:
            assert plan.hold is Reason.HELD_BY_STAFF
        elif waivable and not values["is_released"]:
            assert plan.hold is waivable
        elif values["is_deceased"] or values["has_protected_address"]:
            assert plan.route in ((Channel.PAPER,), ()), "a released one goes by letter alone"


def test_unknown_never_becomes_paper_before_the_latest_safe_day() -> None:
    """Wherever a yes would have come before paper, paper waits for the answer; and silence is never a no."""
    answers = ("efaktura", "vipps", "mailbox", "reserved")
    others = ("may_ask_krr", "is_past_safe_day", "is_efaktura_silent", "is_vipps_silent", "is_krr_silent", "mandate")
    checked = 0
    for values in every(*answers, *others):
        plan = decide(facts(**values), Policy())
        if Channel.PAPER not in plan.route:
            continue
        for name in answers:
            if values[name] is Answer.UNKNOWN:
                hopeful = {**values, name: Answer.NO if name == "reserved" else Answer.YES}
                hopeful |= {"mailbox": Answer.YES} if name == "reserved" and values["mailbox"] is Answer.UNKNOWN else {}
                better = decide(facts(**hopeful), Policy())
                checked += 1
                assert values["is_past_safe_day"] or len(better.route) <= len(plan.route)
                silent = values[f"is_{'krr' if name in ('mailbox', 'reserved') else name}_silent"]
                assert not silent or len(better.route) <= len(plan.route)
    assert checked > 500


def test_an_agreement_keeps_its_place() -> None:
    """Whoever has eFaktura or AvtaleGiro, open and in time, goes on receiving that way, whatever else is known."""
    others = (
        "vipps",
        "mailbox",
        "reserved",
        "has_email",
        "is_past_safe_day",
        "is_krr_silent",
        "may_ask_krr",
        "mandate",
    )
    for values in every(*others, efaktura=Answer.YES):
        assert decide(facts(**values), Policy()).route[0] is Channel.EFAKTURA
    for values in every(*others, efaktura=Answer.NO):
        plan = decide(facts(**values), Policy())
        if values["mandate"] is not Mandate.NONE and not plan.is_waiting and plan.hold is None:
            assert plan.claim is Claim.PAYEE_NOTIFIES


@pytest.mark.parametrize("order", list(permutations(list(Channel)[:-1])))
def test_the_order_comes_from_configuration(order: tuple[Channel, ...]) -> None:
    policy = Policy((*order, Channel.PAPER))
    names = ("efaktura", "vipps", "mailbox", "has_email", "is_past_safe_day", "mandate")
    for values in every(*names):
        given = facts(**values)
        check_properties(decide(given, policy), given, policy)
    wide = decide(facts(efaktura=Answer.YES, vipps=Answer.YES, mailbox=Answer.YES), policy)
    assert wide.route == tuple(channel for channel in policy.order if channel is not Channel.AVTALEGIRO)


@pytest.mark.parametrize("name", ["wants_letters", "closed_efaktura", "closed_vipps", "closed_mailbox", "closed_email"])
def test_a_preference_closes_channels_and_opens_none_and_never_takes_the_claim(name: str) -> None:
    others = (
        "efaktura",
        "vipps",
        "mailbox",
        "reserved",
        "has_email",
        "mandate",
        "is_past_safe_day",
        "is_too_late_for_claim",
    )
    for values in every(*others):
        free, closed = (decide(facts(**values, **{name: choice}), Policy()) for choice in (False, True))
        passed = {channel for channel, reason in free.passed_over.items() if not _may_open(reason)}
        assert not passed & set(closed.route)
        assert closed.claim == free.claim or free.is_waiting or closed.is_waiting


def _may_open(reason: Reason) -> bool:
    """Passed over only because something else was unanswered, or already enough."""
    return reason in UNKNOWN or reason is Reason.UNDECIDED


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    chosen = [
        kind(**{name: draw(st.sampled_from(field.values)) for name, field in kind.layout().items()}) for kind in KINDS
    ]
    return Facts(*chosen)  # type: ignore[arg-type]


@hypothesis_settings(max_examples=400, deadline=None)
@randomly(any_facts(), st.sampled_from([*POLICIES, PRINTS]))
def test_any_facts_at_all_give_a_plan_with_the_properties(given: Facts, policy: Policy) -> None:
    check_properties(decide(given, policy), given, policy)
    for kind, part in zip(KINDS, (given.resident, given.invoice, given.day), strict=True):
        assert kind.from_bits(part.as_bits()) == part


def test_equal_facts_give_equal_plans() -> None:
    given = facts(efaktura=Answer.YES, mandate=Mandate.NOTIFY)
    assert decide(given, Policy()) == decide(facts(efaktura=Answer.YES, mandate=Mandate.NOTIFY), Policy())
    assert isinstance(decide(given, Policy()), Plan)


def test_a_claim_the_bank_has_stands_whatever_changed_since() -> None:
    names = ("mandate", "has_claim_already", "is_too_late_for_claim", "efaktura", "is_decision", "is_past_safe_day")
    for values in every(*names, sent_claim=SentClaim.PAYEE_NOTIFIES):
        plan = decide(facts(**values), Policy(bank_notifies=True))
        assert plan.claim is Claim.PAYEE_NOTIFIES or plan.is_waiting
        assert objection(Channel.AVTALEGIRO, Case.of(facts(**values), Policy())) is None


def test_a_policy_without_paper_last_is_refused() -> None:
    for order in (tuple(reversed(Channel)), (Channel.PAPER,), (Channel.EFAKTURA, *Channel)):
        with pytest.raises(ValueError, match="paper last"):
            Policy(order)
