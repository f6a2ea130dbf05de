"""``flask invoices route``, ``send``, ``receipts`` and ``run``: what the scheduler calls."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import with_appcontext

from app.channels.registry import build_channels
from app.clients.connect import connect
from app.core.console import DONE, NEEDS_A_PERSON, dry_run_option, fail, format_option, say_json
from app.core.database import db
from app.core.errors import SettingsInvalid
from app.core.here import surroundings
from app.core.settings import Environment
from app.delivery import receipts, settle, statistics, work
from app.delivery.desk import Desk
from app.delivery.forecast import Forecast
from app.delivery.passes import send_due, sending_order, tidy
from app.delivery.planning import dry_run as plan_dry_run
from app.delivery.providers import keep_to_providers
from app.delivery.report import make_report
from app.delivery.run import Job, collect_receipts, describe_brakes, open_desk
from app.delivery.say import say_forecast, say_run
from app.delivery.steps import Steps, has_failed, take_steps
from app.invoices.commands import import_inbox, import_payment_inbox, invoices_cli
from app.registries.refresh import ask_registries
from app.registries.tallies import RegistryRun
from app.residents.commands import import_mandates_inbox, import_residents_inbox

ask_option = click.option(
    "--ask/--no-ask", default=None, help="Ask the registers first.  [default: yes, but not in a dry run]"
)
no_brakes_option = click.option(
    "--no-brakes", is_flag=True, help="Let nothing stop the run: for made-up invoices, never in production."
)


@invoices_cli.command("route")
@dry_run_option
@ask_option
@format_option
@with_appcontext
def route_command(dry_run: bool, ask: bool | None, output: str) -> None:
    """Plan every invoice that has no plan yet.

    --dry-run prints how many would go by each channel, why not by the others, and what it would cost; nothing is
    stored.
    """
    settings, clock = surroundings()
    silent = ask_registers()[0].silent if (not dry_run if ask is None else ask) else frozenset()
    if dry_run:
        forecast = plan_dry_run(db.session(), settings, clock, silent)
        say_forecast(forecast, settings, output)
        raise SystemExit(NEEDS_A_PERSON if forecast.held else DONE)
    with at_desk("Planning") as desk:
        job = Job(desk, silent)
        tidy(desk)
        settle.replan_what_changed(desk.session, settings, clock.now())
        forecast = job.plan()
    say_forecast(forecast, settings, output)
    raise SystemExit(NEEDS_A_PERSON if _needs_a_person(forecast) else DONE)


def _needs_a_person(forecast: Forecast) -> bool:
    return bool(forecast.held or describe_brakes(db.session()))


@invoices_cli.command("send")
@dry_run_option
@click.option("--limit", type=click.IntRange(1), help="Most parts to send this time.")
@no_brakes_option
@format_option
@with_appcontext
def send_command(dry_run: bool, limit: int | None, no_brakes: bool, output: str) -> None:
    """Send what is due now: claims first, then the channels in the municipality's order, letters last."""
    if dry_run:
        _say_due(output)
        return
    with at_desk("Sending", count_due()) as desk:
        tidy(desk)
        # What is planned anew waits for the next planning rather than leave by a way that is closed by now.
        settle.replan_what_changed(desk.session, desk.settings, desk.clock.now())
        handled = send_due(desk, limit=limit, has_brakes=has_brakes(no_brakes))
        tally, is_stopped = desk.ledger.tally, desk.worker.is_stopping
    pulled = describe_brakes(db.session())
    counts = {"handled": handled, **tally.as_json(), "brakes": pulled, "stopped": is_stopped}
    say_run(counts, output)
    raise SystemExit(NEEDS_A_PERSON if (pulled or tally.held or tally.alarms) and not is_stopped else DONE)


def _say_due(output: str) -> None:
    settings, clock = surroundings()
    now = clock.now()
    due = {
        channel.value: work.count_due(db.session(), channel, now) for channel in sending_order(settings.routing_order)
    }
    if output == "json":
        say_json({"due": due, "total": sum(due.values())})
        return
    for channel, count in due.items():
        click.echo(f"{count:>8}  {channel}")
    click.echo(f"{sum(due.values()):>8}  due now. Nothing was sent.")


