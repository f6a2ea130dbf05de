"""What channels, months, reasons and figures are called on the statistics page, in the language of the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from babel.dates import format_skeleton
from flask import current_app
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _

from app.core.categories import DEFAULT
from app.routing.channels import Channel, Reason
from app.staff.charts import Numbers
from app.staff.small_groups import Amount

CHANNELS: Mapping[Channel, object] = {
    Channel.AVTALEGIRO: _("AvtaleGiro"),
    Channel.EFAKTURA: _("eFaktura"),
    Channel.VIPPS: _("Vipps"),
    Channel.MAILBOX: _("Digital postkasse"),
    Channel.EMAIL: _("E-post"),
    Channel.PAPER: _("Brev i posten"),
}
HOLDS: Mapping[Reason, object] = {
    Reason.UNKNOWN_BUYER: _("Ukjent kundenummer"),
    Reason.WRONG_KID: _("Feil KID-nummer"),
    Reason.WRONG_ACCOUNT: _("Feil kontonummer"),
    Reason.DECEASED: _("Mottakeren er død"),
    Reason.PROTECTED_ADDRESS: _("Beskyttet adresse"),
    Reason.NO_POSTAL_ADDRESS: _("Ingen postadresse"),
    Reason.IDENTIFIER_SHARED: _("To kunder med samme eFaktura-adresse"),
    Reason.PARTLY_CREDITED: _("Delvis kreditert"),
    Reason.REGISTER_SILENT: _("Et register svarer ikke"),
    Reason.HELD_BY_STAFF: _("Holdt av en saksbehandler"),
    Reason.NOTHING_LEFT: _("Alle måter er prøvd"),
    Reason.SENT_TWICE: _("Sendt to ganger uten svar"),
    Reason.CLAIM_LOST: _("Banken kunne ikke trekke"),
}
NOT_SHOWN = "–"


def channel(which: Channel) -> str:
    """The channel's name."""
    return str(CHANNELS[which])


def hold(reason: Reason) -> str:
    """Why invoices are held, in a few words; a reason that never holds by itself says its whole sentence."""
    return str(HOLDS[reason]) if reason in HOLDS else str(gettext(reason.sentence))


def category(key: str) -> str:
    """A category as people write it: ``kommunale-avgifter`` is "Kommunale avgifter"."""
    if key == DEFAULT:
        return str(gettext("Andre fakturaer"))
    words = key.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def month(which: int) -> str:
    """``november 2026``."""
    return str(format_skeleton("yMMMM", _first_day(which), locale=get_locale()))


def short_months(months: list[int]) -> tuple[str, ...]:
    """The months along an axis: each January with its year, else the first."""
    with_year = {month for month in months if month % 100 == 1} or {months[0]}
    return tuple(
        str(format_skeleton("yMMM" if month in with_year else "MMM", _first_day(month), locale=get_locale()))
        for month in months
    )


def _first_day(which: int) -> dt.date:
    return dt.date(which // 100, which % 100, 1)


def _filter(name: str) -> Callable[..., str]:
    """A filter of the templates, which write figures too."""
    found: Callable[..., str] = current_app.jinja_env.filters[name]
    return found


def number(value: float) -> str:
    """``1 234``."""
    return _filter("number")(value)


def percent(share: float | None) -> str:
    """``42,5 %``, or a dash where there is nothing to tell."""
    return NOT_SHOWN if share is None else _filter("percent")(round(share, 3))


def kroner(amount_ore: int) -> str:
    """Whole kroner: ``kr 1 234``."""
    return _filter("money")(round(amount_ore, -2)).removesuffix(",00").removesuffix(".00")


def amount(value: Amount) -> str:
    """The number, or that it is too small to be shown."""
    return number(value.value) if value.limit is None else fewer(value.limit)


def fewer(limit: int) -> str:
    """Less than *limit*, which is all that is told of a small group."""
    return str(gettext("færre enn %(limit)s", limit=limit))


def numbers() -> Numbers:
    """How a chart writes figures."""
    is_english = str(get_locale()).startswith("en")
    return Numbers(".", ",") if is_english else Numbers(",", "\u00a0")


def percent_label() -> str:
    """The Vega expression that writes per cent along an axis."""
    return f"datum.label + '{percent(0.0).removeprefix('0')}'"


def kroner_label() -> str:
    """The Vega expression that writes kroner along an axis."""
    return f"'{kroner(0).removesuffix('0')}' + format(datum.value, ',.0f')"
