"""The offer: a whole campaign against smtplib with ready-made bytes, and a campaign that is killed twenty times.

Both to the same smtp-sink, one after the other in each repetition; smtplib over one connection. Ours chooses, looks up,
writes two commits a mail at the most, writes the mails, and uses its seats. ``limit`` and ``ours`` are seconds.
"""

from __future__ import annotations

import json
import resource
import smtplib
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from app.campaigns import service
from app.campaigns.links import OfferLinks
from app.campaigns.mail import Letter, Writer
from app.campaigns.models import Campaign, Offer, OfferMail
from app.campaigns.run import Run
from app.clients.mime import WIRE
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings
from app.delivery.workers import working
from app.registries.contract import Reply, Said, Target
from app.registries.models import Register
from app.routing.channels import Answer
from bench.mail import database
from bench.mail_row import mail_row
from bench.offers_kill import run as kill_campaign
from bench.offers_town import put_residents
from bench.rows import Row

MAILS, SMALL, REPETITIONS = 5000, 300, 5
KILLED, KILLS, SMALL_KILLED, SMALL_KILLS = 20_000, 20, 300, 3


class NobodyHasIt:
    """A register that answers at once: what it takes to ask is not what is measured here."""

    provider = "efaktura"
    registers = (Register.EFAKTURA,)
    chunk = 1000

    def ask(self, targets: Sequence[Target]) -> Reply:
        """No, for each."""
        said = {one.resident_id: (Said(Register.EFAKTURA, Answer.NO),) for one in targets}
        return Reply(said, 1, 1)


def run(is_small: bool = False) -> list[Row]:
    """One row. Its note tells how the killed campaign ended."""
    count = SMALL if is_small else MAILS

    def note(measured: dict[str, Any], ours: float) -> str:
        killed, kills = (SMALL_KILLED, SMALL_KILLS) if is_small else (KILLED, KILLS)
        with tempfile.TemporaryDirectory(prefix="bench-offers-") as folder:
            told = kill_campaign(killed, kills, 1, "smtp", "sqlite", Path(folder))
        return (
            f"{count / ours:,.0f} mails/s of {measured['bytes'] / 1000:.0f} kB; {told['mails']:,} mails killed "
            f"{told['kills']} times: {told['lost']} lost, {told['double']} double"
        )

    return [mail_row("offers", "bench.offers", count, note)]


def measure(port: int, count: int) -> tuple[list[tuple[float, float]], int]:
    """Seconds for *count* mails, ours and the limit's, a pair a repetition; and how long a mail is."""
    pairs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="bench-offers-") as folder, database(Path(folder), port) as settings:
        put_residents(db.engine, count)
        ready = ready_made(settings)
        for repetition in range(-1, REPETITIONS):
            # The first opens caches, and does not count.
            pair = ours(settings, count, repetition), limit(port, ready, count)
            if repetition >= 0:
                pairs.append(pair)
    return pairs, len(ready)


def ours(settings: Settings, count: int, repetition: int) -> float:
    """One whole campaign; what it wrote is taken away again, so that everybody can be asked anew."""
    session, clock = db.session(), Clock()
    for model in (Offer, OfferMail, Campaign):
        session.execute(delete(model))
    campaign = service.start(session, clock, f"bench {repetition}", "bench")
    begun = time.perf_counter()
    with working() as worker:
        report = Run(session, settings, clock, worker, NobodyHasIt(), campaign).send_waiting()
    spent = time.perf_counter() - begun
    if report.sent != count:
        raise AssertionError(f"{report.sent} of {count} sent: {report.as_json()}")
    return spent


def ready_made(settings: Settings) -> bytes:
    """One mail as it leaves."""
    writer = Writer(settings, OfferLinks.by(settings), WIRE)
    letter = Letter("0" * 36, "1" * 36, "2" * 36, 1, "innbygger.1@example.com", "Innbygger", "nb")
    prepared = writer.prepare(letter, Clock().now())
    return prepared.head + prepared.rest


def limit(port: int, content: bytes, count: int) -> float:
    """smtplib, one connection, the same ready-made bytes each time."""
    begun = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _ in range(count):
            server.sendmail("faktura@example.com", ["innbygger.1@example.com"], content)
    return time.perf_counter() - begun


def main() -> None:
    """What the child process does: measure, and print the figures as JSON."""
    pairs, size = measure(int(sys.argv[1]), int(sys.argv[2]))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"pairs": pairs, "bytes": size, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
