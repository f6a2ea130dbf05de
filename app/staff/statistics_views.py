"""The statistics page and its files: figures, never people."""

from __future__ import annotations

import re
from typing import TypedDict

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from app.core.database import db
from app.core.here import clock, settings
from app.staff import statistics_words as words
from app.staff.access import Role, needs
from app.staff.charts import draw
from app.staff.room import bp
from app.staff.statistics_figures import (
    MONTHS_AT_FIRST,
    Choice,
    Figures,
    categories_there,
    months_there,
    next_month,
    prices_of,
    read_figures,
)
from app.staff.statistics_sections import sections
from app.staff.statistics_tables import TABLES

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


class Filters(TypedDict):
    """What the address may choose from, as (value, name)."""

    months: list[tuple[str, str]]
    categories: list[tuple[str, str]]


@bp.get("/statistikk")
@needs(Role.STATISTICS)
def statistics() -> ResponseReturnValue:
    """The page, for the months and the category in the address."""
    months, categories = months_there(db.session(), clock().today()), categories_there(db.session())
    choice = _chosen(months, categories)
    figures = read_figures(db.session(), choice)
    found = sections(figures, settings())
    charts = draw(settings(), [drawing for section in found for drawing in section.drawings])
    filters: Filters = {
        "months": [(_written(month), words.month(month)) for month in reversed(months)],
        "categories": [(key, words.category(key)) for key in categories],
    }
    return render_template(
        "staff/statistics.html",
        figures=figures,
        sections=found,
        charts=charts,
        filters=filters,
        chosen=_as_address(choice),
        key_figures=_key_figures(figures),
        prices=[(words.channel(channel), price) for channel, price in prices_of(settings()).items()],
    )


@bp.get("/statistikk/<name>.csv")
@needs(Role.STATISTICS)
def statistics_file(name: str) -> ResponseReturnValue:
    """One table as a file, by the same filters."""
    if name not in TABLES:
        abort(404)
    months, categories = months_there(db.session(), clock().today()), categories_there(db.session())
    choice = _chosen(months, categories)
    table = TABLES[name](read_figures(db.session(), choice), settings())
    answer = Response(table.file(), mimetype="text/csv")
    period = f"{_written(choice.first)}-{_written(choice.last)}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{period}.csv"'
    return answer


def _chosen(months: list[int], categories: list[str]) -> Choice:
    """The choice in the address, within what there is; the last year where it says nothing that can be read."""
    last = _asked("til", months) or months[-1]
    first = _asked("fra", months) or max(months[0], next_month(last, 1 - MONTHS_AT_FIRST))
    category = request.args.get("kategori")
    return Choice(min(first, last), max(first, last), category if category in categories else None)


def _asked(name: str, months: list[int]) -> int | None:
    found = MONTH.fullmatch(request.args.get(name, ""))
    return min(max(int(found[1] + found[2]), months[0]), months[-1]) if found else None


def _written(month: int) -> str:
    return f"{month // 100}-{month % 100:02d}"


def _as_address(choice: Choice) -> dict[str, str]:
    chosen = {"fra": _written(choice.first), "til": _written(choice.last)}
    return chosen if choice.category is None else {**chosen, "kategori": choice.category}


def _key_figures(figures: Figures) -> dict[str, str | None]:
    """The figures on top of the page; none where there is nothing to tell."""
    people = figures.people
    return {
        "digital": words.percent(figures.digital.share_of(figures.all_sent)) if figures.all_sent.value else None,
        "efaktura": words.percent(people.has_efaktura.share_of(people.all)) if people and people.all.value else None,
        "activated": words.amount(figures.activated) if figures.offers else None,
        "saved": words.kroner(figures.saved(settings())) if figures.all_sent.value else None,
    }
