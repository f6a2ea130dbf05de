"""Sends what is due through the channels that take whole files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from app.channels.contract import FileChannel
from app.delivery import work
from app.delivery.consignments import Letter
from app.delivery.desk import Desk
from app.delivery.handover import File, TooManyFiles, begin
from app.delivery.models import Handover, State
from app.delivery.parcels import Parcel, load
from app.delivery.ready import Recipients, allowed, set_aside, settle_strays, still_mandated, still_owed
from app.delivery.sending import open_attempt

log = structlog.get_logger(__name__)

MOST_BYTES = 64_000_000
LETTERS_AT_ONCE = 50


@dataclass(slots=True)
class FileSender:
    """Empties the queue of one file channel, one file after the other."""

    desk: Desk
    channel: FileChannel

    def send_due(self, due_at: dt.datetime, limit: int | None) -> int:
        """Send what was due at *due_at*, at most *limit* parts; gives how many parts were handled."""
        desk, handled = self.desk, 0
        while not desk.worker.is_stopping and (limit is None or handled < limit):
            most = self.channel.batch_size if limit is None else min(self.channel.batch_size, limit - handled)
            ids = work.take(desk.session, desk.worker, self.channel.channel, most, due_at)
            if not ids:
                break
            before = desk.ledger.tally.unavailable
            done = self._send_file(ids)
            handled += done
            desk.progress(done)
            if done - (desk.ledger.tally.unavailable - before) <= 0:
                # The disk is full, or no file number is left: the next pass tries again.
                break
        return handled

    def _send_file(self, ids: Sequence[int]) -> int:
        """One file of the parts *ids*, as many as fit; gives how many were handled, the rest waits again."""
        desk, channel = self.desk, self.channel.channel
        mine = work.keep(desk.session, desk.worker, ids, desk.clock.now())
        parcels = load(desk.session, mine)
        recipients = desk.consignments.recipients(channel, parcels)
        parcels = set_aside(desk, parcels, recipients)
        owed = still_mandated(desk, still_owed(desk, settle_strays(desk, None, parcels)))
        ready = allowed(desk, channel, owed, recipients)
        desk.session.commit()
        ready, letters = self._letters(ready)
        if ready:
            self._hand_over(ready, recipients, letters)
        left = [parcel.delivery.id for parcel in parcels if parcel.delivery.state is State.SENDING]
        work.give_back(desk.session, desk.worker, left, desk.clock.now())
        return len(ids) - len(left)

    def _letters(self, parcels: Sequence[Parcel]) -> tuple[list[Parcel], dict[int, Letter]]:
        """The letters of as many parcels as memory should hold at once."""
        taken: list[Parcel] = []
        letters: dict[int, Letter] = {}
        size = 0
        for start in range(0, len(parcels), LETTERS_AT_ONCE):
            some = parcels[start : start + LETTERS_AT_ONCE]
            made = self.desk.letters.make(self.desk.session, some)
            taken.extend(set_aside(self.desk, some, made))
            self.desk.session.commit()
            letters.update(made)
            size += sum(len(letter.pdf) for letter in made.values())
            if size > MOST_BYTES:
                break
        return taken, letters

    def _hand_over(self, parcels: Sequence[Parcel], recipients: Recipients, letters: dict[int, Letter]) -> None:
        desk, now = self.desk, self.desk.clock.now()
        mine = work.keep(desk.session, desk.worker, [parcel.delivery.id for parcel in parcels], now)
        parcels = [parcel for parcel in parcels if parcel.delivery.id in mine]
        try:
            handover = begin(desk.session, self.channel.channel, desk.worker.name, desk.clock.today(), now)
        except TooManyFiles as error:
            log.error("no file number left today", channel=self.channel.channel, detail=str(error))
            desk.session.rollback()
            return
        for parcel in parcels:
            attempt = open_attempt(parcel, self.channel.channel, desk.clock)
            attempt.handover_id = handover.id
            attempt.document_id = letters[parcel.delivery.id].document_id if parcel.delivery.id in letters else None
            desk.session.add(attempt)
        desk.session.commit()
        file_of(desk, self.channel, handover, parcels).send(recipients, letters)


def file_of(desk: Desk, channel: FileChannel, handover: Handover, parcels: Sequence[Parcel]) -> File:
    """A file of parcels that are sent, with their outcomes in the ledger."""
    accept = partial(desk.ledger.record, is_handed_over=True)
    return File(desk, channel, handover, parcels, desk.ledger.record, accept)
