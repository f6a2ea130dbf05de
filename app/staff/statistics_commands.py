"""``flask stats``: the figures of the statistics page, counted now and never suppressed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.console import format_option, say_json
from app.core.database import db
from app.delivery import statistics
from app.delivery.statistics_models import InvoiceCount, MandateCount, RefusalCount, ResidentCount
from app.routing.channels import Answer, Channel
from app.staff.statistics_models import OfferCount

CONTACT = {"mobile": "a mobile number", "email": "an e-mail address"}
OFFERS = ("sent", "delivered", "bounced", "answered", "yes", "active")


@click.command("stats")
@click.option("--recount", is_flag=True, help="Count everything from the rows, not only what moved since last time.")
@format_option
@with_appcontext
def stats(recount: bool, output: str) -> None:
    """The figures of the statistics page, over all months and categories. Small groups are not hidden here."""
    clock = current_app.config["CLOCK"]
    counted = statistics.count(db.session(), clock, everything=recount)
    told = tell(db.session(), statistics.month_of(clock.today()))
    if output == "json":
        say_json({**told, "counted_at": counted.counted_at.isoformat()})
        return
    for channel, count in told["by_channel"].items():
        click.echo(f"{count:>8}  {channel}")
    click.echo(f"{told['digital_share']:>8.1%}  went digitally")
    for kind, counts in told["contact"].items():
        click.echo(f"{counts['registered']:>8}  have {CONTACT[kind]} registered, {counts['confirmed']} confirmed")
    for name, count in told["agreements"].items():
        click.echo(f"{count:>8}  {name} agreements")
    offers = ", ".join(f"{count} {name}" for name, count in told["offers"].items())
    click.echo(f"  Offers: {offers}")
    for reason, count in told["held"].items():
        click.echo(f"{count:>8}  held: {reason}")
    for channel, count in told["refused"].items():
        click.echo(f"{count:>8}  refused by {channel}")


def tell(session: Session, month: int) -> dict[str, Any]:
    """The keys other programs rely on; residents and agreements as counted in *month* (year × 100 + month)."""
    by_channel = _summed(session, InvoiceCount.channel, InvoiceCount.count)
    sent = {channel.value: by_channel.get(channel.value, 0) for channel in Channel}
    whole = sum(sent.values())
    people = _people(session, month)
    mandates = session.scalar(select(func.sum(MandateCount.count)).where(MandateCount.month == month))
    offers = session.execute(select(*(func.coalesce(func.sum(getattr(OfferCount, name)), 0) for name in OFFERS))).one()
    held = _summed(session, InvoiceCount.hold, InvoiceCount.count)
    refused = _summed(session, RefusalCount.channel, RefusalCount.count)
    return {
        "by_channel": sent,
        "digital_share": round(1 - sent[Channel.PAPER.value] / whole, 6) if whole else 0.0,
        "contact": {
            kind: {"registered": people[kind, "registered"], "confirmed": people[kind, "confirmed"]}
            for kind in ("mobile", "email")
        },
        "residents": people["all", ""],
        "agreements": {"avtalegiro": int(mandates or 0), "efaktura": people["efaktura", ""]},
        "offers": {name: int(count) for name, count in zip(OFFERS, offers, strict=True)},
        "held": {reason: count for reason, count in sorted(held.items()) if reason},
        "refused": dict(sorted(refused.items())),
    }


def _summed(session: Session, key: Any, count: Any) -> dict[str, int]:
    return {name: int(number) for name, number in session.execute(select(key, func.sum(count)).group_by(key))}


def _people(session: Session, month: int) -> Counter[tuple[str, str]]:
    found = Counter[tuple[str, str]]()
    for row in session.scalars(select(ResidentCount).where(ResidentCount.month == month)):
        found["all", ""] += row.count
        found["efaktura", ""] += row.count if row.efaktura == Answer.YES.value else 0
        for kind, state in (("mobile", row.mobile), ("email", row.email)):
            found[kind, "registered"] += row.count if state != "none" else 0
            found[kind, "confirmed"] += row.count if state == "confirmed" else 0
    return found
