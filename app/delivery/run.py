"""The job: plan, send, collect receipts, and again, until nothing more is due now."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy.orm import Session

from app.clients.bounce_box import bounce_boxes
from app.clients.sftp import SftpFolder
from app.core.clock import Clock
from app.core.crypto import vault
from app.core.links import presentation_links
from app.core.settings import Settings
from app.delivery import brakes, receipts, settle, work
from app.delivery.consignments import Consignments
from app.delivery.desk import Channels, Desk
from app.delivery.forecast import Forecast
from app.delivery.letters import InvoiceLetters
from app.delivery.models import RunRow
from app.delivery.outcomes import Ledger
from app.delivery.passes import is_stopped, send_due, sending_order, tidy
from app.delivery.planning import plan_pending
from app.delivery.sending import MessageSender
from app.delivery.workers import stopping_on_signals, working
from app.registries.models import Register

log = structlog.get_logger(__name__)

# So many passes without anything coming further, and the run ends although something is due: a provider is down.
PATIENCE = 5
# So often a run says how far it is, in seconds.
TOLD_EVERY = 2.0


@contextmanager
def open_desk(
    session: Session,
    settings: Settings,
    clock: Clock,
    channels: Channels,
    progress: Callable[[int], None] = lambda _done: None,
) -> Iterator[Desk]:
    """A worker at its desk, which ends its work cleanly on SIGTERM, and lets everything go at the end."""
    letters, boxes, bank = InvoiceLetters(settings, clock), bounce_boxes(settings), SftpFolder.by(settings)
    with working() as worker, stopping_on_signals(worker):
        try:
            yield Desk(
                session,
                settings,
                clock,
                channels,
                worker,
                Consignments(session, settings, vault(settings), presentation_links(settings)),
                letters,
                Ledger(session, settings, clock),
                progress,
                boxes,
                bank,
            )
        finally:
            session.rollback()
            letters.close()
            for channel in channels.messages.values():
                channel.close()
            for box in boxes:
                box.close()


@dataclass(slots=True)
class RunReport:
    """What one run did. ``needs_a_person``: a brake, an alarm, or something held."""

    passes: int = 0
    planned: int = 0
    handled: int = 0
    receipts: int = 0
    unknown_receipts: int = 0
    brakes: list[str] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    is_stopped: bool = False

    @property
    def needs_a_person(self) -> bool:
        """Whether the command ends with exit code 1."""
        return bool(self.brakes or self.counts.get("alarms") or self.counts.get("held"))

    def as_json(self) -> dict[str, Any]:
        """For ``--format json``."""
        return {
            "passes": self.passes,
            "planned": self.planned,
            "handled": self.handled,
            "receipts": self.receipts,
            "unknown_receipts": self.unknown_receipts,
            "brakes": self.brakes,
            "stopped": self.is_stopped,
            **self.counts,
        }


@dataclass(slots=True)
class Job:
    """One run at one desk. ``silent``: the registers that answered nothing at all."""

    desk: Desk
    silent: frozenset[Register] = frozenset()
    has_brakes: bool = True
    report: RunReport = field(default_factory=RunReport)
    row: RunRow | None = None
    _done: int = 0
    _told_at: float = 0.0

    def __post_init__(self) -> None:
        self.desk = replace(self.desk, progress=self._hear(self.desk.progress))

    def run(self) -> RunReport:
        """Work until nothing more is due, or nothing comes further. Commits as it goes."""
        desk, self.row = self.desk, self._begin()
        fruitless = 0
        while not desk.worker.is_stopping:
            before = desk.ledger.tally.moved
            news = self._one_pass()
            self.report.passes += 1
            fruitless = 0 if news or desk.ledger.tally.moved > before else fruitless + 1
            if fruitless and (fruitless >= PATIENCE or not self._is_due()):
                break
        self._end(self.row)
        return self.report

    def _one_pass(self) -> int:
        """Everything once; gives how much came further outside the tally."""
        desk = self.desk
        tidy(desk)
        changed = settle.replan_what_changed(desk.session, desk.settings, desk.clock.now())
        planned = self.plan().planned
        if desk.worker.is_stopping:
            return 0
        self.report.handled += send_due(desk, has_brakes=self.has_brakes)
        heard = receipts.collect(desk)
        self.report.receipts += heard
        return changed + planned + heard + settle.settle_mail(desk.session, desk.clock.now())

    def plan(self) -> Forecast:
        """Plan the outbox, and pull the brake when a silent register holds something; gives what was planned."""
        desk = self.desk
        silent = brakes.count_silence(desk.session, self.silent, desk.clock.now())
        forecast = plan_pending(desk.session, desk.settings, desk.clock, silent, desk.progress).forecast
        if silent and self.has_brakes:
            brakes.check_silence(desk.session, silent, desk.clock.now())
        self.report.planned += forecast.planned
        return forecast

    def _is_due(self) -> bool:
        """Whether anything could be sent now, had it a provider that answers."""
        desk, now = self.desk, self.desk.clock.now()
        return any(
            work.count_due(desk.session, channel, now)
            for channel in sending_order(desk.settings.routing_order)
            if not (self.has_brakes and is_stopped(desk, channel))
        )

    def _hear(self, progress: Callable[[int], None]) -> Callable[[int], None]:
        """Passes progress on, and lets those who look see it: with the next commit of the work itself."""

        def hear(done: int) -> None:
            progress(done)
            self._done += done
            now = time.monotonic()
            if self.row is not None and now - self._told_at >= TOLD_EVERY:
                self._told_at = now
                self.report.counts = self.desk.ledger.tally.as_json()
                self.row.counts = {**self.report.as_json(), "done": self._done}

        return hear

    def _begin(self) -> RunRow:
        row = RunRow(worker=self.desk.worker.name, started_at=self.desk.clock.now(), counts={})
        self.desk.session.add(row)
        self.desk.session.commit()
        return row

    def _end(self, row: RunRow) -> None:
        desk, tally = self.desk, self.desk.ledger.tally
        self.report.is_stopped = desk.worker.is_stopping
        self.report.brakes = describe_brakes(desk.session)
        self.report.unknown_receipts = receipts.count_unknown(desk)
        self.report.counts = tally.as_json()
        row.finished_at, row.counts = desk.clock.now(), self.report.as_json()
        desk.session.commit()


def describe_brakes(session: Session) -> list[str]:
    """The brakes that are pulled, in words."""
    return [
        f"{brake.kind.value} brake on {brake.channel.value if brake.channel else 'everything'}: "
        f"{brake.share:.0%}, usual {brake.usual_share:.0%}"
        for brake in brakes.pulled(session)
    ]


def collect_receipts(desk: Desk) -> int:
    """Settle what is uncertain by asking, and collect receipts; gives how many receipts were handled. Commits."""
    tidy(desk)
    due_at: dt.datetime = desk.clock.now()
    for channel in desk.channels.messages.values():
        MessageSender(desk, channel, is_settling=True).send_due(due_at, None)
    heard = receipts.collect(desk)
    settle.settle_mail(desk.session, desk.clock.now())
    return heard
