"""The rules one by one, as the municipality would say them."""

from __future__ import annotations

from typing import Any

import pytest

from app.routing.channels import Answer, Channel, Claim, Kind, Mandate, Reason
from app.routing.policy import Policy, decide
from tests.routing.support import facts

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
ALL = {"efaktura": YES, "vipps": YES, "mailbox": YES}
AVTALEGIRO, EFAKTURA, VIPPS, MAILBOX, EMAIL, PAPER = Channel
PAYEE, BANK = Claim
BANK_POLICY = Policy(bank_notifies=True)
J, N = {"mandate": Mandate.NOTIFY}, {"mandate": Mandate.SILENT}


def row(name: str, given: dict[str, Any], route: tuple[Channel, ...], claim: Claim | None = None, **more: Any) -> Any:
    """One named case. *more*: the reasons by channel name, ``hold``, ``waits`` and the ``policy``."""
    return pytest.param(given, route, claim, more, id=name)


TABLE = [
    row("everything open goes in the municipality's order", ALL, (EFAKTURA, VIPPS, MAILBOX, EMAIL, PAPER)),
    row("nothing known goes by e-mail, then paper", {}, (EMAIL, PAPER)),
    row("no contact at all goes by paper", {"has_email": False, "has_mobile": False}, (PAPER,), vipps="no_mobile"),
    # AvtaleGiro
    row("N and no efaktura is a claim alone", N, (), PAYEE, email="claim_alone", paper="claim_alone"),
    row("N and efaktura is a claim and efaktura", {**N, **ALL}, (EFAKTURA,), PAYEE, mailbox="claim_alone"),
    row("J is a claim and a notice over the rest", {**J, "mailbox": YES}, (MAILBOX, EMAIL, PAPER), PAYEE),
    row("J and efaktura is a claim and efaktura first", {**J, "efaktura": YES}, (EFAKTURA, EMAIL, PAPER), PAYEE),
    row("a notice never asks for money in vipps", {**J, "vipps": YES}, (EMAIL, PAPER), PAYEE, vipps="claim_pays"),
    row("vipps unanswered keeps no claim waiting", {**J, "vipps": UNKNOWN}, (EMAIL, PAPER), PAYEE, vipps="claim_pays"),
    row("the bank notifies", J, (), BANK, policy=BANK_POLICY, email="bank_notifies"),
    row("the bank does not notify who has efaktura", {**J, "efaktura": YES}, (EFAKTURA, EMAIL, PAPER), PAYEE,
        policy=BANK_POLICY),
    row("past the bank's own cut-off there is no claim", {**J, "is_too_late_for_bank_notice": True}, (EMAIL, PAPER),
        policy=BANK_POLICY, avtalegiro="bank_notice_too_late"),
    row("the bank's own cut-off binds no claim we notify", {**J, "is_too_late_for_bank_notice": True},
        (EMAIL, PAPER), PAYEE),
    row("a claim too late is a normal invoice", {**N, "vipps": YES, "is_too_late_for_claim": True},
        (VIPPS, EMAIL, PAPER), avtalegiro="claim_too_late"),
    row("a claim too early is a normal invoice", {**N, "is_too_early_for_claim": True}, (EMAIL, PAPER),
        avtalegiro="claim_too_early"),
    row("a second claim for the pair is a normal invoice", {**N, "has_claim_already": True}, (EMAIL, PAPER),
        avtalegiro="claim_exists"),
    row("a lost claim is a demand again", {**N, "has_lost_claim": True}, (EMAIL, PAPER), avtalegiro="claim_lost"),
    row("efaktura refused leaves the claim alone", {**N, **ALL, "refused_efaktura": True}, (), PAYEE),
    row("a mailbox that prints by itself is followed by no letter", {"mailbox": YES}, (MAILBOX, EMAIL),
        policy=Policy(mailbox_prints=True), paper="mailbox_prints"),
    # Leads
    row("each channel has its lead", {**ALL, "is_too_late_for_efaktura": True, "is_too_late_for_vipps": True,
        "is_too_late_for_mailbox": True, "is_too_late_for_email": True}, (PAPER,), efaktura="efaktura_too_late",
        vipps="vipps_too_late", mailbox="mailbox_too_late", email="email_too_late"),
    row("vipps takes a year at most", {**ALL, "is_too_early_for_vipps": True}, (EFAKTURA, MAILBOX, EMAIL, PAPER),
        vipps="vipps_too_early"),
    # Unknown
    row("unknown waits", {"mailbox": UNKNOWN}, (), waits=True, mailbox="mailbox_unknown", email="undecided"),
    row("each register may be the one that is waited for", {"efaktura": UNKNOWN, "vipps": UNKNOWN}, (), waits=True,
        efaktura="efaktura_unknown", vipps="vipps_unknown"),
    row("what stands before the unknown may go", {"vipps": YES, "mailbox": UNKNOWN}, (VIPPS,), paper="undecided"),
    row("past the safe day unknown counts as no", {"mailbox": UNKNOWN, "is_past_safe_day": True}, (EMAIL, PAPER),
        mailbox="mailbox_unknown"),
    row("a silent register never counts as no", {"mailbox": UNKNOWN, "is_past_safe_day": True, "is_krr_silent": True},
        (), hold="register_silent"),
    row("a silent register waits before the safe day", {"mailbox": UNKNOWN, "is_krr_silent": True}, (), waits=True),
    row("a silent register stops the route", {"vipps": YES, "mailbox": UNKNOWN, "is_past_safe_day": True,
        "is_krr_silent": True}, (VIPPS,), paper="undecided"),
    row("a person may release what silence held", {"mailbox": UNKNOWN, "is_past_safe_day": True,
        "is_krr_silent": True, "is_released": True}, (EMAIL, PAPER)),
    row("reservation unanswered closes e-mail for now", {"reserved": UNKNOWN, "has_national_id": False}, (), waits=True,
        email="reservation_unknown"),
    # Gates
    row("deceased", {**ALL, "is_deceased": True}, (), hold="deceased"),
    row("protected address", {**ALL, "has_protected_address": True}, (), hold="protected_address"),
    row("wrong KID", {**ALL, "has_wrong_kid": True}, (), hold="wrong_kid"),
    row("wrong account", {**ALL, "has_wrong_account": True}, (), hold="wrong_account"),
    row("held by staff", {"is_held_by_staff": True, "is_released": True}, (), hold="held_by_staff"),
    row("unknown buyer", {"has_buyer": False}, (), hold="unknown_buyer"),
    row("no usable address at the end", {"has_email": False, "has_postal_address": False}, (),
        hold="no_postal_address"),
    row("an address is needed only at the end", {"has_postal_address": False}, (EMAIL,), paper="no_postal_address"),
    row("every way refused", {"refused_email": True, "refused_paper": True}, (), hold="nothing_left"),
    row("partly credited", {"is_partly_credited": True}, (), hold="partly_credited"),
    row("two residents with one efaktura identifier", {**ALL, "shares_efaktura_identifier": True}, (),
        hold="identifier_shared"),
    row("released, the shared identifier is passed over", {**ALL, "shares_efaktura_identifier": True,
        "is_released": True}, (VIPPS, MAILBOX, EMAIL, PAPER), efaktura="identifier_shared"),
    row("released, the deceased's estate gets a letter", {**ALL, **J, "is_deceased": True, "is_released": True},
        (PAPER,), email="released_to_paper"),
    row("released, a wrong KID is never paid by machine", {**ALL, **J, "has_wrong_kid": True, "is_released": True},
        (MAILBOX, EMAIL, PAPER), avtalegiro="wrong_kid", efaktura="wrong_kid", vipps="wrong_kid"),
    # Reservation
    row("reserved closes mailbox and e-mail", {**ALL, "reserved": YES}, (EFAKTURA, VIPPS, PAPER), mailbox="reserved",
        email="reserved"),
    row("the municipality may let reserved people have e-mail", {"mailbox": YES, "reserved": YES}, (EMAIL, PAPER),
        policy=Policy(reservation_closes_email=False)),
    # Categories
    row("never e-mail", {**ALL, "allows_email": False}, (EFAKTURA, VIPPS, MAILBOX, PAPER), email="never_email"),
    row("a decision goes to mailbox or paper", {**ALL, "is_decision": True}, (MAILBOX, PAPER),
        efaktura="contains_decision", email="contains_decision"),
    row("a decision is delivered beside a claim", {**N, **ALL, "is_decision": True}, (MAILBOX, PAPER), PAYEE),
    row("KRR not for this category", {**ALL, "may_ask_krr": False}, (EFAKTURA, VIPPS, PAPER),
        mailbox="krr_not_for_category", email="krr_not_for_category"),
    row("KRR not for this category, e-mail confirmed", {"may_ask_krr": False, "has_confirmed_email": True,
        "reserved": UNKNOWN, "mailbox": UNKNOWN}, (EMAIL, PAPER)),
    row("confirmation may be required", {}, (PAPER,), policy=Policy(email_requires_confirmation=True),
        email="email_unconfirmed"),
    # Kinds
    row("a credit note asks for nothing", {**ALL, **J, "kind": Kind.CREDIT_NOTE}, (MAILBOX, EMAIL, PAPER),
        avtalegiro="not_a_demand", efaktura="not_a_demand", vipps="not_a_demand"),
    row("nothing to pay goes as information", {**ALL, "kind": Kind.INFORMATION}, (MAILBOX, EMAIL, PAPER)),
    row("information is never too late", {**ALL, "kind": Kind.INFORMATION, "is_too_late_for_mailbox": True,
        "is_too_late_for_email": True}, (MAILBOX, EMAIL, PAPER)),
    # Preferences
    row("all by letter", {**ALL, "wants_letters": True}, (PAPER,), efaktura="all_by_letter", email="all_by_letter"),
    row("all by letter never closes the claim", {**ALL, **J, "wants_letters": True}, (PAPER,), PAYEE),
    row("a closed channel", {**ALL, "closed_vipps": True}, (EFAKTURA, MAILBOX, EMAIL, PAPER),
        vipps="closed_by_resident"),
    # Who
    row("an organisation has neither KRR nor vipps", {**ALL, "is_organisation": True}, (EFAKTURA, EMAIL, PAPER),
        vipps="organisation", mailbox="organisation"),
    row("no national id, no mailbox", {**ALL, "has_national_id": False}, (EFAKTURA, VIPPS, EMAIL, PAPER),
        mailbox="no_national_id"),
    row("refused goes on", {**ALL, "refused_efaktura": True, "refused_vipps": True}, (MAILBOX, EMAIL, PAPER),
        efaktura="refused"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "route", "claim", "more"), TABLE)
def test_rule(given: dict[str, Any], route: tuple[Channel, ...], claim: Claim | None, more: dict[str, Any]) -> None:
    more = dict(more)
    plan = decide(facts(**given), more.pop("policy", Policy()))
    assert plan.route == route
    assert plan.claim == claim
    assert plan.hold == more.pop("hold", None)
    assert plan.is_waiting == more.pop("waits", False)
    assert {channel: plan.passed_over[Channel(channel)] for channel in more} == {
        channel: Reason(reason) for channel, reason in more.items()
    }


def test_every_reason_is_given_by_some_rule() -> None:
    """A reason that nothing can give is a sentence nobody will read. One is sending's own."""
    assert set(Reason) - {Reason.SENT_TWICE} == {reason for parameter in TABLE for reason in _reasons(parameter.values)}


def _reasons(values: Any) -> set[Reason]:
    plan = decide(facts(**values[0]), values[3].get("policy", Policy()))
    return {*plan.passed_over.values(), *([plan.hold] if plan.hold else [])}
