"""E-mail with a 100 kB PDF: our channel with its two commits a mail, against smtplib with ready-made bytes.

Both to the same smtp-sink over one connection, one after the other in each repetition.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import smtplib
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import bindparam, text, update
from sqlalchemy.orm import Session

from app import create_app
from app.channels.contract import Address, Consignment, Outcome, Recipient
from app.channels.email import Email
from app.clients.mime import Mail, prepare
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery, Part, State
from app.routing.channels import Channel
from bench.mail_row import mail_row
from bench.rows import Row

MAILS, SMALL, REPETITIONS = 500, 200, 5
PDF = b"%PDF-1.7\n" + os.urandom(100_000)
RECIPIENT = Recipient(
    "10017",
    "Kari Nordmann",
    "nb",
    Address("Kari Nordmann", "Fjordgata 3", "", "4100", "JØRPELAND", "NO"),
    email="kari@example.com",
)


def run(is_small: bool = False) -> list[Row]:
    """One row: seconds for *n* mails, medians; ``ratio`` the median of the pairs'. Measured in a process of its own."""
    count = SMALL if is_small else MAILS
    return [mail_row("mail", "bench.mail", count, partial(_note, count))]


def _note(count: int, measured: dict[str, Any], ours: float) -> str:
    commit = statistics.median(measured["commits"]) / count / 2
    return f"{count / ours:,.0f} mails/s; a commit took {1000 * commit:.1f} ms"


def measure(port: int, count: int) -> tuple[list[tuple[float, float]], list[float]]:
    """Seconds for *count* mails, ours and the limit's, a pair a repetition; and those of ours that commits took."""
    pairs, commits = [], []
    with tempfile.TemporaryDirectory(prefix="bench-mail-") as folder, database(Path(folder), port) as settings:
        channel = Email(settings, Clock())
        for repetition in range(-1, REPETITIONS):
            # The first opens connections and caches, and does not count.
            size = count if repetition >= 0 else 20
            waiting = put_waiting(db.session(), size)
            (spent, in_commits), at_best = ours(channel, db.session(), waiting), limit(port, size)
            if repetition >= 0:
                pairs.append((spent, at_best))
                commits.append(in_commits)
        channel.close()
    return pairs, commits


def ours(channel: Email, session: Session, waiting: list[int]) -> tuple[float, float]:
    """Each mail between two commits: the attempt opened, and its outcome. Seconds in all, and in the commits."""
    in_commits = 0.0
    closed = (
        update(Delivery)
        .where(Delivery.id == bindparam("part_id"))
        .values(state=bindparam("to", type_=Delivery.state.type), worker=None)
        .execution_options(synchronize_session=False)
    )

    def commit() -> None:
        nonlocal in_commits
        begun = time.perf_counter()
        session.commit()
        in_commits += time.perf_counter() - begun

    begun = time.perf_counter()
    for number, delivery_id in enumerate(waiting):
        attempt = Attempt(
            delivery_id=delivery_id,
            channel=Channel.EMAIL,
            key=str(uuid.uuid4()),
            number=1,
            is_notice=False,
            opened_at=dt.datetime.now(dt.UTC),
        )
        session.add(attempt)
        commit()
        result = channel.send([consignment(attempt.key, number)])[attempt.key]
        if result.outcome is not Outcome.ACCEPTED:
            raise AssertionError(f"not taken: {result.detail}")
        attempt.outcome, attempt.provider_reference = result.outcome, result.provider_reference
        attempt.closed_at = dt.datetime.now(dt.UTC)
        session.execute(closed, {"part_id": delivery_id, "to": State.IN_TRANSIT})
        commit()
    spent = time.perf_counter() - begun
    session.expunge_all()
    return spent, in_commits


def limit(port: int, count: int) -> float:
    """smtplib, one connection, the same ready-made bytes each time."""
    mail = Mail(
        "0@example.com", ("Strand kommune", "faktura@example.com"), "kari@example.com", "Faktura", "Hei\n", "nb",
        "faktura.pdf", PDF,
    )  # fmt: skip
    ready = prepare(mail, dt.datetime.now(dt.UTC))
    content = ready.head + ready.rest
    begun = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _ in range(count):
            server.sendmail("faktura@example.com", ["kari@example.com"], content)
    return time.perf_counter() - begun


def consignment(key: str, number: int) -> Consignment:
    """A demand with the PDF."""
    return Consignment(
        key=key, number=f"2026{number:06d}", kind="demand", witness_kind="demand", recipient=RECIPIENT,
        amount_ore=154334, due_on=dt.date(2026, 12, 21), kid="1234567897", account="12345678911",
        subject=f"Faktura 2026{number:06d}, Strand kommune", issuer_name="Strand kommune", pdf=PDF,
    )  # fmt: skip


@contextmanager
def database(folder: Path, port: int) -> Iterator[Settings]:
    """A migrated SQLite file in *folder* with the pragmas of the program, and the application's context."""
    settings = Settings(
        _env_file=None, environment="test", instance_dir=folder, log_level="WARNING", mail_server="127.0.0.1",
        mail_port=port, mail_use_tls=False,
    )  # fmt: skip
    app = create_app(settings)
    with app.app_context():
        upgrade()
        yield settings
        db.session.remove()
        db.engine.dispose()


def put_waiting(session: Session, count: int) -> list[int]:
    """*count* parts under way, without the invoices that nobody looks at here."""
    session.execute(text("PRAGMA foreign_keys=OFF"))
    now = dt.datetime.now(dt.UTC)
    first = uuid.uuid4().int % 10**12
    parts = [
        Delivery(
            invoice_id=first + number, part=Part.DOCUMENT, state=State.SENDING, channel=Channel.EMAIL,
            next_try_at=now, changed_at=now, worker="bench", claimed_at=now,
        )
        for number in range(count)
    ]  # fmt: skip
    session.add_all(parts)
    session.commit()
    ids = [part.id for part in parts]
    session.expunge_all()
    return ids


def main() -> None:
    """What the child process does: measure, and print the figures as JSON."""
    pairs, commits = measure(int(sys.argv[1]), int(sys.argv[2]))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"pairs": pairs, "commits": commits, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
