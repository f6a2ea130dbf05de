"""Kills a campaign with SIGKILL again and again, lets it finish, and counts at the other side what every mailbox got.

``python -m bench.offers_kill --mails 20000 --kills 20 --seed 1 [--way smtp|maildir] [--database sqlite|postgresql]``.
The last line is one JSON object: ``mails, kills, lost, double, taken, left_open``; the exit code is 1 when anything was
lost or doubled. A mail is double when a mailbox has two different ``Message-ID``s; ``taken`` counts repeats under the
same one too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from bench.chaos import ROOT, TODAY, database
from bench.offers_town import put_residents

START_SECONDS = 20.0
STUCK_SECONDS = 300.0
SHARE_BY_TIME = 0.3
LONGEST_SECONDS = 4.0


@dataclass
class Campaign:
    """One campaign that is treated badly."""

    instance: Path
    environment: dict[str, str]
    draw: random.Random
    log: Path | None
    kills: int = 0
    left_open: int = field(default=0)

    def taken(self) -> list[tuple[str, str]]:
        """What the other side has: recipient and ``Message-ID``, in the order of arrival where it is known."""
        if self.log is not None:
            lines = self.log.read_text().splitlines() if self.log.exists() else []
            return [(line.split()[0], line.split()[1]) for line in lines if len(line.split()) == 2]
        parser, mails = BytesHeaderParser(), (self.instance / "outbox" / "email" / "new").glob("*")
        heads = []
        for mail in mails:
            with contextlib.suppress(FileNotFoundError):
                heads.append(parser.parsebytes(mail.read_bytes()))
        return [(head["To"].strip("<>"), head["Message-ID"]) for head in heads]

    def count(self) -> int:
        """How many mails the other side has, cheaply."""
        if self.log is not None:
            return self.log.read_bytes().count(b"\n") if self.log.exists() else 0
        folder = self.instance / "outbox" / "email" / "new"
        return len(list(folder.iterdir())) if folder.exists() else 0

    def start(self) -> subprocess.Popen[bytes]:
        """Go on with the campaign in a process of its own."""
        with (self.instance / "errors.log").open("ab") as errors:
            command = [sys.executable, "-m", "flask", "offers", "send", "--campaign", "kill", "--format", "json"]
            return subprocess.Popen(
                command, cwd=self.instance, env=self.environment, stdout=subprocess.PIPE, stderr=errors
            )

    def kill_once(self, step: int) -> bool:
        """Kill it after a random number of mails, or at a random moment; False when it had ended before."""
        before, began = self.count(), time.monotonic()
        seconds, amount = STUCK_SECONDS, self.draw.randint(1, 2 * step)
        if self.draw.random() < SHARE_BY_TIME:
            seconds = self.draw.uniform(0.2, LONGEST_SECONDS)
        process = self.start()
        while process.poll() is None and self.count() - before < amount and time.monotonic() - began < seconds:
            time.sleep(0.002)
        is_running = process.poll() is None
        if is_running:
            process.send_signal(signal.SIGKILL)
            self.kills += 1
        process.communicate()
        return is_running

    def run_to_the_end(self) -> None:
        """Let it work in peace. Twice: what has just been begun a second time may need one more."""
        for _ in range(2):
            process = self.start()
            told = process.communicate()[0]
            if process.returncode != 0:
                raise SystemExit(f"offers send ended with {process.returncode}: {told!r}; see errors.log")
            self.left_open += json.loads(told)["left_open"]


@contextlib.contextmanager
def collector(folder: Path) -> Iterator[tuple[int, Path]]:
    """A mail server in a process of its own; gives its port, and the file it notes mails in."""
    port_file, log = folder / "port", folder / "mails.log"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.mail_collector", str(port_file), str(log)], cwd=ROOT
    )
    try:
        until = time.monotonic() + START_SECONDS
        while not port_file.exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.02)
        yield int(port_file.read_text()), log
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def run(mails: int, kills: int, seed: int, way: str, kind: str, instance: Path) -> dict[str, Any]:
    """Make the residents, kill the campaign *kills* times, let it finish, and judge."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(database(kind, instance))
        environment = surroundings(instance, url)
        log = None
        if way == "smtp":
            port, log = stack.enter_context(collector(instance))
            environment |= {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(port), "MAIL_USE_TLS": "false"}
        subprocess.run([sys.executable, "-m", "flask", "db", "upgrade"], cwd=instance, env=environment, check=True,
                       capture_output=True)  # fmt: skip
        engine = create_engine(url)
        addresses = put_residents(engine, mails)
        engine.dispose()
        campaign = Campaign(instance, environment, random.Random(seed), log)
        step = max(1, mails // max(1, kills) // 2)
        while campaign.kills < kills and campaign.kill_once(step):
            pass
        campaign.run_to_the_end()
        return judge(campaign, addresses)


def surroundings(instance: Path, url: str) -> dict[str, str]:
    """The environment of every command: nothing of the caller's but what programs need to start."""
    import_from = {"FLASK_APP": str(ROOT / "wsgi.py"), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return import_from | {
        "INSTANCE_DIR": str(instance), "DATABASE_URL": url, "TODAY": TODAY, "LOG_LEVEL": "ERROR", "ENVIRONMENT": "test",
    }  # fmt: skip


def judge(campaign: Campaign, addresses: Sequence[str]) -> dict[str, Any]:
    """Every mailbox one ``Message-ID``, no more and no less."""
    got: dict[str, set[str]] = {address: set() for address in addresses}
    taken = campaign.taken()
    for recipient, message_id in taken:
        got.setdefault(recipient, set()).add(message_id)
    return {
        "mails": len(addresses),
        "kills": campaign.kills,
        "lost": sum(not ids for ids in got.values()),
        "double": sum(len(ids) > 1 for ids in got.values()) + len(got.keys() - set(addresses)),
        "taken": len(taken),
        "left_open": campaign.left_open,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m bench.offers_kill", description=__doc__)
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", choices=["smtp", "maildir"], default="smtp")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fakturaportalen-offers-") as folder:
        verdict = run(given.mails, given.kills, given.seed, given.way, given.database, Path(folder))
    print(json.dumps(verdict))
    return int(bool(verdict["lost"] or verdict["double"]))


if __name__ == "__main__":
    raise SystemExit(main())
