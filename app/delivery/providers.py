"""Keeps the digital mailbox and the letters with the provider that knows what is on its way there.

A new provider would not know what the old one took: what nobody heard the end of would be made again, and sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from app.core.dialect import insert_ignoring, put_rows
from app.core.errors import SettingsInvalid
from app.core.settings import Settings
from app.delivery.models import Attempt, ChannelProvider, Delivery, State
from app.delivery.parcels import may_have_arrived
from app.routing.channels import Channel

UNDER_WAY = (State.SENDING, State.IN_TRANSIT)
OVER = (State.DELIVERED, State.CLOSED)


def keep_to_providers(session: Session, settings: Settings) -> None:
    """Go over to the providers that *settings* name, where nothing is left at another. Commits.

    Raises `SettingsInvalid`, naming the setting and how many parts are left, when there is; then nothing may be sent.
    What was under way before the providers were written down is taken to be with those of today.
    """
    chosen = _chosen(settings)
    named = {channel: provider for channel, (_, provider) in chosen.items()}
    # Nearly always so: no command waits for another's turn to write, only to write down the same.
    if _known(session) == named:
        session.commit()
        return
    rows = [{"channel": channel, "provider": provider} for channel, provider in named.items()]
    put_rows(session, insert_ignoring(session, ChannelProvider), rows)
    for channel, before in _known(session).items():
        setting, provider = chosen[channel]
        if before == provider:
            continue
        left = _count_left(session, channel)
        if left:
            session.rollback()
            raise SettingsInvalid(
                f"{setting} is {provider}, but deliveries still on their way with {before}: {left}. Only {before} "
                f"knows what becomes of them, so nothing is sent: set it back to {before} until they have arrived"
            )
        session.execute(update(ChannelProvider).where(ChannelProvider.channel == channel).values(provider=provider))
    session.commit()


def _known(session: Session) -> dict[Channel, str]:
    return {
        row.channel: row.provider for row in session.execute(select(ChannelProvider.channel, ChannelProvider.provider))
    }


def _count_left(session: Session, channel: Channel) -> int:
    """How many deliveries are at the present provider of *channel*, or may be, without having come to an end."""
    is_unknown = exists().where(Attempt.delivery_id == Delivery.id, Attempt.channel == channel, may_have_arrived())
    is_there = (Delivery.channel == channel) & Delivery.state.in_(UNDER_WAY)
    query = select(func.count()).select_from(Delivery).where(Delivery.state.not_in(OVER), or_(is_there, is_unknown))
    return session.scalars(query).one()


def _chosen(settings: Settings) -> Mapping[Channel, tuple[str, str]]:
    return {
        Channel.MAILBOX: ("MAILBOX_PROVIDER", settings.mailbox_provider),
        Channel.PAPER: ("PRINT_PROVIDER", settings.print_provider),
    }
