"""Sends mails of a campaign, a few at a time: each is on record before it leaves, so a kill leaves only those open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

import structlog
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app.campaigns import claims
from app.campaigns.bounces import close_address
from app.campaigns.claims import Ended
from app.campaigns.mail import Letter, Writer
from app.campaigns.models import Offer, OfferMail
from app.campaigns.outgoing import Outgoing
from app.campaigns.pace import Pace, is_open_at
from app.campaigns.states import first_name
from app.clients.rules import Judgement, Verdict
from app.core.clock import Clock
from app.core.dialect import one_of
from app.core.settings import Settings
from app.delivery.workers import Worker
from app.residents.models import ContactKind, ContactPoint, Resident

log = structlog.get_logger(__name__)

# So many mails a seat are begun, and half of them put on record together: the disk is waited for once.
AHEAD = 32
# So many in a row that were not taken, and nobody is at home.
MOST_UNTAKEN = 25
LONGEST_NAP = 1.0
# What a seat takes at a time.
SLICE = 8

Flight = Future[list[Judgement]]
Begun = Row[int, bool]


def read_letters(session: Session, ids: Sequence[int]) -> dict[int, Letter]:
    """What is needed to write the mails *ids*, by id. No name where several have the address. Commits."""
    several = _shared(session, ids)
    rows = session.execute(
        select(OfferMail.id, OfferMail.key, OfferMail.public_id, Offer.public_id, Offer.link_number, OfferMail.address,
               Resident.name, OfferMail.language)
        .join(Offer, Offer.mail_id == OfferMail.id)
        .join(Resident, Resident.id == Offer.resident_id)
        .where(one_of(session, OfferMail.id, ids))
        .order_by(Offer.id.desc())
    )  # fmt: skip
    letters: dict[int, Letter] = {}
    for mail_id, key, mail, offer, number, address, name, language in rows:
        is_shared = mail_id in letters or address in several
        letters[mail_id] = Letter(key, mail, offer, number, address, "" if is_shared else first_name(name), language)
    session.commit()
    return letters


def _shared(session: Session, ids: Sequence[int]) -> set[str]:
    """The addresses that several residents have, also those who are not asked."""
    mine = select(OfferMail.address).where(one_of(session, OfferMail.id, ids))
    query = (
        select(ContactPoint.value)
        .where(ContactPoint.value.in_(mine), ContactPoint.kind == ContactKind.EMAIL, ContactPoint.closed_at.is_(None))
        .group_by(ContactPoint.value)
        .having(func.count() > 1)
    )
    return set(session.scalars(query))


@dataclass(slots=True)
class Sender:
    """Sends what it is given, until told to end. ``counts``: how the mails ended, by verdict.

    ``sent``: how many count as taken. ``ended_by``: why nothing more is sent in this run (``stopped``, ``hours``,
    ``server``, ``signal``), empty while there is no reason. ``is_braked`` is asked after a refusal.
    """

    session: Session
    settings: Settings
    clock: Clock
    worker: Worker
    way: Outgoing
    writer: Writer
    campaign_id: int
    is_braked: Callable[[], bool]
    pace: Pace
    progress: Callable[[int], None] = lambda _done: None
    counts: Counter[Verdict] = field(default_factory=Counter)
    sent: int = 0
    needs_alarm: bool = False
    ended_by: str = ""
    _untaken: int = 0

    @property
    def is_over(self) -> bool:
        """Whether to begin nothing more."""
        return bool(self.ended_by)

    def send(self, ids: Sequence[int]) -> int:
        """Send those of *ids* that wait; gives how many were begun. Commits."""
        letters = read_letters(self.session, ids)
        waiting, begun = [mail_id for mail_id in ids if mail_id in letters], 0
        flying: dict[Flight, Sequence[Begun]] = {}
        most = AHEAD * self.settings.seats
        pool = ThreadPoolExecutor(self.settings.seats, thread_name_prefix="seat")
        try:
            while True:
                self._look_up()
                free = 0 if self.is_over else min(most - sum(map(len, flying.values())), len(waiting))
                going = self.pace.may_go(free) if free else 0
                some, waiting = waiting[:going], waiting[going:]
                rows = self._begin(some)
                for start in range(0, len(rows), SLICE):
                    slice_ = rows[start : start + SLICE]
                    written = [
                        replace(letters[row.id], is_resend=True) if row.resent else letters[row.id] for row in slice_
                    ]
                    flying[pool.submit(self._hand_over, written)] = slice_
                begun += len(rows)
                if not flying and (self.is_over or not waiting):
                    return begun
                self._land(flying, keep=len(flying) // 2 if waiting and not self.is_over else 0)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _look_up(self) -> None:
        """Whether there is a reason to end by now."""
        if self.is_over:
            return
        if self.worker.is_stopping:
            self.ended_by = "signal"
        elif not is_open_at(self.clock.now(), self.settings):
            self.ended_by = "hours"
        elif self._untaken >= MOST_UNTAKEN:
            self.ended_by = "server"

    def _begin(self, some: Sequence[int]) -> Sequence[Row[int, bool]]:
        """Put them on record as begun, together with what has ended since."""
        rows: Sequence[Row[int, bool]] = []
        if some:
            rows = claims.begin(self.session, self.worker, self.campaign_id, some, self.clock.now())
            if not rows and claims.is_stopped(self.session, self.campaign_id):
                self.ended_by = "stopped"
        self.session.commit()
        return rows

    def _hand_over(self, letters: Sequence[Letter]) -> list[Judgement]:
        """In a seat, one after the other; no call touches the database."""
        return [
            self.way.send(letter.key, letter.recipient, self.writer.prepare(letter, self.clock.now()))
            for letter in letters
        ]

    def _land(self, flying: dict[Flight, Sequence[Begun]], keep: int) -> None:
        """Wait until at most *keep* are under way, and note what the others came to; committed with the next."""
        if not flying:
            self.pace.wait(LONGEST_NAP)
            return
        done: set[Flight] = set()
        pending = set(flying)
        while len(pending) > keep or not done:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            done |= finished
        ended: list[Ended] = []
        for flight in done:
            begun = flying.pop(flight)
            judgements = _judged(flight, len(begun))
            ended += [Ended(row.id, row.resent, one) for row, one in zip(begun, judgements, strict=True)]
        claims.end(self.session, self.worker, ended, self.clock.now())
        self._note(ended)
        self.progress(len(ended))

    def _note(self, ended: Sequence[Ended]) -> None:
        for one in ended:
            verdict = one.judgement.verdict
            self.counts[verdict] += 1
            self.sent += one.is_sent
            self.needs_alarm = self.needs_alarm or one.judgement.needs_alarm
            self._untaken = self._untaken + 1 if verdict is Verdict.UNAVAILABLE else 0
            if verdict is Verdict.REFUSED:
                close_address(self.session, self.settings, one.mail_id, one.judgement.detail, self.clock.now())
        if any(one.judgement.verdict is Verdict.REFUSED for one in ended) and not self.is_over and self.is_braked():
            self.ended_by = "stopped"


def _judged(flight: Flight, count: int) -> Sequence[Judgement]:
    """A call that raised broke its contract, and whether it had handed over is unknown."""
    error = flight.exception()
    if error is None:
        return flight.result()
    if not isinstance(error, Exception):
        raise error
    log.error("offers' mails could not be handed over", error=type(error).__name__)
    return [Judgement(Verdict.UNCERTAIN, type(error).__name__, True)] * count
