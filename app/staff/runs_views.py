"""The runs of the job, with progress, and a trial of the next one."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from app.core.database import db
from app.core.here import clock, settings
from app.delivery.forecast import Forecast
from app.staff import needs_words, runs
from app.staff.access import Role, current_staff, needs
from app.staff.forms import PlainForm
from app.staff.needs import brakes
from app.staff.room import bp
from app.staff.statistics_words import channel, hold, number

# The page asks anew by itself while a run goes on, but not for ever: that would keep a session awake at an empty desk.
EVERY_SECONDS, MOST_TIMES = 10, 60
STATES = {
    "going": (_("Går nå"), "info"),
    "done": (_("Ferdig"), "success"),
    "stopped": (_("Stanset"), "neutral"),
    "broken": (_("Avbrutt"), "warning"),
}
COUNTS = {
    "planned": _("fikk plan"),
    "accepted": _("tatt imot"),
    "refused": _("ikke tatt imot (neste måte prøves)"),
    "unavailable": _("leverandøren svarte ikke (prøves igjen)"),
    "uncertain": _("uvisst om de kom fram"),
    "held": _("holdes tilbake"),
    "closed": _("trengte ikke sendes"),
    "not_allowed": _("venter (mottakeren er ikke med i prøven)"),
    "receipts": _("kvitteringer"),
    "unknown_receipts": _("kvitteringer vi ikke kjenner igjen"),
    "bounces": _("e-poster i retur"),
    "unmatched_mails": _("e-poster et menneske må lese"),
    "uploaded_files": _("filer levert til banken"),
    "alarms": _("feil hos oss selv (se Trenger deg)"),
}


@bp.get("/kjoringer")
@needs(Role.CASEWORKER)
def run_history() -> ResponseReturnValue:
    """What the job did, and what waits to leave."""
    return _page()


@bp.post("/kjoringer/prov")
@needs(Role.OPERATOR)
def try_run() -> ResponseReturnValue:
    """What planning would do with what has no plan yet: so many each way, so much money. Nothing is kept."""
    session = db.session()
    if not PlainForm().validate_on_submit() or not 0 < runs.unplanned(session) <= runs.MOST_TRIED:
        return redirect(url_for("staff.run_history"))
    return _page(runs.try_plan(session, settings(), clock()))


def _page(forecast: Forecast | None = None) -> ResponseReturnValue:
    session, wanted = db.session(), request.args.get("side", 1, type=int)
    found, pages = runs.runs(session, clock().now(), wanted)
    waiting = runs.due(session, settings())
    is_going = any(run.state == "going" for run in found)
    times = request.args.get("gang", 0, type=int)
    follows = is_going and forecast is None and wanted == 1 and 0 <= times < MOST_TIMES
    page = render_template(
        "staff/runs.html",
        runs=found,
        page=min(max(wanted, 1), pages),
        pages=pages,
        due=waiting,
        cost_ore=sum(one.cost_ore for one in waiting),
        unplanned=runs.unplanned(session),
        most_tried=runs.MOST_TRIED,
        forecast=forecast,
        forecast_rows=_forecast_rows(forecast),
        forecast_cost_ore=forecast.cost_ore(settings()) if forecast else 0,
        states=STATES,
        told=told,
        channel=channel,
        hold=hold,
        brakes=[needs_words.brake(pulled) for pulled in brakes(session)],
        may_try=current_staff().may(Role.OPERATOR),
        is_going=is_going,
        follows=follows,
        stop_following=MOST_TIMES,
    )
    response = make_response(page)
    if follows:
        response.headers["Refresh"] = f"{EVERY_SECONDS}; url={url_for('staff.run_history', gang=times + 1)}"
    return response


def told(counts: dict[str, Any]) -> list[str]:
    """What a run counted, in words; nothing that is nought."""
    return [f"{number(counts[key])}\u00a0{what}" for key, what in COUNTS.items() if counts.get(key)]


def _forecast_rows(forecast: Forecast | None) -> list[tuple[str, int, int, int]]:
    """Channel, invoices, notices beside a claim, and øre, in the municipality's order."""
    if forecast is None:
        return []
    prices = runs.prices_of(settings())
    rows = []
    for name in prices:
        count, notices = forecast.by_channel[name], forecast.notices_by_channel[name]
        if count or notices:
            rows.append((channel(name), count, notices, (count + notices) * prices[name]))
    return rows
