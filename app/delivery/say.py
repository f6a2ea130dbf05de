"""How the sending commands report: the counts that other programs read, and the lines that people do."""

from __future__ import annotations

from typing import Any

import click

from app.core.console import say_json
from app.core.money import format_ore
from app.core.settings import Settings
from app.delivery.forecast import Forecast
from app.delivery.report import STATES, Report
from app.delivery.steps import Steps


def say_forecast(forecast: Forecast, settings: Settings, output: str) -> None:
    """Print what planning did, or would do."""
    if output == "json":
        say_json(forecast.as_json(settings))
        return
    click.echo(f"{forecast.planned} planned, {forecast.waiting} wait for a register, {forecast.held} held")
    for channel, count in sorted(forecast.by_channel.items()):
        notices = forecast.notices_by_channel[channel]
        click.echo(f"{count:>8}  {channel.value}" + (f" (and {notices} notices)" if notices else ""))
    for reason, count in sorted(forecast.holds.items()):
        click.echo(f"{count:>8}  held: {reason.value}")
    if forecast.reasons:
        click.echo("Passed over:")
    for (channel, reason), count in sorted(forecast.reasons.items()):
        click.echo(f"{count:>8}  {channel.value}: {reason.value}")
    click.echo(f"Cost of the first try: {format_ore(forecast.cost_ore(settings), 'en')} kroner")


def say_run(counts: dict[str, Any], output: str, report: Report | None = None) -> None:
    """Print what was done, and the report when there is one."""
    if output == "json":
        say_json(counts)
        return
    for name, value in counts.items():
        if isinstance(value, int) and not isinstance(value, bool) and value:
            click.echo(f"{value:>8}  {name.replace('_', ' ')}")
    for name, imported in counts.get("imported", {}).items():
        click.echo(f"{imported['read']:>8}  read from {name}/, {imported['rejected']} rejected")
    for provider, asked in counts.get("asked", {}).items():
        click.echo(
            f"{asked['calls']:>8}  calls to {provider} about {asked['residents']} residents, "
            f"{asked['unknown']} without an answer"
        )
    _say_steps(counts.get("steps", {}))
    for provider, failure in counts.get("register_alarms", {}).items():
        click.echo(f"Register needs repair: {provider}: {failure}", err=True)
    if counts.get("not_allowed"):
        click.echo(f"{counts['not_allowed']} wait: the resident is not in ALLOWED_RECIPIENTS", err=True)
    for brake in counts.get("brakes", []):
        click.echo(f"Stopped by the {brake}. Look, then: flask invoices release --brake --reason …", err=True)
    if report is not None:
        say_report(report)


def _say_steps(steps: Steps) -> None:
    for step, done in steps.items():
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in done.items() if count)
        click.echo(f"{step}: {told or 'nothing'}")


def say_report(report: Report) -> None:
    """Print counts in and counts out as a table."""
    click.echo(f"{report.invoices:>8}  invoices, {report.planned} planned")
    for state in STATES:
        click.echo(f"{report.states[state]:>8}  {state.replace('_', ' ')}")
    click.echo("By channel (notices beside claims):")
    for channel, count in report.by_channel.items():
        notices = report.notices_by_channel[channel]
        click.echo(f"{count:>8}  {channel}" + (f" ({notices})" if notices else ""))
    for batch in report.batches:
        if not batch.is_balanced:
            found = sum(batch.states.values())
            click.echo(f"Batch {batch.batch_id} ({batch.source}): {batch.came} came, {found} are known", err=True)
    click.echo(
        "Counts in = counts out." if report.is_balanced else "The counts do NOT agree.", err=not report.is_balanced
    )
