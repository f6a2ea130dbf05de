"""The sections of the statistics page: what was found in a sentence, the chart, and the table behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _

from app.core.settings import Settings
from app.routing.channels import Channel
from app.staff import statistics_tables as tables
from app.staff import statistics_words as words
from app.staff.charts import Bar, Drawing, Series
from app.staff.small_groups import Amount, total
from app.staff.statistics_figures import Figures


@dataclass(frozen=True, slots=True)
class Section:
    """``sentence`` says the finding in words; ``empty`` stands in its place where there is nothing to tell."""

    heading: str
    sentence: str
    table: tables.Table
    drawing: Drawing | None
    is_empty: bool = False

    @property
    def drawings(self) -> list[Drawing]:
        """Wide and narrow."""
        return [] if self.drawing is None else [self.drawing, replace(self.drawing, is_narrow=True)]


def sections(figures: Figures, settings: Settings) -> list[Section]:
    """All sections, in the order of the page."""
    made = (_channels, _months, _savings, _contact, _agreements, _offers, _held, _refused)
    return [one(figures, settings) for one in made]


def _bars(title: str, items: Iterable[tuple[str, float, str]]) -> Drawing | None:
    bars = tuple(Bar(name, value, text) for name, value, text in items)
    return Drawing("bars", title, words.numbers(), items=bars) if any(bar.value for bar in bars) else None


def _panels(title: str, months: Sequence[int], series: Iterable[Series], **more: Any) -> Drawing | None:
    kept = tuple(series)
    if not any(value for one in kept for value in one.values):
        return None
    drawing = Drawing("panels", title, words.numbers(), months=words.short_months(list(months)), series=kept)
    return replace(drawing, **more)


def _visible(amount: Amount) -> float:
    return 0 if amount.limit is not None else amount.value


def _counted(amount: Amount | None) -> float | None:
    return None if amount is None or amount.limit is not None else amount.value


def _with_share(amount: Amount, share: float | None) -> str:
    return words.amount(amount) if share is None else f"{words.percent(share)} ({words.amount(amount)})"


def _channels(figures: Figures, settings: Settings) -> Section:
    heading, whole = _("Slik får innbyggerne fakturaen"), figures.all_sent
    items = [
        (words.channel(channel), amount.share_of(whole) or 0.0, _with_share(amount, amount.share_of(whole)))
        for channel in Channel
        for amount in [figures.sent_by(channel)]
    ]
    sentence = _(
        "%(share)s av %(all)s fakturaer gikk digitalt. %(letters)s gikk som brev i posten.",
        share=words.percent(figures.digital.share_of(whole)),
        all=words.amount(whole),
        letters=words.amount(figures.sent_by(Channel.PAPER)),
    )
    return Section(heading, sentence, tables.channels(figures, settings), _bars(heading, items), not whole.value)


def _months(figures: Figures, settings: Settings) -> Section:
    heading = _("Utvikling måned for måned")
    months = [month for month in figures.choice.months if figures.sent_in(month).value]
    shares = [(month, figures.digital_in(month).share_of(figures.sent_in(month))) for month in months]
    sentence = ""
    if shares:
        (first, before), (last, now) = shares[0], shares[-1]
        sentence = _(
            "Andelen som gikk digitalt, var %(before)s i %(first)s og %(now)s i %(last)s.",
            before=words.percent(before),
            first=words.month(first),
            now=words.percent(now),
            last=words.month(last),
        )
    series = []
    for channel in Channel:
        found = [figures.sent[month, channel].share_of(figures.sent_in(month)) for month in figures.choice.months]
        newest = figures.sent[months[-1], channel].share_of(figures.sent_in(months[-1])) if months else None
        values = tuple(None if share is None else round(share * 100, 2) for share in found)
        series.append(Series(f"{words.channel(channel)} {words.percent(newest)}", values))
    drawing = _panels(heading, figures.choice.months, series, label=words.percent_label())
    return Section(heading, sentence, tables.months(figures, settings), drawing, not shares)


def _savings(figures: Figures, settings: Settings) -> Section:
    heading, months = _("Dette har vi spart (anslag)"), figures.choice.months
    saved = [figures.saved_in(month, settings) for month in months]
    sentence = _(
        "Vi slapp å sende %(letters)s brev. Det sparte %(money)s.",
        letters=words.number(sum(figures.avoided_in(month) for month in months)),
        money=words.kroner(sum(saved)),
    )
    series = [Series(heading, tuple(amount_ore / 100 for amount_ore in saved))]
    drawing = _panels(heading, months, series, mark="bar", label=words.kroner_label())
    is_empty = not figures.all_sent.value
    return Section(heading, sentence, tables.savings(figures, settings), drawing, is_empty)


def _contact(figures: Figures, settings: Settings) -> Section:
    heading, people = _("Så mange kan vi nå"), figures.people
    table = tables.contact(figures, settings)
    if people is None or not people.all.value:
        return Section(heading, "", table, None, is_empty=True)
    names = {
        "mobile": (_("Mobil, registrert"), _("Mobil, bekreftet")),
        "email": (_("E-post, registrert"), _("E-post, bekreftet")),
    }
    items = []
    for kind, (registered, confirmed) in names.items():
        for name, amount in ((registered, people.registered[kind]), (confirmed, people.confirmed[kind])):
            share = amount.share_of(people.all)
            items.append((name, share or 0.0, _with_share(amount, share)))
    sentence = _(
        "Av %(all)s kunder har vi mobilnummeret til %(mobile)s og e-postadressen til %(email)s.",
        all=words.amount(people.all),
        mobile=words.amount(people.registered["mobile"]),
        email=words.amount(people.registered["email"]),
    )
    return Section(heading, sentence, table, _bars(heading, items))


def _agreements(figures: Figures, settings: Settings) -> Section:
    heading, months = _("Avtaler om eFaktura og AvtaleGiro"), figures.choice.months
    table = tables.agreements(figures, settings)
    if not table.rows:
        return Section(heading, "", table, None, is_empty=True)
    newest = table.rows[-1]
    giro, efaktura = tables.shown(newest[1]), tables.shown(newest[2])
    sentence = _(
        "%(giro)s avtaler om AvtaleGiro gjelder nå, og %(efaktura)s kunder har eFaktura.", giro=giro, efaktura=efaktura
    )
    people = figures.residents
    series = [
        Series(f"AvtaleGiro: {giro}", tuple(_counted(figures.mandates.get(month)) for month in months)),
        Series(
            f"eFaktura: {efaktura}",
            tuple(_counted(people[month].has_efaktura if month in people else None) for month in months),
        ),
    ]
    return Section(heading, sentence, table, _panels(heading, months, series))


def _offers(figures: Figures, settings: Settings) -> Section:
    heading, table = _("Fra e-post til eFaktura"), tables.offers(figures, settings)
    if not figures.offers:
        return Section(heading, "", table, None, is_empty=True)
    newest = figures.offers[0]
    stages = zip([column.name for column in table.columns[1:]], table.rows[0][1:], strict=True)
    items = [(name, _visible(cell), words.amount(cell)) for name, cell in stages if isinstance(cell, Amount)]
    sentence = _(
        "I den siste utsendingen, «%(name)s», ble %(sent)s e-poster sendt, og %(yes)s svarte ja.",
        name=newest.name,
        sent=words.amount(newest.sent),
        yes=words.amount(newest.yes),
    )
    return Section(heading, sentence, table, _bars(f"{heading}: {newest.name}", items))


def _held(figures: Figures, settings: Settings) -> Section:
    heading, table = _("Fakturaer som venter på en saksbehandler"), tables.held(figures, settings)
    found = sorted(figures.held.items(), key=lambda item: (-item[1].value, item[0].value))
    items = [(words.hold(reason), _visible(amount), words.amount(amount)) for reason, amount in found]
    sentence = _("%(count)s fakturaer holdes tilbake.", count=words.amount(total(figures.held.values())))
    return Section(heading, sentence, table, _bars(heading, items), not found)


def _refused(figures: Figures, settings: Settings) -> Section:
    heading, table = _("Fakturaer som ikke ble tatt imot"), tables.refused(figures, settings)
    by_channel = {
        channel: total(amount for (which, _code, _late), amount in figures.refused.items() if which is channel)
        for channel in Channel
    }
    items = [
        (words.channel(channel), _visible(amount), words.amount(amount))
        for channel, amount in by_channel.items()
        if amount.value
    ]
    sentence = _(
        "%(count)s forsøk ble avvist. Da går fakturaen videre til neste måte.",
        count=words.amount(total(by_channel.values())),
    )
    return Section(heading, sentence, table, _bars(heading, items), not items)