@invoices_cli.command("receipts")
@format_option
@with_appcontext
def receipts_command(output: str) -> None:
    """Collect receipts and bounces, and ask what became of attempts that were left open."""
    with at_desk("Collecting receipts") as desk:
        handled = collect_receipts(desk)
        unknown = receipts.count_unknown(desk)
        counts = {"receipts": handled, "unknown_receipts": unknown, **desk.ledger.tally.as_json()}
    say_run(counts, output)
    raise SystemExit(NEEDS_A_PERSON if counts["alarms"] or counts["held"] else DONE)


@invoices_cli.command("run")
@no_brakes_option
@format_option
@with_appcontext
def run_command(no_brakes: bool, output: str) -> None:
    """The nightly job: import the drop folder, ask the registers, plan, send, collect receipts.

    It goes on until nothing more is due now. Several may run at once; after a crash it settles what was left open
    before anything else. SIGTERM ends it after the group at hand.
    """
    brakes_are_on = has_brakes(no_brakes)
    imported = _import_drop_folder()
    registers, steps = ask_registers()
    with at_desk("Planning and sending") as desk:
        run = Job(desk, registers.silent, brakes_are_on).run()
    report = make_report(db.session())
    counts = {
        "imported": imported,
        "registers": registers.as_json(),
        "asked": registers.consumption,
        "register_alarms": dict(registers.alarms),
        "steps": steps,
        **run.as_json(),
        "report": report.as_json(),
    }
    say_run(counts, output, report)
    has_rejected = any(kind["rejected"] for kind in imported.values())
    needs_a_person = bool(
        run.needs_a_person
        or registers.alarms
        or has_failed(steps)
        or has_rejected
        or report.states["held"]
        or not report.is_balanced
    )
    raise SystemExit(NEEDS_A_PERSON if needs_a_person and not run.is_stopped else DONE)


def _import_drop_folder() -> dict[str, dict[str, int]]:
    """In the order in which each needs the one before: who, how they pay, what is paid, what is owed."""
    imports = {
        "register": import_residents_inbox,
        "mandates": import_mandates_inbox,
        "payments": import_payment_inbox,
        "invoices": import_inbox,
    }
    counts: dict[str, dict[str, int]] = {}
    for name, import_folder in imports.items():
        report = import_folder()
        counts[name] = {
            "read": report.read,
            "created": report.created,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "rejected": len(report.rejected),
        }
    return counts


def has_brakes(no_brakes: bool) -> bool:
    """Whether the brakes are on; in production they always are."""
    settings, _ = surroundings()
    if no_brakes and settings.environment is Environment.PRODUCTION:
        raise click.UsageError("--no-brakes is for made-up invoices: in production the brakes stay on")
    return not no_brakes


def count_due() -> int:
    """How many parts are due now."""
    settings, clock = surroundings()
    now = clock.now()
    return sum(work.count_due(db.session(), channel, now) for channel in sending_order(settings.routing_order))


def ask_registers() -> tuple[RegistryRun, Steps]:
    """Ask KRR, eFaktura and Vipps about whom it concerns, and let other rooms ask what planning must know."""
    settings, clock = surroundings()
    since, transport = clock.now(), current_app.config["TRANSPORT"]
    clients = connect(settings, clock, transport)
    try:
        with bar("Asking the registers") as progress:
            told = ask_registries(db.session(), settings, clock, clients, progress)
    finally:
        clients.close()
    steps = current_app.config.get("BEFORE_ROUTING", {})
    return told, take_steps(steps, db.session(), settings, clock, transport, since)


@contextmanager
def at_desk(label: str, length: int | None = None) -> Iterator[Desk]:
    """A desk with the channels of this installation, and a progress bar on a terminal.

    What was done at it is counted for the statistics, unless the worker was told to end. Settings that cannot be used
    end the command before anything is sent.
    """
    settings, clock = surroundings()
    try:
        keep_to_providers(db.session(), settings)
        channels = build_channels(settings, clock, current_app.config["TRANSPORT"])
    except SettingsInvalid as error:
        fail(error)
    with bar(label, length) as progress, open_desk(db.session(), settings, clock, channels, progress) as desk:
        yield desk
    if not desk.worker.is_stopping:
        statistics.count(db.session(), clock)


@contextmanager
def bar(label: str, length: int | None = None) -> Iterator[Callable[[int], None]]:
    """Gives what hears how much more is done; draws on standard error when that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _more: None
        return
    with click.progressbar(length=length or 0, label=label, file=sys.stderr, show_percent=bool(length)) as drawn:

        def more(done: int) -> None:
            drawn.length = max(drawn.length or 0, drawn.pos + done)
            drawn.update(done)

        yield more
