"""One run of a campaign: what was left open, what waits from before, then the next addresses until none is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns import brakes, claims, enrol, service
from app.campaigns.asking import LastLook
from app.campaigns.bounces import take_returned
from app.campaigns.links import OfferLinks
from app.campaigns.mail import Writer
from app.campaigns.models import Campaign, CampaignState, MailState, OfferMail
from app.campaigns.outgoing import outgoing
from app.campaigns.pace import Pace, is_open_at, pace_of
from app.campaigns.select import CANDIDATE, Rules, candidates_at, count_addresses, count_by_reason, next_addresses
from app.campaigns.sending import Sender
from app.clients.rules import Verdict
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.workers import Worker
from app.registries.contract import Registry

# Made ready at a time: so many mails, or what leaves in so many minutes, so that the look-up is fresh.
CHUNK = 1000
FRESH_MINUTES = 5
GATEWAY, SERVER, LIMIT = "gateway", "server", "limit"
# What a person must look at, rather than the next run mend.
NEEDS_A_PERSON = frozenset({"stopped", GATEWAY, SERVER})


@dataclass(slots=True)
class RunReport:
    """What one run did. ``asked``: residents whose mails were made in it; ``sent``: mails; ``waiting``: mails still to
    leave. ``ended_by``: why it ended before its end, or empty. ``is_warned``: many mails come back."""

    campaign: str
    asked: int = 0
    sent: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    refused: int = 0
    not_taken: int = 0
    left_open: int = 0
    ended_by: str = ""
    is_warned: bool = False
    needs_alarm: bool = False

    @property
    def needs_a_person(self) -> bool:
        """Whether the command ends with exit code 1."""
        return self.ended_by in NEEDS_A_PERSON or self.needs_alarm or self.is_warned

    def as_json(self) -> dict[str, Any]:
        """For ``--format json``."""
        return {
            "asked": self.asked, "sent": self.sent, "skipped": dict(sorted(self.skipped.items())),
            "waiting": self.waiting, "campaign": self.campaign, "refused": self.refused, "not_taken": self.not_taken,
            "left_open": self.left_open, "ended_by": self.ended_by, "warned": self.is_warned,
        }  # fmt: skip


@dataclass(slots=True)
class Run:
    """One run of one campaign. ``collect`` reads the boxes of returned mails; ``limit``: most mails this time."""

    session: Session
    settings: Settings
    clock: Clock
    worker: Worker
    registry: Registry
    campaign: Campaign
    limit: int | None = None
    progress: Callable[[int], None] = lambda _done: None
    collect: Callable[[], None] = lambda: None
    pace: Pace | None = None
    report: RunReport = field(init=False)
    _look: LastLook = field(init=False)
    _after: str = ""

    def __post_init__(self) -> None:
        self.report = RunReport(self.campaign.name)
        self._look = LastLook(self.session, self.settings, self.registry, self.clock.today())

    def send_waiting(self) -> RunReport:
        """Send until nobody is left, or there is a reason to end. Commits as it goes; may be killed and repeated."""
        way, is_done = outgoing(self.settings, self.worker.name), False
        try:
            self.report.left_open = claims.free_gone(self.session, self.settings, way, self.clock.now())
            self._hear_bounces()
            counts = count_by_reason(self.session, self._rules())
            self.report.skipped.update({reason: number for reason, number in counts.items() if reason != CANDIDATE})
            writer = Writer(self.settings, OfferLinks.by(self.settings), way.line_end)
            pace = self.pace or Pace(pace_of(self.settings, self.campaign))
            sender = Sender(
                self.session, self.settings, self.clock, self.worker, way, writer, self.campaign.id, self._is_braked,
                pace, self.progress,
            )  # fmt: skip
            if claims.is_stopped(self.session, self.campaign.id):
                sender.ended_by = "stopped"
            begun = 0
            for ids in self._batches(sender):
                begun += sender.send(ids if self.limit is None else ids[: self.limit - begun])
                self._hear_bounces()
                self._hear_pace(pace)
                if self.limit is not None and begun >= self.limit and not sender.is_over:
                    sender.ended_by = LIMIT
            is_done = True
        finally:
            way.close(is_done=is_done)
        return self._told(sender)

    def _batches(self, sender: Sender) -> Iterator[Sequence[int]]:
        """Mails to send now, some at a time, looked up just before."""
        for source in (self._left_before, self._made_new):
            for ids in source():
                if self._look.is_silent and not sender.is_over:
                    sender.ended_by = GATEWAY
                if not sender.is_over and not is_open_at(self.clock.now(), self.settings):
                    sender.ended_by = "hours"
                if sender.is_over:
                    return
                yield ids
                if self._is_told_to_end(sender):
                    return

    def _is_told_to_end(self, sender: Sender) -> bool:
        return sender.is_over or self.worker.is_stopping

    def _left_before(self) -> Iterator[Sequence[int]]:
        """What an earlier run made and did not send: whoever must not be written to by now is taken out."""
        waiting, size = enrol.waiting_ids(self.session, self.campaign.id), self._size()
        for start in range(0, len(waiting), size):
            ids = waiting[start : start + size]
            addresses, residents = enrol.offered_at(self.session, ids)
            chosen = candidates_at(self.session, self._rules(is_waiting=True), addresses)
            kept = self._look.still_to_ask([one for one in chosen if one.resident_id in residents])
            yield enrol.take_out(self.session, ids, {one.resident_id for one in kept}, self.clock.now())

    def _made_new(self) -> Iterator[Sequence[int]]:
        while addresses := next_addresses(self.session, self._rules(), self._after, self._size()):
            self._after = addresses[-1]
            kept = self._look.still_to_ask(candidates_at(self.session, self._rules(), addresses))
            ids, asked = enrol.enrol(self.session, self.campaign, self._rules(), kept)
            self.report.asked += asked
            yield ids

    def _size(self) -> int:
        per_minute, size = pace_of(self.settings, self.campaign), CHUNK
        if per_minute:
            size = min(size, max(1, per_minute * FRESH_MINUTES))
        return size if self.limit is None else max(1, min(size, self.limit))

    def _rules(self, *, is_waiting: bool = False) -> Rules:
        return service.rules_for(self.settings, self.clock, self.campaign, is_waiting=is_waiting)

    def _is_braked(self) -> bool:
        return brakes.check(self.session, self.settings, self.campaign.id, self.clock.now())

    def _hear_pace(self, pace: Pace) -> None:
        """Somebody may have made the campaign slower or faster meanwhile."""
        self.session.refresh(self.campaign, ["mails_per_minute"])
        pace.per_minute = pace_of(self.settings, self.campaign) if self.pace is None else pace.per_minute

    def _hear_bounces(self) -> None:
        self.collect()
        take_returned(self.session, self.settings, self.clock)
        self._is_braked()
        self.session.commit()

    def _told(self, sender: Sender) -> RunReport:
        report, session = self.report, self.session
        report.sent, report.needs_alarm, report.ended_by = sender.sent, sender.needs_alarm, sender.ended_by
        report.refused, report.not_taken = sender.counts[Verdict.REFUSED], sender.counts[Verdict.UNAVAILABLE]
        report.skipped.update(self._look.skipped)
        if self._look.is_silent:
            report.ended_by = report.ended_by or GATEWAY
        under_way = OfferMail.state.in_((MailState.WAITING, MailState.SENDING))
        mine = select(func.count()).where(OfferMail.campaign_id == self.campaign.id, under_way)
        report.waiting = session.scalar(mine) or 0
        campaign = session.get_one(Campaign, self.campaign.id, populate_existing=True)
        if campaign.state is CampaignState.STOPPED:
            report.ended_by = "stopped"
        if report.ended_by or self.worker.is_stopping:
            if not report.ended_by:
                report.ended_by = "signal"
            report.waiting += count_addresses(session, self._rules(), self._after)
        elif not report.waiting and not self._look.skipped["unknown"]:
            service.finish(session, self.campaign.id)
        report.is_warned = brakes.is_warned(brakes.returns(session, campaign), self.settings)
        session.commit()
        return report
