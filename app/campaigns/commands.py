"""``flask offers send``, ``stop``, ``resume`` and ``list``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from app.campaigns import service
from app.campaigns.asking import LastLook
from app.campaigns.brakes import is_warned, returns
from app.campaigns.figures import CampaignFigures, figures
from app.campaigns.models import Campaign
from app.campaigns.run import Run, RunReport
from app.clients.connect import efaktura_client
from app.clients.http import outside
from app.core.console import DONE, NEEDS_A_PERSON, dry_run_option, fail, format_option, say_json
from app.core.database import db
from app.core.errors import AppError
from app.core.here import surroundings
from app.delivery.commands import at_desk
from app.delivery.person_commands import actor
from app.delivery.returned_mail import collect_returned
from app.registries.contract import Registry
from app.registries.efaktura import EfakturaRegistry

offers_cli = AppGroup("offers", help="The eFaktura offer: one e-mail to everyone it concerns.")

ENDINGS = {
    "": "Nobody is left to ask.",
    "limit": "The limit is reached.",
    "hours": "Mails leave only in the hours of OFFER_HOURS: the next run goes on.",
    "signal": "Told to end: the next run goes on.",
    "stopped": "The campaign is stopped: flask offers resume lets it go on.",
    "server": "The mail server takes nothing: the next run goes on.",
    "gateway": "The eFaktura gateway does not answer, and nobody is asked without knowing: the next run goes on.",
}


@offers_cli.command("send")
@click.option("--campaign", "name", help="Its name; begun when there is none.  [default: the one that runs]")
@click.option("--limit", type=click.IntRange(1), help="Most mails to send this time.")
@dry_run_option
@format_option
@with_appcontext
def send_command(name: str | None, limit: int | None, dry_run: bool, output: str) -> None:
    """Send the offer to everyone with a valid e-mail address and neither eFaktura nor AvtaleGiro.

    Everybody is looked up in the eFaktura register just before; who is unknown there is asked another time. It may be
    killed at any moment and run again: nobody gets a second mail. SIGTERM ends it after the mails at hand.
    """
    settings, clock = surroundings()
    name = name or service.current_name(db.session())
    if dry_run:
        _say_preview(name, output)
        return
    try:
        campaign = service.start(db.session(), clock, name, actor())
    except AppError as error:
        fail(error)
    with at_desk("Sending offers") as desk, _registry() as registry:
        run = Run(
            desk.session, settings, clock, desk.worker, registry, campaign, limit, desk.progress,
            lambda: collect_returned(desk),
        )  # fmt: skip
        report = run.send_waiting()
    _say_report(report, output)
    raise SystemExit(NEEDS_A_PERSON if report.needs_a_person else DONE)


def _say_preview(name: str, output: str) -> None:
    settings, clock = surroundings()
    with _registry() as registry:
        look = LastLook(db.session(), settings, registry, clock.today())
        found = service.preview(db.session(), settings, clock, name, look)
    if output == "json":
        skipped = dict(sorted(found.skipped.items()))
        say_json({"asked": found.asked, "sent": 0, "skipped": skipped, "waiting": found.mails, "campaign": name})
    else:
        click.echo(f"{found.asked:>8}  would be asked, by {found.mails} mails. Nothing was sent.")
        _say_skipped(found.skipped)
    raise SystemExit(NEEDS_A_PERSON if found.is_silent else DONE)


def _say_report(report: RunReport, output: str) -> None:
    if output == "json":
        say_json(report.as_json())
        return
    click.echo(f"{report.sent:>8}  mails sent in the campaign {report.campaign}; {report.waiting} wait.")
    click.echo(f"{report.asked:>8}  residents asked.")
    if report.refused or report.not_taken:
        click.echo(f"{report.refused:>8}  refused by the mail server; {report.not_taken} not taken for now.")
    _say_skipped(report.skipped)
    click.echo(ENDINGS[report.ended_by])
    if report.is_warned:
        click.echo("Many mails come back: look at the addresses before you go on.", err=True)


def _say_skipped(skipped: Mapping[str, int]) -> None:
    for reason, number in sorted(skipped.items(), key=lambda one: -one[1]):
        click.echo(f"{number:>8}  skipped: {reason}")


@offers_cli.command("stop")
@click.argument("name")
@with_appcontext
def stop_command(name: str) -> None:
    """Let no more mails of the campaign NAME leave, also in a run that is under way."""
    _, clock = surroundings()
    try:
        campaign = service.stop(db.session(), clock, name, actor())
    except AppError as error:
        fail(error)
    click.echo(f"The campaign {campaign.name} is stopped.")


@offers_cli.command("resume")
@click.argument("name")
@with_appcontext
def resume_command(name: str) -> None:
    """Let the campaign NAME go on at the next `flask offers send`, whoever or whatever stopped it."""
    _, clock = surroundings()
    try:
        campaign = service.resume(db.session(), clock, name, actor())
    except AppError as error:
        fail(error)
    click.echo(f"The campaign {campaign.name} goes on: flask offers send --campaign '{campaign.name}'")


@offers_cli.command("list")
@click.argument("name", required=False)
@format_option
@with_appcontext
def list_command(name: str | None, output: str) -> None:
    """The campaigns, or the campaign NAME, and what came of their mails."""
    found = figures(db.session(), name)
    if name and not found.campaigns:
        click.echo(f"Error: there is no campaign {name}", err=True)
        raise SystemExit(NEEDS_A_PERSON)
    if output == "json":
        say_json([_as_json(one) for one in found.campaigns])
        return
    for one in found.campaigns:
        counts = ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in one.counts.as_json().items())
        click.echo(f"{one.name}: {one.state.value}{f' ({one.stop_reason.value})' if one.stop_reason else ''}")
        click.echo(f"  {one.waiting} waiting, {counts}{'; many come back' if _is_warned(one.name) else ''}")


def _as_json(one: CampaignFigures) -> dict[str, object]:
    return {
        "name": one.name,
        "state": one.state.value,
        "stop_reason": one.stop_reason.value if one.stop_reason else None,
        "started_at": one.started_at.isoformat(),
        "waiting": one.waiting,
        **one.counts.as_json(),
        "days": [{"day": day.day.isoformat(), **day.counts.as_json()} for day in one.days],
    }


def _is_warned(name: str) -> bool:
    settings, _ = surroundings()
    campaign = db.session().query(Campaign).filter_by(name=name).one()
    return is_warned(returns(db.session(), campaign), settings)


@contextmanager
def _registry() -> Iterator[Registry]:
    """The eFaktura register, or its stand-in."""
    settings, _ = surroundings()
    client = efaktura_client(settings, outside(settings, current_app.config["TRANSPORT"]))
    try:
        yield EfakturaRegistry(client)
    finally:
        client.close()
