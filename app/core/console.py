"""What every command shares: ``--format``, honest exit codes, progress on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, TypeVar

import click

from app.core.errors import AppError
from app.core.reports import ImportReport

Item = TypeVar("Item")
Command = TypeVar("Command", bound=Callable[..., Any])

DONE, NEEDS_A_PERSON, WRONG_USE = 0, 1, 2

format_option = click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to report."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")


def progress(items: Iterable[Item], label: str, length: int | None = None) -> Iterator[Item]:
    """*items*, with a progress bar on standard error when that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, label=label, length=length, file=sys.stderr) as bar:
        yield from bar


def say_json(value: Any) -> None:
    """Print *value* as one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def say_report(report: ImportReport, output: str) -> int:
    """Print an import report; gives the exit code: 1 when something was rejected."""
    if output == "json":
        say_json(report.as_json())
    else:
        click.echo(
            f"{report.read} read: {report.created} created, {report.updated} updated, "
            f"{report.unchanged} unchanged, {len(report.rejected)} rejected."
        )
        for rejection in report.rejected:
            place = ", ".join(
                [
                    rejection.source,
                    *([f"row {rejection.row}"] if rejection.row else []),
                    *([rejection.field] if rejection.field else []),
                ]
            )
            click.echo(f"  {place}: {rejection.reason}", err=True)
    return NEEDS_A_PERSON if report.rejected else DONE


def fail(error: AppError) -> NoReturn:
    """End the command with the error's sentence and exit code."""
    click.echo(f"Error: {error}", err=True)
    raise SystemExit(error.exit_code)
