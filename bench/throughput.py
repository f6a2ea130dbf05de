"""The sender against a slow provider: deliveries a second, against what the seats could do if nothing else took time.

The mailbox through eFormidling, with real letters; the call that takes a letter sleeps 1 to 3 seconds. The limit is
``seats`` times the letters, by all the seconds slept: no seat ever idle. Here more is better, and 1 is the ideal.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from flask import Flask
from flask_migrate import upgrade

from app import create_app
from app.channels.registry import build_channels
from app.core.database import db
from app.core.settings import Settings
from app.delivery.run import open_desk
from app.delivery.sending import MessageSender
from app.routing.channels import Channel
from bench.memory import peak_mb
from bench.planning_data import TODAY
from bench.rows import Row

SHORTEST, LONGEST = 1.0, 3.0
# Seats, and so many letters to each of them.
SEATS, LETTERS_A_SEAT, SMALL_A_SEAT = (4, 16), 25, 12
SENDING = "/api/messages/out/"


@dataclass
class Slow(httpx.BaseTransport):
    """Takes its time over every letter handed over, and keeps count of it."""

    inner: httpx.BaseTransport
    draw: random.Random = field(default_factory=lambda: random.Random(5))
    lock: threading.Lock = field(default_factory=threading.Lock)
    slept: float = 0.0
    taken: int = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sleep over the last step of a letter, and pass everything on."""
        if request.method == "POST" and SENDING in request.url.path:
            with self.lock:
                seconds = self.draw.uniform(SHORTEST, LONGEST)
                self.slept, self.taken = self.slept + seconds, self.taken + 1
            time.sleep(seconds)
        return self.inner.handle_request(request)


def run(is_small: bool = False) -> list[Row]:
    """One row a number of seats."""
    return [measure(seats, seats * (SMALL_A_SEAT if is_small else LETTERS_A_SEAT)) for seats in SEATS]


def measure(seats: int, letters: int) -> Row:
    """Send *letters* waiting letters, with *seats* calls at a time."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-throughput-") as folder,
        waiting(Path(folder), seats, letters) as app,
    ):
        slow = Slow(app.config["TRANSPORT"])
        settings, clock = app.config["SETTINGS"], app.config["CLOCK"]
        channels = build_channels(settings, clock, slow)
        with open_desk(db.session(), settings, clock, channels) as desk:
            begun = time.perf_counter()
            MessageSender(desk, channels.messages[Channel.MAILBOX]).send_due(clock.now(), letters)
            seconds = time.perf_counter() - begun
            accepted = desk.ledger.tally.accepted
    if not accepted == slow.taken == letters:
        raise AssertionError(f"{accepted} accepted and {slow.taken} taken of {letters}")
    ours, limit = letters / seconds, seats * letters / slow.slept
    return {
        "name": "throughput", "n": letters, "ours": round(ours, 2), "limit": round(limit, 2),
        "ratio": round(ours / limit, 3), "unit": "deliveries/s", "peak_mb": round(peak_mb()),
        "note": f"{seats} seats, a provider that takes {slow.slept / letters:.1f} s",
    }  # fmt: skip


@contextmanager
def waiting(folder: Path, seats: int, letters: int) -> Iterator[Flask]:
    """A municipality on SQLite, at least *letters* of whose invoices wait for the mailbox."""
    settings = Settings(_env_file=None, instance_dir=folder, today=TODAY, seats=seats, log_level="ERROR")
    app = create_app(settings)
    with ExitStack() as stack:
        stack.enter_context(app.app_context())
        stack.callback(db.engine.dispose)
        stack.callback(db.session.remove)
        upgrade()
        command(app, "demo", "--residents", str(letters), "--invoices", str(letters * 2), "--seed", "5")
        give_everyone_a_mailbox(settings.sandbox_dir / "sandbox.json")
        for what in ("residents", "invoices"):
            command(app, what, "import")
        command(app, "invoices", "route")
        yield app


def command(app: Flask, *arguments: str) -> None:
    """One command of ours; raises AssertionError when it fails."""
    done = app.test_cli_runner().invoke(args=arguments, catch_exceptions=False)
    if done.exit_code not in (0, 1):
        raise AssertionError(done.output)


def give_everyone_a_mailbox(path: Path) -> None:
    """And nothing that comes before it."""
    world = json.loads(path.read_text(encoding="utf-8"))
    for person in world["people"]:
        person["krr"] = {"status": "AKTIV", "mailbox": "digipost", "can_be_notified": True}
        person["efaktura"] = {"identifier": None, "accepts": False, "blocked_issuers": []}
        person["vipps"] = {"accepts": False}
    path.write_text(json.dumps(world), encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run("--small" in sys.argv), indent=2) + "\n")
