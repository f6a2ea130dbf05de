"""``flask keys``: change the keys of the national ids without stopping anything."""

from __future__ import annotations

import sys

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from app.core.console import format_option, say_json
from app.core.crypto import KeysUnusable
from app.core.database import db
from app.core.errors import AppError
from app.residents.key_rotation import retire, rotate

keys_cli = AppGroup("keys", help="Change the keys of the installation.")


@keys_cli.command("rotate-national-ids")
@click.option(
    "--wait", "wait_seconds", type=click.FloatRange(0, 3600), default=60.0, show_default=True,
    help="Seconds to let look-ups that are under way end, twice.",
)  # fmt: skip
@format_option
@with_appcontext
def rotate_national_ids(wait_seconds: float, output: str) -> None:
    """Encrypt and index every national id under new keys, while the pages and jobs go on.

    Old keys stay in the files for backups; retire-national-ids takes them out. A change that was broken off is finished
    by running this again.
    """
    try:
        done = rotate(db.session(), current_app.config["SETTINGS"], wait_seconds)
    except (KeysUnusable, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    report = {
        "key_id": done.key_id,
        "renewed": done.renewed,
        "unreadable": done.unreadable,
        "clashing": done.clashing,
    }
    if output == "json":
        say_json(report)
    else:
        click.echo(f"{done.renewed} national ids renewed under key {done.key_id}")
        for name, people in (("cannot be opened by any key", done.unreadable), ("clash with another", done.clashing)):
            if people:
                click.echo(f"{len(people)} {name}: {', '.join(people[:20])}", err=True)
    sys.exit(1 if done.unreadable or done.clashing else 0)


@keys_cli.command("retire-national-ids")
@format_option
@with_appcontext
def retire_national_ids(output: str) -> None:
    """Take the old keys out of the files, when no row needs them. Backups from before need them: keep a copy."""
    try:
        retired = retire(db.session(), current_app.config["SETTINGS"])
    except (AppError, KeysUnusable, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    if output == "json":
        say_json({"retired": retired})
    else:
        click.echo(f"Keys taken out: {', '.join(map(str, retired)) or 'none'}")
