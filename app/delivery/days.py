"""What follows from a due date and today alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field

from app.core.calendar import earliest_avtalegiro_due, is_banking_day, latest_safe_day, oslo_date
from app.core.settings import Settings
from app.registries.models import Register
from app.routing.facts import DayFacts

LONGEST_CLAIM = dt.timedelta(days=365)
"""A claim may be handed in at most 12 months ahead; source: AvtaleGiro system spec 3.3."""

FIRST_HALF = 14


@dataclass(slots=True)
class Days:
    """The day facts of one planning run, which is one moment. ``now`` is aware."""

    settings: Settings
    now: dt.datetime
    silent: Collection[Register] = ()
    today: dt.date = field(init=False)
    _earliest_claim: dt.date = field(init=False)
    _taken_in_on: dt.date = field(init=False)
    _leads: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.today = oslo_date(self.now)
        self._earliest_claim = earliest_avtalegiro_due(self.now, self.settings.avtalegiro_lead_days)
        # Without lead days this is the day the bank takes a file of now in.
        self._taken_in_on = earliest_avtalegiro_due(self.now, 0)
        shipped: dict[str, int] = type(self.settings).model_fields["channel_lead_days"].default
        self._leads = {**shipped, **self.settings.channel_lead_days}

    def facts(self, due_on: dt.date) -> DayFacts:
        """The facts of *due_on* today."""
        return DayFacts(
            is_too_late_for_claim=due_on < self._earliest_claim,
            is_too_early_for_claim=due_on > self.today + LONGEST_CLAIM,
            is_too_late_for_bank_notice=self._taken_in_on > latest_bank_notice_on(due_on),
            is_too_late_for_efaktura=self._is_too_late(due_on, "efaktura"),
            is_too_late_for_vipps=self._is_too_late(due_on, "vipps"),
            is_too_early_for_vipps=due_on > self.today + dt.timedelta(days=self.settings.vipps_max_days),
            is_too_late_for_mailbox=self._is_too_late(due_on, "mailbox"),
            is_too_late_for_email=self._is_too_late(due_on, "email"),
            is_past_safe_day=self.today > latest_safe_day(due_on, self.settings.letter_lead_days),
            is_efaktura_silent=Register.EFAKTURA in self.silent,
            is_vipps_silent=Register.VIPPS in self.silent,
            is_krr_silent=Register.MAILBOX in self.silent or Register.RESERVATION in self.silent,
        )

    def _is_too_late(self, due_on: dt.date, channel: str) -> bool:
        return self.today > due_on - dt.timedelta(days=self._leads[channel])


def latest_bank_notice_on(due_on: dt.date) -> dt.date:
    """The last day the bank takes in a claim that it notifies of itself (type 21).

    It is the last banking day of a month for due dates from the 15th of the next month to the 14th of the month
    after. Source: AvtaleGiro user manual 3.1 (channels.md §2.4).
    """
    first = due_on.replace(day=1)
    if due_on.day <= FIRST_HALF:
        first = (first - dt.timedelta(days=1)).replace(day=1)
    day = first - dt.timedelta(days=1)
    while not is_banking_day(day):
        day -= dt.timedelta(days=1)
    return day
