"""One pass of sending: settle what was left open, then every channel in order, letters last and past the brakes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import structlog

from app.delivery import brakes, recovery, settle, work
from app.delivery.bank_files import upload_bank_files
from app.delivery.desk import Desk
from app.delivery.files import FileSender
from app.delivery.models import Brake
from app.delivery.recalls import recall_claims
from app.delivery.sending import MessageSender
from app.routing.channels import Channel

log = structlog.get_logger(__name__)


def tidy(desk: Desk) -> None:
    """Settle what dead workers left, and close, recall or plan anew what is no longer as it was planned. Commits."""
    now = desk.clock.now()
    recovery.recover(desk)
    work.free_gone(desk.session, desk.settings, now)
    desk.ledger.tally.closed += settle.close_what_is_not_owed(desk.session, now)
    settle.give_up_late_claims(desk.session, desk.settings, now)
    settle.replan_lost_claims(desk.session, now)


def sending_order(order: Sequence[str]) -> list[Channel]:
    """The claims first, since notices wait for them; then the municipality's order, paper last."""
    channels = [Channel(name) for name in order]
    return [Channel.AVTALEGIRO, *(channel for channel in channels if channel is not Channel.AVTALEGIRO)]


def send_due(desk: Desk, *, limit: int | None = None, has_brakes: bool = True) -> int:
    """Send everything that is due now, at most *limit* parts; gives how many parts were handled. Commits."""
    due_at, handled = desk.clock.now(), 0
    recall_claims(desk)
    for channel in sending_order(desk.settings.routing_order):
        left = None if limit is None else limit - handled
        if desk.worker.is_stopping or left == 0:
            break
        if has_brakes and is_stopped(desk, channel):
            log.warning("channel stopped by a brake", channel=channel)
            continue
        handled += _send_channel(desk, channel, due_at, left, has_brakes)
    upload_bank_files(desk)
    return handled


def is_stopped(desk: Desk, channel: Channel) -> bool:
    """Whether a brake keeps *channel* from leaving; before letters their share is looked at."""
    if channel is Channel.PAPER:
        brakes.check_paper(desk.session, desk.settings, desk.clock.now())
    pulled: Sequence[Brake] = brakes.pulled(desk.session)
    return channel in brakes.stopped_channels(pulled)


def _send_channel(desk: Desk, channel: Channel, due_at: dt.datetime, limit: int | None, has_brakes: bool) -> int:
    if channel in desk.channels.files:
        return FileSender(desk, desk.channels.files[channel]).send_due(due_at, limit)
    if channel not in desk.channels.messages:
        return 0
    refused_before = desk.ledger.tally.refused

    def is_braked() -> bool:
        """Looked at only when something was refused: the shares are counted over all attempts."""
        if not has_brakes or desk.ledger.tally.refused == refused_before:
            return False
        return brakes.check_refusals(desk.session, desk.settings, desk.clock.now(), channel) is not None

    return MessageSender(desk, desk.channels.messages[channel], is_braked).send_due(due_at, limit)
