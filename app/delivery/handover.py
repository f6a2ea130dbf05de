"""Bank files and print batches: written whole under a hidden name, committed as written, then renamed into place.

After a crash the hand-over's row says what to do: not written, so nothing left and the file is discarded; written, so
it is renamed, again if need be. Either way every attempt in it is settled by looking.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.channels.contract import FileChannel, Outcome, Recipient, Result
from app.delivery import work
from app.delivery.consignments import Letter
from app.delivery.desk import Desk
from app.delivery.models import Attempt, Handover
from app.delivery.parcels import Parcel
from app.routing.channels import Channel

log = structlog.get_logger(__name__)

# A transmission number has six digits: the year's last, the day of the year, and the file of the day.
MOST_FILES_A_DAY = 99

Record = Callable[[Parcel, Attempt, Result], None]


class TooManyFiles(Exception):
    """A channel has no number left for another file today."""


def begin(session: Session, channel: Channel, worker: str, today: dt.date, now: dt.datetime) -> Handover:
    """A new hand-over with a name nobody else has: the day, then a number that repeats after ten years.

    Raises `TooManyFiles`. Does not commit.
    """
    for _ in range(MOST_FILES_A_DAY):
        first = f"{today:%Y%m%d}-{today.year % 10}{today.timetuple().tm_yday:03d}"
        query = select(func.max(Handover.name)).where(Handover.channel == channel, Handover.name.startswith(first))
        last = session.scalar(query)
        number = int(last[-2:]) + 1 if last else 1
        if number > MOST_FILES_A_DAY:
            break
        handover = Handover(channel=channel, name=f"{first}{number:02d}", worker=worker, opened_at=now)
        try:
            with session.begin_nested():
                session.add(handover)
        except IntegrityError:
            continue
        return handover
    raise TooManyFiles(f"{channel}: {MOST_FILES_A_DAY} files today already")


@dataclass(slots=True)
class File:
    """One file under way. ``record`` writes the outcome of one attempt; ``is_handed_over`` calls claim the parts."""

    desk: Desk
    channel: FileChannel
    handover: Handover
    parcels: Sequence[Parcel]
    record: Record
    accept: Record

    def send(self, recipients: Mapping[int, Recipient], letters: Mapping[int, Letter]) -> bool:
        """Write the file and hand it over; whether it left. The attempts are open and committed before."""
        self.desk.consignments.fill(self.parcels, recipients, letters)
        consignments = [parcel.consignment for parcel in self.parcels if parcel.consignment is not None]
        try:
            results = self.channel.prepare(self.handover.name, consignments)
        except OSError as error:
            log.error("a file could not be written", channel=self.channel.channel, error=type(error).__name__)
            lost = Result(Outcome.UNAVAILABLE, detail=type(error).__name__, needs_alarm=True)
            results = {one.key: lost for one in consignments}
        if not self._written(results):
            return False
        self.finish()
        return True

    def finish(self) -> None:
        """Put a written file into place, and close its attempts. Safe to repeat. Commits."""
        desk = self.desk
        self.channel.hand_over(self.handover.name)
        if not self._is_ours(handed_over_at=desk.clock.now()):
            return
        for parcel in self.parcels:
            attempt = parcel.attempt
            if attempt is not None and attempt.handover_id == self.handover.id:
                reference = attempt.provider_reference or self.handover.name
                self.accept(parcel, attempt, Result(Outcome.ACCEPTED, provider_reference=reference))
        desk.session.commit()

    def discard(self) -> None:
        """Leave nothing of a file that was not written whole; its parts are due again at once. Commits.

        Its name is not given again: whoever began it may only have been slow, and still write and remove under it.
        """
        desk, now = self.desk, self.desk.clock.now()
        self.channel.discard(self.handover.name)
        for parcel in self.parcels:
            if parcel.attempt is not None:
                parcel.attempt.handover_id = None
                parcel.attempt.outcome, parcel.attempt.closed_at = Outcome.UNAVAILABLE, now
                parcel.attempt.detail = "file_not_finished"
        ids = [parcel.delivery.id for parcel in self.parcels]
        work.give_back(desk.session, desk.worker, ids, now)

    def _written(self, results: Mapping[str, Result]) -> bool:
        """Commit that the file is whole, and what the channel left out of it; whether anything is in it."""
        desk = self.desk
        if not self._is_ours(written_at=desk.clock.now()):
            self.channel.discard(self.handover.name)
            return False
        has_any = False
        missing = Result(Outcome.UNAVAILABLE, detail="no_answer", needs_alarm=True)
        for parcel in self.parcels:
            attempt = parcel.attempt
            if attempt is None:
                continue
            result = results.get(attempt.key, missing)
            if result.outcome is Outcome.ACCEPTED:
                has_any = True
                attempt.provider_reference, attempt.detail = result.provider_reference, result.detail
            else:
                attempt.handover_id = None
                self.record(parcel, attempt, result)
        if not has_any:
            self._forget()
            self.channel.discard(self.handover.name)
        desk.session.commit()
        return has_any

    def _is_ours(self, **moment: dt.datetime) -> bool:
        """Note the *moment* on the hand-over, unless we were thought dead and another worker has taken it over."""
        desk = self.desk
        mine = desk.session.execute(
            update(Handover)
            .where(Handover.id == self.handover.id, Handover.worker == desk.worker.name)
            .values(**moment)
            .returning(Handover.id)
        ).scalar()
        if mine is None:
            desk.session.rollback()
            return False
        work.keep(desk.session, desk.worker, [parcel.delivery.id for parcel in self.parcels], desk.clock.now())
        return True

    def _forget(self) -> None:
        self.desk.session.flush()
        self.desk.session.execute(delete(Handover).where(Handover.id == self.handover.id))
