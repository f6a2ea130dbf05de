"""Whose the mailbox is comes from KRR, to the one channel that needs it, and never makes a notice payable."""

from __future__ import annotations

import pytest

from app.channels.payment_data import payment_data
from app.core.settings import Settings
from app.delivery.models import Part
from app.delivery.passes import send_due
from app.registries.models import Register, RegistryAnswer
from app.routing.channels import Answer, Channel
from tests.delivery.town import Town


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"digipost_payment_data": True})


def a_mailbox_at(town: Town, resident_id: int | None, provider: str | None) -> None:
    answer = {"register": Register.MAILBOX, "answer": Answer.YES, "asked_at": town.clock.now(), "reference": provider}
    town.session.add(RegistryAnswer(resident_id=resident_id, **answer))
    town.session.commit()


def sent(town: Town) -> dict[str, str | None]:
    """Whose mailbox each letter was said to go to, by its number."""
    with town.desk() as desk:
        send_due(desk)
    taken = town.channels.messages[Channel.MAILBOX].other_side.taken.values()
    return {one.number: one.recipient.mailbox_provider for one in taken}


def test_the_channel_is_told_whose_the_mailbox_is(town: Town) -> None:
    plan, expected = town.plan(Channel.MAILBOX), dict[str, str | None]()
    for provider in ("digipost", "e-boks", None):
        invoice = town.invoice(plan)
        a_mailbox_at(town, invoice.resident_id, provider)
        expected[invoice.number] = provider or ""
    assert {number: provider or "" for number, provider in sent(town).items()} == expected


def test_a_notice_to_digipost_carries_nothing_to_pay_by(town: Town) -> None:
    notice, demand = town.invoice(town.plan(Channel.MAILBOX, claim="02")), town.invoice(town.plan(Channel.MAILBOX))
    for invoice in (notice, demand):
        a_mailbox_at(town, invoice.resident_id, "digipost")
    assert town.part(notice, Part.DOCUMENT).is_notice
    sent(town)
    taken = {one.number: one for one in town.channels.messages[Channel.MAILBOX].other_side.taken.values()}
    assert payment_data(taken[notice.number]) is None
    assert payment_data(taken[demand.number]) is not None


def test_without_the_setting_nobody_is_told(town: Town) -> None:
    town.settings = town.settings.model_copy(update={"digipost_payment_data": False})
    invoice = town.invoice(town.plan(Channel.MAILBOX))
    a_mailbox_at(town, invoice.resident_id, "digipost")
    assert sent(town) == {invoice.number: None}
