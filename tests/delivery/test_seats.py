"""A slow provider never costs a database connection, and while it thinks the next group is made ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.channels.contract import Consignment, Outcome, Result
from app.core.settings import Settings
from app.delivery.models import Delivery, State
from app.delivery.passes import send_due
from app.delivery.sending import GROUP
from app.invoices.models import Invoice
from app.routing.channels import Channel
from tests.delivery.fakes import ACCEPTED, FakeMessages
from tests.delivery.town import Town

LONGEST_WAIT = 60.0


class Pool:
    """How many connections are in use, and by which threads any was ever taken."""

    def __init__(self, session: Session) -> None:
        engine = session.get_bind().engine
        self._lock = threading.Lock()
        self._in_use = 0
        self.threads: set[int] = set()
        event.listen(engine.pool, "checkout", self._out)
        event.listen(engine.pool, "checkin", self._in)

    def _out(self, *_details: object) -> None:
        with self._lock:
            self._in_use += 1
            self.threads.add(threading.get_ident())

    def _in(self, *_details: object) -> None:
        with self._lock:
            self._in_use -= 1

    @property
    def in_use(self) -> int:
        """Connections that somebody has now."""
        with self._lock:
            return self._in_use


class Thinking(FakeMessages):
    """Does something of its own before it answers."""

    def __init__(self, channel: Channel, think: Callable[[], object]) -> None:
        super().__init__(channel)
        self._think = think

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        self._think()
        return super().send(consignments)


def letters(town: Town, count: int) -> None:
    """So many parts that wait for the mailbox."""
    town.session.rollback()
    plan = town.plan(Channel.MAILBOX)
    for _ in range(count):
        town.invoice(plan)
    town.session.rollback()


def send(town: Town) -> int:
    """One pass."""
    with town.desk() as desk:
        return send_due(desk)


def test_no_connection_is_in_use_while_the_provider_of_a_group_is_asked(town: Town) -> None:
    letters(town, GROUP - 1)
    pool, seen = Pool(town.session), list[int]()
    town.channels.messages[Channel.MAILBOX] = Thinking(Channel.MAILBOX, lambda: seen.append(pool.in_use))
    assert send(town) == GROUP - 1
    assert seen == [0] * (GROUP - 1)
    assert pool.threads == {threading.get_ident()}, "no seat ever touches the database"


def test_whoever_waits_for_a_call_lets_the_connection_go(town: Town) -> None:
    """Each call waits until no connection is in use: had the sender kept one over a call, none would ever end."""
    letters(town, 3 * GROUP)
    pool, stuck = Pool(town.session), list[int]()

    def wait_for_the_connection() -> None:
        until = time.monotonic() + LONGEST_WAIT
        while pool.in_use:
            if time.monotonic() > until:
                stuck.append(1)
                return
            time.sleep(0.001)

    town.channels.messages[Channel.MAILBOX] = Thinking(Channel.MAILBOX, wait_for_the_connection)
    assert send(town) == 3 * GROUP
    assert stuck == []
    assert len(town.channels.messages[Channel.MAILBOX].other_side.taken) == 3 * GROUP


def test_a_second_group_begins_while_the_last_call_of_the_first_is_under_way(town: Town, settings: Settings) -> None:
    letters(town, 2 * GROUP)
    place, lock, next_began = [0], threading.Lock(), threading.Event()

    def let_one_wait_for_the_next_group() -> None:
        with lock:
            place[0] += 1
            mine = place[0]
        if mine == GROUP:
            assert next_began.wait(LONGEST_WAIT)
        elif mine > GROUP:
            next_began.set()

    channel = Thinking(Channel.MAILBOX, let_one_wait_for_the_next_group)
    town.channels.messages[Channel.MAILBOX] = channel
    assert send(town) == 2 * GROUP
    assert channel.other_side.numbers() == numbers(town)
    assert channel.other_side.repeats == []


def numbers(town: Town) -> list[str]:
    """The invoices that are in transit."""
    town.session.rollback()
    in_transit = select(Invoice.number).join(Delivery, Delivery.invoice_id == Invoice.id)
    return sorted(town.session.scalars(in_transit.where(Delivery.state == State.IN_TRANSIT)))


def test_after_a_group_that_was_mostly_not_taken_the_next_waits_for_its_end(town: Town) -> None:
    letters(town, 2 * GROUP)
    channel = FakeMessages(Channel.MAILBOX, script=lambda _one: Result(Outcome.UNAVAILABLE, detail="503"))
    town.channels.messages[Channel.MAILBOX] = channel
    assert send(town) == GROUP
    channel.script = lambda _one: ACCEPTED
    town.clock.pass_time(days=1)
    assert send(town) == 2 * GROUP
