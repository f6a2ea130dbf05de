"""``flask invoices hold``, ``release``, ``cancel`` and ``report``: what a person asks for."""

from __future__ import annotations

import getpass

import click
from flask.cli import with_appcontext

from app.core.console import DONE, NEEDS_A_PERSON, fail, format_option, say_json
from app.core.database import db
from app.core.errors import AppError
from app.delivery.actions import Act
from app.delivery.brakes import release_all
from app.delivery.commands import surroundings
from app.delivery.report import make_report
from app.delivery.say import say_report
from app.invoices.commands import invoices_cli

number_argument = click.argument("number")
reason_option = click.option("--reason", required=True, help="Why: kept in the record.")
source_option = click.option("--source", help="The supplier's organisation number, when several used the number.")


@invoices_cli.command("hold")
@number_argument
@reason_option
@source_option
@with_appcontext
def hold_command(number: str, reason: str, source: str | None) -> None:
    """Let nothing more of invoice NUMBER leave until it is released."""
    _act("hold", number, reason, source)
    click.echo(f"Invoice {number} is held.")


@invoices_cli.command("release")
@click.argument("number", required=False)
@click.option("--brake", is_flag=True, help="Release every brake that is pulled, instead of an invoice.")
@reason_option
@source_option
@with_appcontext
def release_command(number: str | None, brake: bool, reason: str, source: str | None) -> None:
    """Let the held invoice NUMBER go on: it is planned anew, and what held it is waived.

    With --brake, let go what a brake has stopped.
    """
    if brake == (number is not None):
        raise click.UsageError("name either an invoice NUMBER or --brake")
    if number is not None:
        _act("release", number, reason, source)
        click.echo(f"Invoice {number} is released: the next run plans and sends it.")
        return
    _, clock = surroundings()
    released = release_all(db.session(), actor(), reason, clock.now())
    click.echo(f"{len(released)} brakes released.")
    raise SystemExit(DONE if released else NEEDS_A_PERSON)


@invoices_cli.command("cancel")
@number_argument
@reason_option
@source_option
@with_appcontext
def cancel_command(number: str, reason: str, source: str | None) -> None:
    """Nothing is owed on invoice NUMBER: it does not leave, and a claim at the bank is called back by the next run."""
    _act("cancel", number, reason, source)
    click.echo(f"Invoice {number} is cancelled.")


def _act(what: str, number: str, reason: str, source: str | None) -> None:
    _, clock = surroundings()
    act = Act(db.session(), clock.now(), actor(), reason)
    try:
        getattr(act, what)(number, source)
    except AppError as error:
        db.session.rollback()
        fail(error)


def actor() -> str:
    """Who acts, as the machine knows them."""
    return f"command:{getpass.getuser()}"[:120]


@invoices_cli.command("report")
@format_option
@with_appcontext
def report_command(output: str) -> None:
    """Counts in = counts out: where every invoice is, by batch and channel."""
    report = make_report(db.session())
    if output == "json":
        say_json(report.as_json())
    else:
        say_report(report)
    raise SystemExit(DONE if report.is_balanced else NEEDS_A_PERSON)
