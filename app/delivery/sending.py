"""Sends what is due through the channels that take messages: an attempt on record before each call, its end after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.channels.contract import Consignment, MessageChannel, Outcome, Recipient, Result
from app.core.clock import Clock
from app.delivery import work
from app.delivery.consignments import FETCHED, NO_LETTER, Letter
from app.delivery.desk import Desk, Seats, result_of
from app.delivery.flights import Flight, Group
from app.delivery.models import Attempt
from app.delivery.parcels import Parcel, load
from app.delivery.ready import Recipients, allowed, set_aside, settle_strays, still_owed
from app.routing.channels import Channel

GROUP = 50
LARGEST_BATCH = 250
# So few calls left to each seat of one group, and the next is made ready, so that no seat waits for it.
CALLS_AHEAD = 2
REACHED_BY = {Channel.EMAIL: "email", Channel.VIPPS: "mobile", Channel.MAILBOX: "national_id",
              Channel.EFAKTURA: "efaktura_identifier"}  # fmt: skip

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
    """Empties the queue of one message channel, group by group: while one is with the provider, the next is made ready.

    No transaction is open while this thread waits for a call. ``is_braked`` is asked after each group, when one more
    may be under way. ``is_settling``: only ask what became of open attempts, and send nothing.
    """

    desk: Desk
    channel: MessageChannel
    is_braked: Callable[[], bool] = lambda: False
    is_settling: bool = False
    _claimed: set[int] = field(default_factory=set)
    _is_over: bool = False

    def send_due(self, due_at: dt.datetime, limit: int | None) -> int:
        """Send what was due at *due_at*, at most *limit* parts; gives how many parts were handled."""
        count, lease = self.desk.settings.seats, self.desk.settings.lease.total_seconds()
        size = max(GROUP, CALLS_AHEAD * count) if self.channel.batch_size == 1 else self.channel.batch_size
        size = min(size, LARGEST_BATCH)
        seats = Seats(count, self._renew, lease / 4)
        handled, under_way = 0, None
        try:
            while True:
                if under_way is not None and under_way.flight is not None:
                    seats.wait(under_way.flight.futures, CALLS_AHEAD * count)
                if under_way is not None and not under_way.may_be_followed(size):
                    self._finish(seats, under_way)
                    under_way = None
                group = self._next(seats, due_at, size if limit is None else min(size, limit - handled))
                if under_way is not None:
                    self._finish(seats, under_way)
                if group is None:
                    break
                handled, under_way = handled + len(group.ids), group
        finally:
            seats.close()
        return handled

    def _next(self, seats: Seats, due_at: dt.datetime, most: int) -> Group | None:
        """The next group with its calls begun; None when there is to be none."""
        desk = self.desk
        if self._is_over or desk.worker.is_stopping or most <= 0:
            return None
        channel, is_settling = self.channel.channel, self.is_settling
        ids = work.take(desk.session, desk.worker, channel, most, due_at, is_settling=is_settling)
        if not ids:
            return None
        self._claimed |= set(ids)
        before, group = self._fruitless(), Group(ids)
        group.flight = self._begin(seats, ids)
        group.fruitless = self._fruitless() - before
        return group

    def _finish(self, seats: Seats, group: Group) -> None:
        """Wait for the calls of *group*, write down what came of them, and say whether to go on."""
        desk, before = self.desk, self._fruitless()
        if group.flight is not None:
            self._land(seats, group.flight)
        work.give_back(desk.session, desk.worker, self._claimed & set(group.ids), desk.clock.now())
        self._claimed -= set(group.ids)
        desk.progress(len(group.ids))
        if self.is_braked():
            self._is_over = True
        elif group.fruitless + self._fruitless() - before >= len(group.ids):
            # Nobody at home: the rest is not worth a time-out each, the next pass asks again.
            desk.ledger.tally.resting.add(self.channel.channel)
            self._is_over = True
        desk.session.commit()

    def _fruitless(self) -> int:
        return self.desk.ledger.tally.unavailable + self.desk.ledger.tally.uncertain

    def _renew(self) -> None:
        work.keep(self.desk.session, self.desk.worker, self._claimed, self.desk.clock.now())
        self.desk.session.commit()

    def _begin(self, seats: Seats, ids: Sequence[int]) -> Flight | None:
        """Make a group ready and begin its calls; what is committed one by one is sent here and now."""
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
        flight = None
        for number, some in enumerate(self._parts_of(ready)):
            if desk.worker.is_stopping and number:
                break
            flight = self._send(seats, some, recipients, letters)
            if self.channel.commit_each:
                self._land(seats, flight)
                flight = None
        desk.session.commit()
        return flight

    def _parts_of(self, parcels: Sequence[Parcel]) -> Iterator[Sequence[Parcel]]:
        """What is committed together."""
        size = 1 if self.channel.commit_each else len(parcels)
        yield from (parcels[start : start + size] for start in range(0, len(parcels), size or 1))

    def _send(self, seats: Seats, parcels: Sequence[Parcel], recipients: Recipients, letters: MadeLetters) -> Flight:
        """Put an attempt on record for each, and begin the calls."""
        desk, channel = self.desk, self.channel
        mine = work.keep(desk.session, desk.worker, [one.delivery.id for one in parcels], desk.clock.now())
        parcels = [parcel for parcel in parcels if parcel.delivery.id in mine]
        for parcel in parcels:
            attempt = open_attempt(parcel, channel.channel, desk.clock)
            attempt.document_id = letters.get(parcel.delivery.id, NO_LETTER).document_id
            desk.session.add(attempt)
        desk.consignments.fill(parcels, recipients, letters)
        desk.session.commit()
        consignments = [parcel.consignment for parcel in parcels if parcel.consignment is not None]
        reachable = [one for one in consignments if _is_reachable(channel.channel, one.recipient)]
        size = channel.batch_size
        batches = [reachable[start : start + size] for start in range(0, len(reachable), size)]
        gone = {one.key: _gone(one) for one in consignments}
        return Flight(parcels, gone, batches, seats.begin(channel.send, batches))

    def _land(self, seats: Seats, flight: Flight) -> None:
        """Wait for the calls, and write down what came of them."""
        seats.wait(flight.futures)
        self.record(flight.parcels, flight.landed())

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


def _gone(consignment: Consignment) -> Result:
    """The answer where there is no address any more. What is sent again may have arrived while there was one."""
    is_resend = consignment.is_resend
    outcome = Outcome.UNCERTAIN if is_resend else Outcome.REFUSED
    return Result(outcome, detail="address_gone", is_for_a_person=is_resend)
