"""The figures of the statistics page for a period and a category, from the summary tables, small groups hidden."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.delivery.statistics import counted_at, month_of
from app.delivery.statistics_models import InvoiceCount, MandateCount, RefusalCount, ResidentCount
from app.routing.channels import Answer, Channel, Reason
from app.staff.small_groups import Amount, total
from app.staff.statistics_models import OfferCount

MONTHS_AT_FIRST = 12


def next_month(month: int, step: int = 1) -> int:
    """The month *step* months after *month*, both as year × 100 + month."""
    number = month // 100 * 12 + month % 100 - 1 + step
    return number // 12 * 100 + number % 12 + 1


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: months from ``first`` to ``last``, and one category (None: all)."""

    first: int
    last: int
    category: str | None = None

    @property
    def months(self) -> list[int]:
        """Every month of the period, oldest first."""
        found = [self.first]
        while found[-1] < self.last:
            found.append(next_month(found[-1]))
        return found


class Way(NamedTuple):
    """Where an invoice is, as finely as the page tells it: no two ways share an invoice."""

    channel: str
    has_letter: bool
    hold: str
    is_closed: bool


@dataclass(slots=True)
class Figures:
    """Everything the page shows. ``sent`` by month and channel; ``letters`` by month: all that went on paper."""

    choice: Choice
    counted_at: dt.datetime | None
    invoices: Amount = field(default_factory=Amount)
    sent: dict[tuple[int, Channel], Amount] = field(default_factory=lambda: defaultdict(Amount))
    letters: dict[int, Amount] = field(default_factory=lambda: defaultdict(Amount))
    held: dict[Reason, Amount] = field(default_factory=lambda: defaultdict(Amount))
    refused: dict[tuple[Channel, str, bool], Amount] = field(default_factory=lambda: defaultdict(Amount))
    residents: dict[int, People] = field(default_factory=dict)
    mandates: dict[int, Amount] = field(default_factory=dict)
    offers: list[Offers] = field(default_factory=list)

    def sent_by(self, channel: Channel) -> Amount:
        """What went by *channel* in the whole period."""
        return total(self.sent[month, channel] for month in self.choice.months)

    def sent_in(self, month: int) -> Amount:
        """What went in *month*, whatever the channel."""
        return total(self.sent[month, channel] for channel in Channel)

    @property
    def all_sent(self) -> Amount:
        """What went at all."""
        return total(self.sent_by(channel) for channel in Channel)

    def digital_in(self, month: int) -> Amount:
        """What went in *month* by anything but a letter."""
        return total(self.sent[month, channel] for channel in Channel if channel is not Channel.PAPER)

    @property
    def digital(self) -> Amount:
        """What went by anything but a letter."""
        return total(self.digital_in(month) for month in self.choice.months)

    def avoided_in(self, month: int) -> int:
        """How many letters did not have to be sent in *month*: every invoice that went less every letter that went."""
        return max(0, self.sent_in(month).value - self.letters[month].value)

    def saved_in(self, month: int, settings: Settings) -> int:
        """What it would have cost by letter less what it cost, in whole øre, by CHANNEL_PRICE_ORE."""
        prices = prices_of(settings)
        cost = sum(self.sent[month, channel].value * prices[channel] for channel in Channel)
        notices = self.letters[month].value - self.sent[month, Channel.PAPER].value
        return self.sent_in(month).value * prices[Channel.PAPER] - cost - notices * prices[Channel.PAPER]

    @property
    def people(self) -> People | None:
        """The residents as last counted in the period, or before it."""
        months = [month for month in self.residents if month <= self.choice.last]
        return self.residents[max(months)] if months else None

    def saved(self, settings: Settings) -> int:
        """What was saved in the whole period, in whole øre."""
        return sum(self.saved_in(month, settings) for month in self.choice.months)

    @property
    def activated(self) -> Amount:
        """How many have switched eFaktura on after a mail from us."""
        return total(one.active for one in self.offers)

    def efaktura_in(self, month: int) -> Amount:
        """How many residents had eFaktura in *month*."""
        return self.residents[month].has_efaktura if month in self.residents else Amount()

    @property
    def is_rounded(self) -> bool:
        """Whether some sums are about right only, since they hold small groups."""
        return self.invoices.is_rounded or (self.people is not None and self.people.all.is_rounded)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.invoices.value and not self.residents


@dataclass(slots=True)
class People:
    """The residents of one month: how many there are, and how many can be reached how."""

    month: int
    all: Amount = field(default_factory=Amount)
    registered: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    confirmed: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    has_efaktura: Amount = field(default_factory=Amount)


