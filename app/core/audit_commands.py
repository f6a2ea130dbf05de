"""``flask audit verify``: is the audit record what was written?"""

from __future__ import annotations

import click
import structlog
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from app.core.audit_chain import audit_links
from app.core.audit_verify import Anchor, verify
from app.core.console import DONE, NEEDS_A_PERSON, format_option, say_json
from app.core.database import db

log = structlog.get_logger(__name__)
audit_cli = AppGroup("audit", help="The record of who saw and changed what.")


@audit_cli.command("verify")
@click.option("--anchor", help="An end printed before (ID:HEX): it must still be there.")
@format_option
@with_appcontext
def verify_command(anchor: str | None, output: str) -> None:
    """Find rows of the audit record that were changed, removed, put in or moved.

    Prints the end of the chain. Write it down where nobody who can change the database can change it too: given back
    by --anchor it proves that nothing from before was cut off.
    """
    try:
        wanted = Anchor.read(anchor) if anchor else None
    except ValueError:
        raise click.UsageError("--anchor is ID:HEX, as this command prints it") from None
    verdict = verify(db.session(), audit_links(current_app.config["SETTINGS"]), wanted)
    log.info("audit verified", rows=verdict.rows, anchor=str(verdict.anchor), faults=len(verdict.faults))
    if output == "json":
        faults = [{"row": fault.row_id, "text": fault.text} for fault in verdict.faults]
        end = str(verdict.anchor) if verdict.anchor else None
        say_json({"rows": verdict.rows, "anchor": end, "faults": faults})
    else:
        for fault in verdict.faults:
            click.echo(str(fault), err=True)
        click.echo(f"{verdict.rows} rows. " + ("The chain holds." if not verdict.faults else "The chain is BROKEN."))
        if verdict.anchor:
            click.echo(f"End: {verdict.anchor}")
    raise SystemExit(NEEDS_A_PERSON if verdict.faults else DONE)
