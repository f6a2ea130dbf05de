"""``flask invoices hold``, ``release``, ``cancel``, ``explain`` and ``report``: what a person asks for."""

from __future__ import annotations

import getpass
from typing import Any

import click
from flask.cli import with_appcontext

from app.core.console import DONE, NEEDS_A_PERSON, fail, format_option, say_json
from app.core.database import db
from app.core.errors import AppError
from app.core.here import surroundings
from app.core.money import format_ore
from app.delivery.actions import Act
from app.delivery.brakes import release_all
from app.delivery.explain import explain
from app.delivery.follow_up import unpaid_claims
from app.delivery.report import make_report
from app.delivery.say import say_report
from app.invoices.commands import invoices_cli
from app.invoices.queries import invoice_by_number

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
@click.option("--arrived", is_flag=True, help="A mail held as sent_twice is found to have arrived: send nothing more.")
@reason_option
@source_option
@with_appcontext
def release_command(number: str | None, brake: bool, arrived: bool, reason: str, source: str | None) -> None:
    """Let the held invoice NUMBER go on: it is planned anew, and what held it is waived.

    With --brake, let go what a brake has stopped.
    """
    if brake == (number is not None) or (brake and arrived):
        raise click.UsageError("name either an invoice NUMBER or --brake")
    if number is not None and arrived:
        _act("arrived", number, reason, source)
        click.echo(f"Invoice {number} counts as delivered.")
        return
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


@invoices_cli.command("explain")
@number_argument
@source_option
@format_option
@with_appcontext
def explain_command(number: str, source: str | None, output: str) -> None:
    """Facts, plan with reasons, attempts and receipts of invoice NUMBER."""
    settings, _ = surroundings()
    try:
        told = explain(db.session(), invoice_by_number(db.session(), number, source), settings.default_language)
    except AppError as error:
        fail(error)
        return
    if output == "json":
        say_json(told)
        return
    _say_journey(told)


def _say_journey(told: dict[str, Any]) -> None:
    click.echo(f"Invoice {told['number']} to {told['resident'] or 'nobody known'}: {told['state'].replace('_', ' ')}")
    if told["hold"]:
        click.echo(f"Held: {told['hold']['text']}")
    if told["claim"]:
        click.echo(f"Claim: type {told['claim']['type']}, {told['claim']['state'].replace('_', ' ')}")
    click.echo(f"Route: {' → '.join(told['route']) or 'none'}" + (" (as a notice)" if told["is_notice"] else ""))
    for passed in told["passed_over"]:
        click.echo(f"  not {passed['channel']}: {passed['text']}")
    for attempt in told["attempts"]:
        taken_back = f", taken back {attempt['taken_back_at']}" if attempt["taken_back_at"] else ""
        detail = f" ({attempt['detail']})" if attempt["detail"] else ""
        click.echo(f"  {attempt['opened_at']} {attempt['channel']}: {attempt['outcome']}{detail}{taken_back}")
    for receipt in told["receipts"]:
        click.echo(f"  {receipt['received_at']} {receipt['channel']} says: {receipt['status']}")
    facts = ", ".join(f"{name}: {value}" for name, value in told["facts"].items() if value is not False)
    click.echo(f"Facts: {facts}")


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


@invoices_cli.command("follow-up")
@click.option("--days", type=click.IntRange(0), help="Days since the due date.  [default: AVTALEGIRO_FOLLOW_UP_DAYS]")
@format_option
@with_appcontext
def follow_up_command(days: int | None, output: str) -> None:
    """AvtaleGiro claims that the bank took and nobody has paid some days after they were due."""
    settings, clock = surroundings()
    days = settings.avtalegiro_follow_up_days if days is None else days
    claims = unpaid_claims(db.session(), clock.today(), days)
    if output == "json":
        say_json({"days": days, "unpaid": [claim.as_json() for claim in claims]})
    else:
        for claim in claims:
            mandate = "" if claim.has_mandate else "  the mandate has ended"
            click.echo(
                f"{claim.number}  due {claim.due_on} ({claim.late_days} days)  {format_ore(claim.amount_ore, 'en')}  "
                f"customer {claim.customer_number or 'unknown'}{mandate}"
            )
        click.echo(f"{len(claims)} claims unpaid {days} days or more after they were due.")
    raise SystemExit(NEEDS_A_PERSON if claims else DONE)
