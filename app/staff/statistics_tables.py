"""The tables of the statistics page: the same cells become a table in the page, a CSV file and a chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from flask_babel import gettext as _

from app.core.settings import Settings
from app.routing.channels import Channel
from app.staff import csv_files
from app.staff import statistics_words as words
from app.staff.small_groups import Amount, total
from app.staff.statistics_figures import Figures


class Month(NamedTuple):
    """A month, as year × 100 + month."""

    month: int


class Share(NamedTuple):
    """From 0 to 1, or nothing to tell."""

    share: float | None


class Money(NamedTuple):
    """Whole øre."""

    amount_ore: int


Cell = str | Amount | Month | Share | Money


class Column(NamedTuple):
    """``unit`` stands in the file's head, where the cells have none."""

    name: str
    is_number: bool = True
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One section's figures. ``key`` names its file; ``is_total`` says that the last row sums the others up."""

    key: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]] = field(default=())

    def shown(self) -> list[list[str]]:
        """The cells as the page writes them."""
        return [[shown(cell) for cell in row] for row in self.rows]

    def file(self) -> bytes:
        """The CSV file."""
        head = [f"{column.name} ({column.unit})" if column.unit else column.name for column in self.columns]
        return csv_files.csv_file(head, [[plain(cell) for cell in row] for row in self.rows])


def shown(cell: Cell) -> str:
    """A cell in words, in the language of the page."""
    match cell:
        case Amount():
            return words.amount(cell)
        case Month(month):
            return words.month(month)
        case Share(share):
            return words.percent(share)
        case Money(amount_ore):
            return words.kroner(amount_ore)
        case _:
            return cell


def plain(cell: Cell) -> csv_files.Cell:
    """A cell as a file holds it: numbers without units, months as ``2026-11``."""
    match cell:
        case Amount():
            return cell.value if cell.limit is None else words.fewer(cell.limit)
        case Month(month):
            return f"{month // 100}-{month % 100:02d}"
        case Share(share):
            return None if share is None else round(share * 100, 2)
        case Money(amount_ore):
            return amount_ore / 100
        case _:
            return cell


def channels(figures: Figures, _settings: Settings) -> Table:
    """How many invoices went by each channel."""
    whole = figures.all_sent
    rows: list[list[Cell]] = [
        [words.channel(channel), amount, Share(amount.share_of(whole))]
        for channel in Channel
        for amount in [figures.sent_by(channel)]
    ]
    rows.append([_("Sum"), whole, Share(whole.share_of(whole))])
    return Table("kanaler", [Column(_("Kanal"), False), Column(_("Fakturaer")), Column(_("Andel"), unit="%")], rows)


def months(figures: Figures, _settings: Settings) -> Table:
    """The same, month by month."""
    names = [Column(words.channel(channel)) for channel in Channel]
    rows: list[list[Cell]] = [
        [
            Month(month),
            *(figures.sent[month, channel] for channel in Channel),
            figures.sent_in(month),
            Share(figures.digital_in(month).share_of(figures.sent_in(month))),
        ]
        for month in figures.choice.months
    ]
    head = [Column(_("Måned"), False), *names, Column(_("Sum")), Column(_("Digitalt"), unit="%")]
    return Table("utvikling", head, rows)


def savings(figures: Figures, settings: Settings) -> Table:
    """What the letters that were not sent were worth."""
    rows: list[list[Cell]] = [
        [
            Month(month),
            figures.sent_in(month),
            figures.letters[month],
            Amount(figures.avoided_in(month)),
            Money(figures.saved_in(month, settings)),
        ]
        for month in figures.choice.months
    ]
    sums = figures.choice.months
    rows.append(
        [
            _("Sum"),
            figures.all_sent,
            total(figures.letters[month] for month in sums),
            Amount(sum(figures.avoided_in(month) for month in sums)),
            Money(sum(figures.saved_in(month, settings) for month in sums)),
        ]
    )
    head = [
        Column(_("Måned"), False), Column(_("Fakturaer")), Column(_("Brev")), Column(_("Brev vi slapp å sende")),
        Column(_("Spart"), unit="kr"),
    ]  # fmt: skip
    return Table("spart", head, rows)


def contact(figures: Figures, _settings: Settings) -> Table:
    """How many residents can be reached, and how many have confirmed it."""
    people = figures.people
    head = [
        Column(_("Opplysning"), False), Column(_("Registrert")), Column(_("Andel registrert"), unit="%"),
        Column(_("Bekreftet")), Column(_("Andel bekreftet"), unit="%"),
    ]  # fmt: skip
    if people is None:
        return Table("kontakt", head)
    rows: list[list[Cell]] = [
        [
            name,
            people.registered[kind],
            Share(people.registered[kind].share_of(people.all)),
            people.confirmed[kind],
            Share(people.confirmed[kind].share_of(people.all)),
        ]
        for kind, name in (("mobile", _("Mobilnummer")), ("email", _("E-postadresse")))
    ]
    return Table("kontakt", head, rows)


def agreements(figures: Figures, _settings: Settings) -> Table:
    """How many have AvtaleGiro and eFaktura, month by month, from when it was first counted."""
    counted = [month for month in figures.choice.months if month in figures.residents or month in figures.mandates]
    rows: list[list[Cell]] = [
        [Month(month), figures.mandates.get(month, Amount()), figures.efaktura_in(month)] for month in counted
    ]
    return Table("avtaler", [Column(_("Måned"), False), Column(_("AvtaleGiro")), Column(_("eFaktura"))], rows)


def offers(figures: Figures, _settings: Settings) -> Table:
    """What came of each campaign."""
    rows: list[list[Cell]] = [
        [one.name, one.sent, one.delivered, one.bounced, one.answered, one.yes, one.active] for one in figures.offers
    ]
    head = [
        Column(_("Utsending"), False), Column(_("E-poster sendt")), Column(_("Kom fram")), Column(_("Kom i retur")),
        Column(_("Svarte")), Column(_("Svarte ja")), Column(_("Har slått på eFaktura")),
    ]  # fmt: skip
    return Table("tilbud", head, rows)


def held(figures: Figures, _settings: Settings) -> Table:
    """What waits for a person, by reason, the most first."""
    found = sorted(figures.held.items(), key=lambda item: (-item[1].value, item[0].value))
    rows: list[list[Cell]] = [[words.hold(reason), amount] for reason, amount in found]
    return Table("holdt", [Column(_("Grunn"), False), Column(_("Fakturaer"))], rows)


def refused(figures: Figures, _settings: Settings) -> Table:
    """What the channels refused, by their codes, the most first."""
    found = sorted(figures.refused.items(), key=lambda item: (-item[1].value, item[0]))
    rows: list[list[Cell]] = [
        [
            words.channel(channel),
            detail or words.NOT_SHOWN,
            _("etter at den var tatt imot") if late else _("med en gang"),
            amount,
        ]
        for (channel, detail, late), amount in found
    ]
    head = [Column(_("Kanal"), False), Column(_("Kode"), False), Column(_("Når"), False), Column(_("Avvist"))]
    return Table("avvist", head, rows)


Make = Callable[[Figures, Settings], Table]
TABLES: dict[str, Make] = {
    "kanaler": channels,
    "utvikling": months,
    "spart": savings,
    "kontakt": contact,
    "avtaler": agreements,
    "tilbud": offers,
    "holdt": held,
    "avvist": refused,
}
