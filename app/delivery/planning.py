"""Planning: every invoice in the outbox gets its plan, in batches, by a table of plans instead of one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.dialect import begin_writing
from app.core.settings import Settings
from app.delivery import batches, planning_tables
from app.delivery.claim_pairs import turn_away_second_claims
from app.delivery.credits import CreditReport, settle_credits
from app.delivery.days import Days
from app.delivery.facts import refresh_resident_facts
from app.delivery.forecast import Forecast, groups_of, keys_of
from app.delivery.kid_keys import renew_kid_keys
from app.delivery.plans import PlanBook
from app.delivery.updates import update_parts
from app.invoices.models import Pending
from app.registries.models import Register
from app.residents.models import StaleResident

BATCH = 5_000
BACKLOG_BATCH = 50_000
BACKLOG = 10_000
"""From so many invoices on the batches are large: fewer statements, while nobody waits for a single one."""

Progress = Callable[[int], None]
NOBODY: frozenset[Register] = frozenset()


@dataclass(slots=True)
class PlanningReport:
    """What a run of planning did. ``left``: their facts could not be gathered, so they stay in the outbox."""

    forecast: Forecast = field(default_factory=Forecast)
    credits: CreditReport = field(default_factory=CreditReport)
    residents_gathered: int = 0
    plans_made: int = 0
    left: int = 0


def plan_pending(
    session: Session,
    settings: Settings,
    clock: Clock,
    silent: frozenset[Register] = NOBODY,
    progress: Progress | None = None,
) -> PlanningReport:
    """Plan everything in the outbox. Commits the caller's session, then each batch by itself.

    *silent*: the registers that answered nothing at all in this run. *progress* is told how many each batch held.
    What waits for an answer stays in the outbox; several planners may run at once.
    """
    with _own(session) as own:
        report = _Planner(own, settings, clock.now(), silent, progress).run()
    session.expire_all()
    return report


def dry_run(session: Session, settings: Settings, clock: Clock, silent: frozenset[Register] = NOBODY) -> Forecast:
    """What `plan_pending` would do now: it is done, counted and rolled back. Commits the caller's session first."""
    with _own(session) as own:
        try:
            return _Planner(own, settings, clock.now(), silent, None, is_dry=True).run().forecast
        finally:
            own.rollback()


@contextmanager
def _own(session: Session) -> Iterator[Session]:
    """A session on a connection of its own: temporary tables belong to the connection, which a pool would change."""
    session.commit()
    engine = session.get_bind()
    if not isinstance(engine, Engine):
        raise TypeError("planning needs a session that is bound to an engine")
    with engine.connect() as connection, Session(connection, expire_on_commit=False) as own:
        yield own


@dataclass(slots=True)
class _Planner:
    """One run. In a dry one nothing is committed, so everything is one transaction."""

    session: Session
    settings: Settings
    now: dt.datetime
    silent: frozenset[Register]
    progress: Progress | None
    is_dry: bool = False
    report: PlanningReport = field(default_factory=PlanningReport)
    book: PlanBook = field(init=False)
    days: Days = field(init=False)
    due_dates: set[dt.date] = field(default_factory=set)

    def run(self) -> PlanningReport:
        self.book = PlanBook.of(self.session, self.settings)
        self.days = Days(self.settings, self.now, self.silent)
        begin_writing(self.session)
        renew_kid_keys(self.session, self.settings)
        self.report.residents_gathered = refresh_resident_facts(self.session)
        self.report.credits = settle_credits(self.session, self.now)
        planning_tables.prepare(self.session)
        self._add_days(set(self.session.scalars(select(Pending.due_on).distinct())))
        self._commit()
        self._batches()
        planning_tables.drop(self.session)
        self._commit()
        self.report.plans_made = self.book.made
        return self.report

    def _batches(self) -> None:
        backlog = select(Pending.invoice_id).limit(BACKLOG).subquery()
        is_backlog = (self.session.scalar(select(func.count()).select_from(backlog)) or 0) >= BACKLOG
        size, after = BACKLOG_BATCH if is_backlog else BATCH, 0
        while (last := batches.last_of_batch(self.session, after, size)) is not None:
            if not self.is_dry:
                # Looking for the batch began a transaction that reads, and this one writes.
                self.session.rollback()
                begin_writing(self.session)
            self._batch(after, last)
            self._commit()
            after = last

    def _batch(self, after: int, last: int) -> None:
        self._take(after, last)
        self._find_plans()
        if turn_away_second_claims(self.session):
            self._find_plans()
        batches.insert_parts(self.session, self.now)
        update_parts(self.session, self.now)
        groups = groups_of(self.session)
        batches.remove_planned(self.session, after, last)
        for group in groups:
            self.report.forecast.add(group)
        self.report.left += sum(group.count for group in groups if group.is_lacking)
        if self.is_dry:
            for key, count in keys_of(self.session).items():
                if key is not None and key != planning_tables.CLOSED_KEY:
                    self.report.forecast.add_reasons(self.book.decide(key), count)
        if self.progress is not None:
            self.progress(sum(group.count for group in groups))

    def _take(self, after: int, last: int) -> None:
        """Take the batch; when facts are lacking (imported since the run began), gather them and take it again."""
        attempt = self.session.begin_nested()
        batches.take(self.session, self.settings, after, last)
        if batches.is_complete(self.session):
            attempt.commit()
            return
        due_dates, residents = batches.ungathered(self.session)
        attempt.rollback()
        self._add_days(due_dates)
        if residents:
            self.session.execute(insert(StaleResident), [{"resident_id": number} for number in sorted(residents)])
            self.report.residents_gathered += refresh_resident_facts(self.session)
        batches.take(self.session, self.settings, after, last)

    def _find_plans(self) -> None:
        missing = batches.find_plans(self.session, self.book.digest)
        if missing:
            self.book.store(missing)
            batches.find_plans(self.session, self.book.digest)

    def _add_days(self, due_dates: set[dt.date]) -> None:
        new = due_dates - self.due_dates
        batches.add_days(self.session, {due_on: self.days.facts(due_on) for due_on in sorted(new)})
        self.due_dates |= new

    def _commit(self) -> None:
        if not self.is_dry:
            self.session.commit()
