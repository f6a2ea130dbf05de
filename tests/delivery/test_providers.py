"""A provider of the mailbox or of letters is changed only when nothing is left at the old one."""

from __future__ import annotations

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from app.channels.contract import Outcome, Result
from app.core.errors import SettingsInvalid
from app.core.settings import Settings
from app.delivery.models import ChannelProvider, Delivery, State
from app.delivery.passes import send_due
from app.delivery.providers import keep_to_providers
from app.invoices.models import Invoice
from app.routing.channels import Channel
from tests.delivery.fakes import always
from tests.delivery.town import Town

UNCERTAIN = Result(Outcome.UNCERTAIN, detail="read_timeout")


def to_svarut(settings: Settings) -> Settings:
    """The same municipality, which has changed to SvarUt."""
    return settings.model_copy(update={"mailbox_provider": "svarut"})


def sent(town: Town, *route: Channel) -> Invoice:
    """An invoice that was sent by the first channel of *route*, under the providers of today."""
    keep_to_providers(town.session, town.settings)
    invoice = town.invoice(town.plan(*route))
    with town.desk() as desk:
        send_due(desk, has_brakes=False)
    return invoice


def provider(town: Town, channel: Channel) -> str:
    """The one written down."""
    return town.session.scalars(select(ChannelProvider.provider).where(ChannelProvider.channel == channel)).one()


def test_the_first_run_writes_down_who_the_providers_are_and_the_next_changes_nothing(town: Town) -> None:
    for _ in range(2):
        keep_to_providers(town.session, town.settings)
        assert (provider(town, Channel.MAILBOX), provider(town, Channel.PAPER)) == ("eformidling", "batch")


def test_with_nothing_left_the_new_provider_takes_over(town: Town) -> None:
    keep_to_providers(town.session, town.settings)
    keep_to_providers(town.session, to_svarut(town.settings))
    assert provider(town, Channel.MAILBOX) == "svarut"


def test_what_is_on_its_way_with_the_old_provider_keeps_it(town: Town) -> None:
    invoice = sent(town, Channel.MAILBOX)
    assert town.part(invoice).state is State.IN_TRANSIT
    said = r"MAILBOX_PROVIDER is svarut, .* with eformidling: 1\..* back to eformidling"
    with pytest.raises(SettingsInvalid, match=said):
        keep_to_providers(town.session, to_svarut(town.settings))
    assert provider(town, Channel.MAILBOX) == "eformidling"
    keep_to_providers(town.session, town.settings)


def test_what_nobody_heard_the_end_of_keeps_the_old_provider_though_it_waits_or_is_held(town: Town) -> None:
    town.channels.messages[Channel.MAILBOX].script = always(UNCERTAIN)
    invoice = sent(town, Channel.MAILBOX, Channel.PAPER)
    for state in (State.WAITING, State.HELD):
        town.session.get_one(Delivery, town.part(invoice).id).state = state
        town.session.commit()
        with pytest.raises(SettingsInvalid, match="with eformidling: 1"):
            keep_to_providers(town.session, to_svarut(town.settings))


@pytest.mark.parametrize("state", [State.DELIVERED, State.CLOSED])
def test_what_has_come_to_an_end_does_not(town: Town, state: State) -> None:
    invoice = sent(town, Channel.MAILBOX)
    town.session.get_one(Delivery, town.part(invoice).id).state = state
    town.session.commit()
    keep_to_providers(town.session, to_svarut(town.settings))
    assert provider(town, Channel.MAILBOX) == "svarut"


def test_what_is_on_its_way_by_another_channel_does_not(town: Town) -> None:
    invoice = sent(town, Channel.EMAIL)
    assert town.part(invoice).state is State.IN_TRANSIT
    keep_to_providers(town.session, to_svarut(town.settings))
    assert provider(town, Channel.MAILBOX) == "svarut"


def test_the_job_says_what_is_wrong_and_sends_nothing(town: Town, runner: FlaskCliRunner) -> None:
    invoice = sent(town, Channel.MAILBOX)
    waiting = town.invoice(town.plan(Channel.PAPER))
    runner.app.config["SETTINGS"] = to_svarut(town.settings)
    for command in ("run", "send", "receipts", "route"):
        done = runner.invoke(args=["invoices", command])
        assert done.exit_code == 2
        assert "MAILBOX_PROVIDER is svarut" in done.stderr
    assert town.part(invoice).state is State.IN_TRANSIT
    assert town.attempts(waiting) == []
