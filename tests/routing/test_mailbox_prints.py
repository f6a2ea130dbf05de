"""Where the mailbox prints by itself what it cannot deliver, no letter of ours follows it."""

from __future__ import annotations

from typing import Any

import pytest

from app.routing.channels import Answer, Channel, Mandate, Reason
from app.routing.policy import Policy, decide
from tests.routing.support import facts

PRINTS = Policy(mailbox_prints=True)
HAS_BOX: dict[str, Any] = {"mailbox": Answer.YES, "reserved": Answer.NO}


def test_a_letter_of_ours_is_passed_over_after_the_mailbox_and_planned_anew_when_it_refuses() -> None:
    plan = decide(facts(**HAS_BOX), PRINTS)
    assert plan.route == (Channel.MAILBOX, Channel.EMAIL)
    assert plan.passed_over[Channel.PAPER] is Reason.MAILBOX_PRINTS
    assert plan.is_open_ended
    refused = decide(facts(**HAS_BOX, refused_mailbox=True), PRINTS)
    assert refused.route == (Channel.EMAIL, Channel.PAPER)
    assert not refused.is_open_ended


@pytest.mark.parametrize(
    ("values", "route"),
    [
        ({"mailbox": Answer.NO}, (Channel.EMAIL, Channel.PAPER)),
        ({"mailbox": Answer.YES, "reserved": Answer.YES}, (Channel.PAPER,)),
        ({**HAS_BOX, "wants_letters": True}, (Channel.PAPER,)),
        ({**HAS_BOX, "is_decision": True}, (Channel.MAILBOX,)),
    ],
)
def test_the_order_is_the_municipalitys_for_whom_no_mailbox_is_known(
    values: dict[str, Any], route: tuple[Channel, ...]
) -> None:
    assert decide(facts(**values), PRINTS).route == route


def test_an_email_before_the_mailbox_keeps_its_place() -> None:
    order = (Channel.AVTALEGIRO, Channel.EFAKTURA, Channel.VIPPS, Channel.EMAIL, Channel.MAILBOX, Channel.PAPER)
    plan = decide(facts(**HAS_BOX), Policy(order, mailbox_prints=True))
    assert plan.route == (Channel.EMAIL, Channel.MAILBOX)


def test_without_an_address_to_print_for_the_mailbox_is_passed_over() -> None:
    plan = decide(facts(**HAS_BOX, has_postal_address=False), PRINTS)
    assert plan.route == (Channel.EMAIL,)
    assert plan.passed_over[Channel.MAILBOX] is Reason.NO_POSTAL_ADDRESS
    held = decide(facts(**HAS_BOX, has_postal_address=False, has_email=False), PRINTS)
    assert held.hold is Reason.NO_POSTAL_ADDRESS
    assert decide(facts(**HAS_BOX, has_postal_address=False), Policy()).route == (Channel.MAILBOX, Channel.EMAIL)


def test_a_notice_beside_a_claim_follows_the_same_rule() -> None:
    given = facts(**HAS_BOX, has_email=False, mandate=Mandate.NOTIFY)
    plan = decide(given, PRINTS)
    assert plan.is_notice
    assert plan.route == (Channel.MAILBOX,)