@dataclass(frozen=True, slots=True)
class Offers:
    """What came of one campaign. Mails and residents are each split into groups that share nobody, then summed."""

    name: str
    sent: Amount
    delivered: Amount
    bounced: Amount
    answered: Amount
    yes: Amount
    active: Amount

    @classmethod
    def of(cls, row: OfferCount) -> Offers:
        """The campaign of *row*."""
        delivered, bounced = Amount.of(row.delivered), Amount.of(row.bounced)
        under_way = Amount.of(max(0, row.sent - row.delivered - row.bounced))
        active = Amount.of(row.active)
        yes = active + Amount.of(max(0, row.yes - row.active))
        answered = yes + Amount.of(max(0, row.answered - row.yes))
        return cls(row.name, delivered + bounced + under_way, delivered, bounced, answered, yes, active)


def prices_of(settings: Settings) -> dict[Channel, int]:
    """What one invoice costs by each channel, in øre; what the setting does not name costs as shipped."""
    shipped: dict[str, int] = type(settings).model_fields["channel_price_ore"].default
    return {Channel(name): price for name, price in {**shipped, **settings.channel_price_ore}.items()}


def months_there(session: Session, today: dt.date) -> list[int]:
    """Every month that may be chosen: from the first that has invoices to this one, or the last that has."""
    oldest, newest = session.execute(select(func.min(InvoiceCount.month), func.max(InvoiceCount.month))).one()
    this = month_of(today)
    return Choice(min(oldest or this, this), max(newest or this, this)).months


def categories_there(session: Session) -> list[str]:
    """Every category that has invoices."""
    return sorted(session.scalars(select(InvoiceCount.category).distinct()))


def read_figures(session: Session, choice: Choice) -> Figures:
    """The figures of *choice*, in six statements whatever the number of invoices."""
    figures = Figures(choice, counted_at(session))
    _read_invoices(session, figures)
    _read_refusals(session, figures)
    _read_residents(session, figures)
    for month, group in _by_month(session.execute(select(MandateCount.month, MandateCount.count)).all()).items():
        if choice.first <= month <= choice.last:
            figures.mandates[month] = group
    newest_first = select(OfferCount).order_by(OfferCount.month.desc(), OfferCount.name)
    campaigns = session.scalars(newest_first.where(OfferCount.month.between(choice.first, choice.last)))
    figures.offers = [Offers.of(row) for row in campaigns]
    return figures


def _by_month(rows: Iterable[tuple[int, int]]) -> dict[int, Amount]:
    found: dict[int, Amount] = defaultdict(Amount)
    for month, count in rows:
        found[month] += Amount.of(count)
    return found


def _read_invoices(session: Session, figures: Figures) -> None:
    choice, groups = figures.choice, Counter[tuple[int, str, Way]]()
    query = select(InvoiceCount).where(InvoiceCount.month.between(choice.first, choice.last))
    if choice.category is not None:
        query = query.where(InvoiceCount.category == choice.category)
    for row in session.scalars(query):
        has_letter = Channel.PAPER.value in (row.channel, row.notice_channel)
        way = Way(row.channel, has_letter, row.hold, not row.channel and row.place == "closed")
        groups[row.month, row.category, way] += row.count
    for (month, _category, way), count in groups.items():
        amount = Amount.of(count)
        figures.invoices += amount
        if way.channel:
            figures.sent[month, Channel(way.channel)] += amount
        if way.has_letter and way.channel:
            figures.letters[month] += amount
        if way.hold:
            figures.held[Reason(way.hold)] += amount


def _read_refusals(session: Session, figures: Figures) -> None:
    choice = figures.choice
    query = select(RefusalCount).where(RefusalCount.month.between(choice.first, choice.last))
    if choice.category is not None:
        query = query.where(RefusalCount.category == choice.category)
    for row in session.scalars(query):
        figures.refused[Channel(row.channel), row.detail, row.is_late] += Amount.of(row.count)


def _read_residents(session: Session, figures: Figures) -> None:
    for row in session.scalars(select(ResidentCount).where(ResidentCount.month <= figures.choice.last)):
        people, amount = figures.residents.setdefault(row.month, People(row.month)), Amount.of(row.count)
        people.all += amount
        for kind, state in (("mobile", row.mobile), ("email", row.email)):
            if state != "none":
                people.registered[kind] += amount
            if state == "confirmed":
                people.confirmed[kind] += amount
        if row.efaktura == Answer.YES.value:
            people.has_efaktura += amount
