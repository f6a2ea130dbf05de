"""Sends what is due through the channels that take messages: an attempt on record before each call, its end after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from app.channels.contract import MessageChannel, Outcome, Recipient, Result
from app.core.clock import Clock
from app.delivery import work
from app.delivery.allowed import Allowed
from app.delivery.consignments import FETCHED, NO_LETTER, Letter
from app.delivery.desk import Desk, Seats, result_of
from app.delivery.models import Attempt
from app.delivery.parcels import Parcel, load
from app.routing.channels import Channel

log = structlog.get_logger(__name__)

GROUP = 50
LARGEST_BATCH = 250
NOT_ALLOWED_WAIT = dt.timedelta(hours=6)
REACHED_BY = {Channel.EMAIL: "email", Channel.VIPPS: "mobile", Channel.MAILBOX: "national_id",
              Channel.EFAKTURA: "efaktura_identifier"}  # fmt: skip

Recipients = Mapping[int, Recipient]
MadeLetters = Mapping[int, Letter]


def open_attempt(parcel: Parcel, channel: Channel, clock: Clock) -> Attempt:
    """The attempt to make now, not yet in a session: a repeat of what surely did not arrive keeps its id."""
    attempt = parcel.repeatable(channel)
    if attempt is None:
        attempt = Attempt(
            delivery_id=parcel.delivery.id,
            channel=channel,
            key=parcel.next_key(channel),
            number=parcel.tried + 1,
            is_notice=parcel.delivery.is_notice,
            is_cancellation=False,
            resent=False,
        )
        parcel.attempt, parcel.tried = attempt, attempt.number
    attempt.opened_at, attempt.closed_at, attempt.outcome, attempt.handover_id = clock.now(), None, None, None
    return attempt


@dataclass(slots=True)
class MessageSender:
    """Empties the queue of one message channel, group by group.

    ``is_braked`` is asked after each group. ``is_settling``: only ask what became of open attempts, and send nothing.
    """

    desk: Desk
    channel: MessageChannel
    is_braked: Callable[[], bool] = lambda: False
    is_settling: bool = False
    _claimed: set[int] = field(default_factory=set)

    def send_due(self, due_at: dt.datetime, limit: int | None) -> int:
        """Send what was due at *due_at*, at most *limit* parts; gives how many parts were handled."""
        size = GROUP if self.channel.batch_size == 1 else min(self.channel.batch_size, LARGEST_BATCH)
        lease = self.desk.settings.lease.total_seconds()
        seats = Seats(self.desk.settings.seats, self._renew, lease / 4)
        handled = 0
        try:
            while not self.desk.worker.is_stopping and (limit is None or handled < limit):
                most = size if limit is None else min(size, limit - handled)
                ids = work.take(
                    self.desk.session,
                    self.desk.worker,
                    self.channel.channel,
                    most,
                    due_at,
                    is_settling=self.is_settling,
                )
                if not ids:
                    break
                handled += len(ids)
                tally = self.desk.ledger.tally
                before = tally.unavailable + tally.uncertain
                self._claimed = set(ids)
                self._send_group(seats, ids)
                self.desk.progress(len(ids))
                if self.is_braked():
                    break
                if tally.unavailable + tally.uncertain - before >= len(ids):
                    # Nobody at home: the rest is not worth a time-out each, the next pass asks again.
                    tally.resting.add(self.channel.channel)
                    break
        finally:
            seats.close()
        return handled

    def _renew(self) -> None:
        work.keep(self.desk.session, self.desk.worker, self._claimed, self.desk.clock.now())
        self.desk.session.commit()

    def _send_group(self, seats: Seats, ids: Sequence[int]) -> None:
        desk, channel = self.desk, self.channel.channel
        mine = work.keep(desk.session, desk.worker, ids, desk.clock.now())
        parcels = load(desk.session, mine)
        recipients = desk.consignments.recipients(channel, parcels)
        parcels = set_aside(desk, parcels, recipients)
        parcels = settle_strays(desk, self.channel, parcels)
        ready = still_owed(desk, [parcel for parcel in parcels if parcel.unsettled is None])
        desk.session.commit()
        ready += self._settled(seats, [parcel for parcel in parcels if parcel.unsettled is not None], recipients)
        ready = [] if self.is_settling else allowed(desk, channel, ready, recipients)
        desk.session.commit()
        letters = {} if channel in FETCHED else desk.letters.make(desk.session, ready)
        if channel not in FETCHED:
            ready = set_aside(desk, ready, letters)
        for number, some in enumerate(self._parts_of(ready)):
            if desk.worker.is_stopping and number:
                break
            self._send(seats, some, recipients, letters)
        work.give_back(desk.session, desk.worker, self._claimed, desk.clock.now())

    def _parts_of(self, parcels: Sequence[Parcel]) -> Iterator[Sequence[Parcel]]:
        """What is committed together."""
        size = 1 if self.channel.commit_each else len(parcels)
        yield from (parcels[start : start + size] for start in range(0, len(parcels), size or 1))

    def _send(self, seats: Seats, parcels: Sequence[Parcel], recipients: Recipients, letters: MadeLetters) -> None:
        desk = self.desk
        mine = work.keep(desk.session, desk.worker, [one.delivery.id for one in parcels], desk.clock.now())
        parcels = [parcel for parcel in parcels if parcel.delivery.id in mine]
        for parcel in parcels:
            attempt = open_attempt(parcel, self.channel.channel, desk.clock)
            attempt.document_id = letters.get(parcel.delivery.id, NO_LETTER).document_id
            desk.session.add(attempt)
        desk.consignments.fill(parcels, recipients, letters)
        desk.session.commit()
        self.record(parcels, self._answers(seats, parcels))

    def _answers(self, seats: Seats, parcels: Sequence[Parcel]) -> Mapping[str, Result]:
        consignments = [parcel.consignment for parcel in parcels if parcel.consignment is not None]
        reachable = [one for one in consignments if _is_reachable(self.channel.channel, one.recipient)]
        gone = Result(Outcome.REFUSED, detail="address_gone")
        answers = {one.key: gone for one in consignments}
        size = self.channel.batch_size
        batches = [reachable[start : start + size] for start in range(0, len(reachable), size)]
        for batch, future in zip(batches, seats.map(self.channel.send, batches), strict=True):
            answer = result_of(future)
            answers.update({one.key: answer for one in batch} if isinstance(answer, Result) else answer)
        return answers

    def _settled(self, seats: Seats, parcels: Sequence[Parcel], recipients: Recipients) -> list[Parcel]:
        """Ask what became of attempts left open; gives the parcels that surely did not arrive and are sent now."""
        if not parcels:
            return []
        self.desk.consignments.fill(parcels, recipients, {})
        consignments = [parcel.consignment for parcel in parcels if parcel.consignment is not None]
        futures = seats.map(self.channel.find, consignments)
        found = {one.key: result_of(future) for one, future in zip(consignments, futures, strict=True)}
        again = [parcel for parcel in parcels if self._is_absent(parcel, found)]
        self.record([parcel for parcel in parcels if parcel not in again], found)
        return still_owed(self.desk, again)

    def _is_absent(self, parcel: Parcel, found: Mapping[str, Result]) -> bool:
        """Whether the provider knows nothing of it. A question it would not answer is no such word."""
        attempt = parcel.attempt
        answer = found[attempt.key] if attempt is not None else None
        if attempt is None or answer is None or answer.outcome is not Outcome.UNAVAILABLE or answer.needs_alarm:
            return False
        attempt.outcome, attempt.closed_at = Outcome.UNAVAILABLE, self.desk.clock.now()
        attempt.resent = attempt.resent or self.channel.commit_each
        return True

    def record(self, parcels: Sequence[Parcel], answers: Mapping[str, Result]) -> None:
        """Write down what became of each attempt that is still ours. Commits."""
        desk = self.desk
        mine = work.keep(desk.session, desk.worker, [one.delivery.id for one in parcels], desk.clock.now())
        for parcel in parcels:
            attempt = parcel.attempt
            if attempt is None or parcel.delivery.id not in mine:
                continue
            missing = Result(Outcome.UNCERTAIN, detail="no_answer", needs_alarm=True)
            desk.ledger.record(parcel, attempt, answers.get(attempt.key, missing))
        desk.session.commit()
        self._claimed -= {parcel.delivery.id for parcel in parcels}


def _is_reachable(channel: Channel, recipient: Recipient) -> bool:
    return channel not in REACHED_BY or bool(getattr(recipient, REACHED_BY[channel]))


def settle_strays(desk: Desk, channel: MessageChannel | None, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Ask other channels about attempts that were left open there; gives the parcels that *channel* may go on with.

    Seldom: the plan was changed by a person while nobody knew what had become of the attempt. Does not commit.
    """
    going: list[Parcel] = []
    for parcel in parcels:
        attempt = parcel.unsettled
        if attempt is None or (channel is not None and attempt.channel is channel.channel):
            going.append(parcel)
            continue
        desk.consignments.fill([parcel], desk.consignments.recipients(attempt.channel, [parcel]), {})
        asked = desk.channels.messages.get(attempt.channel)
        unknown = Result(Outcome.UNCERTAIN, detail="cannot_be_asked", needs_alarm=True)
        found = asked.find(parcel.consignment) if asked and parcel.consignment else unknown
        if found.outcome in (Outcome.REFUSED, Outcome.UNAVAILABLE) and not found.needs_alarm:
            attempt.outcome, attempt.closed_at = found.outcome, desk.clock.now()
            going.append(parcel)
        else:
            uncertain = Result(Outcome.UNCERTAIN, detail=found.detail, needs_alarm=found.needs_alarm)
            desk.ledger.record(parcel, attempt, found if found.outcome is Outcome.ACCEPTED else uncertain)
    return going


