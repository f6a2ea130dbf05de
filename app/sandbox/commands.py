"""The command that makes a municipality up."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from app.sandbox.demo.municipality import write_municipality
from app.sandbox.demo.output import Places
from app.sandbox.demo.residents import RUNNING_NUMBERS, Town
from app.sandbox.demo.tally import Tally

MOST_RESIDENTS = 1_000_000


@click.command("demo")
@click.option(
    "--residents",
    type=click.IntRange(1, MOST_RESIDENTS),
    default=400,
    show_default=True,
    help="Good rows in the register.",
)
@click.option(
    "--invoices",
    type=click.IntRange(0, RUNNING_NUMBERS - 200),
    default=600,
    show_default=True,
    help="Good invoices and credit notes, together.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed and same day: same files."
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write into.  [default: the inbox and the sandbox]",
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Day around which the dates lie.  [default: today]")
@click.option("--faults", is_flag=True, help="Let the stand-in services fail now and then.")
@click.option(
    "--format", "report", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to report."
)
@with_appcontext
def demo(
    residents: int, invoices: int, seed: int, output: Path | None, today: dt.datetime | None, faults: bool, report: str
) -> None:
    """Make a municipality up: register, mandates, invoices, payments, and what the registries know.

    Every name and national id is synthetic. Bad rows and bad files come on top of the numbers asked for. Files of the
    same name are replaced, other files are left alone.
    """
    day = today.date() if today else current_app.config["CLOCK"].today()
    town = Town(seed, residents, day)
    places = places_in(output)
    try:
        tally = write_municipality(town, invoices, places, has_faults=faults, progress=progress)
    except OSError as error:
        raise click.ClickException(f"cannot write {error.filename}: {error.strerror}") from error
    say(tally, town, places, report)


def places_in(output: Path | None) -> Places:
    """The folders below *output*, else the program's inbox and sandbox."""
    if output is None:
        return Places.under(Path(current_app.config["INBOX_DIR"]), Path(current_app.config["SANDBOX_DIR"]))
    return Places(output, output / "mandates", output / "invoices", output / "payments", output)


def progress(items: Iterable[Any], label: str, length: int) -> Iterator[Any]:
    """*items*, with a progress bar on standard error when that is a terminal."""
    is_hidden = not sys.stderr.isatty()
    with click.progressbar(
        items, label=None if is_hidden else label, length=length, file=sys.stderr, hidden=is_hidden
    ) as bar:
        yield from bar


def say(tally: Tally, town: Town, places: Places, report: str) -> None:
    """Print what was written, as a few lines or as one JSON object."""
    if report == "json":
        where = {name: str(path) for name, path in asdict(places).items()}
        head = {"seed": town.seed, "today": str(town.today), "places": where}
        click.echo(json.dumps(head | tally.as_json(), ensure_ascii=False, indent=2))
        return
    click.echo(f"{tally.residents} residents (and {tally.bad_rows} bad rows) in {places.register}")
    click.echo(f"{tally.mandates} mandates in {places.mandates}")
    click.echo(
        f"{tally.invoices} invoices and {tally.credit_notes} credit notes in {places.invoices}, "
        f"{tally.pdf_files} with a PDF beside"
    )
    click.echo(f"{tally.payments} payments in {places.payments}")
    click.echo(f"{tally.bad_files} bad files among them. The registries' answers are in {places.sandbox}")
