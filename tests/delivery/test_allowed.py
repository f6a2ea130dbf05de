"""Outside production only allow-listed residents are reached by a real provider."""

from __future__ import annotations

import pytest

from app.core.settings import Environment
from app.delivery.allowed import Allowed
from app.delivery.models import State
from app.delivery.passes import send_due
from app.routing.channels import Channel
from tests.delivery.town import Town


@pytest.mark.parametrize(
    ("changes", "reached"),
    [
        ({}, ["email", "mailbox", "paper"]),
        ({"sandbox": False}, ["email"]),
        ({"sandbox": False, "allowed_recipients": ("K3",)}, ["email", "mailbox"]),
        ({"mail_server": "smtp.example.com"}, ["mailbox", "paper"]),
        ({"mail_server": "127.0.0.1"}, ["email", "mailbox", "paper"]),
        ({"mail_server": "smtp.example.com", "allowed_recipients": ("k6@example.com",)}, ["email", "mailbox", "paper"]),
        ({"sandbox": False, "environment": Environment.PRODUCTION}, ["email", "mailbox", "paper"]),
    ],
)
def test_only_who_may_be_reached_from_here_is(town: Town, changes: dict[str, object], reached: list[str]) -> None:
    town.settings = town.settings.model_copy(update=changes)
    invoices = []
    for channel in (Channel.MAILBOX, Channel.EMAIL, Channel.PAPER):
        invoices.append(town.invoice(town.plan(channel)))
    with town.desk() as desk:
        send_due(desk, has_brakes=False)
    left = [part.channel for part in map(town.part, invoices) if part.state is not State.WAITING]
    assert sorted(channel.value for channel in left if channel) == reached
    assert town.ledger.tally.not_allowed == 3 - len(reached)
    for invoice in invoices:
        if town.part(invoice).state is State.WAITING:
            assert town.attempts(invoice) == [], "nothing was tried"
            assert town.part(invoice).next_try_at > town.clock.now()


def test_production_has_no_list(town: Town) -> None:
    assert Allowed.by(town.settings.model_copy(update={"environment": Environment.PRODUCTION})).real == frozenset()