def still_owed(desk: Desk, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Close what was paid, credited or cancelled meanwhile; gives the rest. Does not commit."""
    owed = [parcel for parcel in parcels if parcel.invoice.closed_at is None]
    for parcel in parcels:
        if parcel.invoice.closed_at is not None:
            desk.ledger.close(parcel)
    return owed


def allowed(desk: Desk, channel: Channel, parcels: Sequence[Parcel], recipients: Recipients) -> list[Parcel]:
    """Let those wait who may not be reached from here; gives the rest. Does not commit."""
    rule = Allowed.by(desk.settings)
    passed: list[Parcel] = []
    for parcel in parcels:
        if rule.lets(channel, recipients[parcel.delivery.id]):
            passed.append(parcel)
            continue
        desk.ledger.wait(parcel, NOT_ALLOWED_WAIT)
        desk.ledger.tally.not_allowed += 1
        log.warning("not in ALLOWED_RECIPIENTS: waits", invoice=parcel.invoice.public_id, channel=channel)
    return passed


def set_aside(desk: Desk, parcels: Sequence[Parcel], made: Container[int]) -> list[Parcel]:
    """Let those wait that could not be *made* ready, for somebody to repair; gives the rest. Does not commit."""
    for parcel in parcels:
        if parcel.delivery.id not in made:
            desk.ledger.tally.alarms += 1
            desk.ledger.wait(parcel)
    return [parcel for parcel in parcels if parcel.delivery.id in made]
