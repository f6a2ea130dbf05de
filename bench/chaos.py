"""Kills the sending process and the stand-ins with SIGKILL at random moments, and counts by the witnesses what left.

``python -m bench.chaos --invoices 5000 --kills 100 --seed 1 [--database sqlite|postgresql] [--no-sockets]``. The
stand-ins are a process of their own behind a real socket, or, without sockets, inside the sending process. One call in
five fails. The last line is one JSON object: ``invoices, kills, lost, double, held_without_reason, balanced`` (kills of
both kinds); the exit code is 1 when any of them is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text

from bench.stand_ins import StandIns, let_fail
from bench.verdict import judge
from tests.support import postgres

ROOT = Path(__file__).parent.parent
TODAY = "2026-11-24"
MOST_RUNS_TO_THE_END = 20
# A kill falls after so much has left, or after so many seconds: so that planning and start-up are hit as well.
SHARE_BY_TIME = 0.3
SHARE_BEFORE_SENDING = 0.8
LONGEST_SECONDS = 6.0
# So often the attempts are counted; a kill falls up to as much later again.
LOOK_SECONDS = 0.005
STUCK_SECONDS = 180.0
FAULTS = 0.2
# In so many of the runs the stand-ins are killed too, while the sending goes on.
SHARE_OF_STAND_INS = 0.5


@dataclass
class Chaos:
    """One instance that is treated badly."""

    instance: Path
    database_url: str
    draw: random.Random
    invoices: int
    workers: int = 1
    stand_ins: StandIns | None = None
    sender_kills: int = 0
    hits: Counter[str] = field(default_factory=Counter)

    @property
    def kills(self) -> int:
        """Processes killed so far, of both kinds."""
        return self.sender_kills + (self.stand_ins.kills if self.stand_ins else 0)

    @property
    def environment(self) -> dict[str, str]:
        """Of every command: nothing of the caller's but what programs need to start."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return (
            kept
            | (self.stand_ins.environment if self.stand_ins else {})
            | {
                "FLASK_APP": str(ROOT / "wsgi.py"),
                "PYTHONPATH": str(ROOT),
                "INSTANCE_DIR": str(self.instance),
                "DATABASE_URL": self.database_url,
                "TODAY": TODAY,
                "LOG_LEVEL": "ERROR",
            }
        )

    def flask(self, *arguments: str, fine: Sequence[int] = (0,)) -> str:
        """Run one command to its end; gives what it printed."""
        done = subprocess.run(self._command(*arguments), cwd=self.instance, env=self.environment, capture_output=True,
                              text=True, check=False)  # fmt: skip
        if done.returncode not in fine:
            raise SystemExit(f"flask {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-4000:]}")
        return done.stdout

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "flask", *arguments]

    def start(self) -> subprocess.Popen[bytes]:
        """Begin a run in a process of its own."""
        with (self.instance / "errors.log").open("ab") as errors:
            return subprocess.Popen(self._command("invoices", "run", "--no-brakes"), cwd=self.instance,
                                    env=self.environment, stdout=subprocess.DEVNULL, stderr=errors)  # fmt: skip

    def kill_once(self, engine: Engine, step: int) -> bool:
        """Start the workers, and kill them all at a random moment; False when they had ended before.

        Never later than after twice *step* attempts, so that there is work left for the next kill.
        """
        before, began = attempts_in(engine), time.monotonic()
        # There is about one attempt an invoice: the last kills must not fall after the end.
        most = min(2 * step, max(1, (self.invoices - before) // 2))
        seconds, amount = STUCK_SECONDS, self.draw.randint(0, most)
        if self.draw.random() < (SHARE_BY_TIME if before else SHARE_BEFORE_SENDING):
            seconds, amount = self.draw.uniform(0.2, LONGEST_SECONDS), most
        stand_ins = self.stand_ins if self.draw.random() < SHARE_OF_STAND_INS else None
        their_amount, their_seconds = self.draw.randint(0, most), self.draw.uniform(1.0, 2 * LONGEST_SECONDS)
        processes = [self.start() for _ in range(self.workers)]
        while any(process.poll() is None for process in processes):
            done, passed = attempts_in(engine) - before, time.monotonic() - began
            # Attempts are opened many at once, so whoever is looked at first is the one that is killed.
            if stand_ins is not None and (done > their_amount or passed > their_seconds):
                stand_ins.kill()
                stand_ins = None
            if passed > seconds or done > amount:
                break
            time.sleep(LOOK_SECONDS)
        time.sleep(self.draw.uniform(0, 0.1))
        running = [process for process in processes if process.poll() is None]
        for process in running:
            process.kill()
        for process in processes:
            process.wait()
        self.sender_kills += len(running)
        return bool(running)

    def note_what_was_hit(self, engine: Engine) -> None:
        """What the killed process left open, so that one sees that every phase was hit."""
        with engine.connect() as connection:
            for channel, number in connection.execute(
                text("SELECT channel, count(*) FROM attempt WHERE outcome IS NULL GROUP BY channel")
            ):
                self.hits[f"{channel} attempts"] += number
            files = "SELECT written_at IS NULL, count(*) FROM handover WHERE handed_over_at IS NULL GROUP BY 1"
            for is_unwritten, number in connection.execute(text(files)):
                self.hits["unwritten files" if is_unwritten else "files not in place"] += number
            unplanned = connection.execute(text("SELECT count(*) FROM pending")).scalar_one()
        self.hits["kills while invoices were unplanned"] += bool(unplanned)
        self.hits["kills while files were unread"] += any((self.instance / "inbox" / "invoices").rglob("*.xml"))

    def run_to_the_end(self) -> None:
        """Let it work in peace until nothing is under way."""
        for _ in range(MOST_RUNS_TO_THE_END):
            self.flask("invoices", "run", "--no-brakes", fine=(0, 1))
            report = self.report()
            if not any(report[state] for state in ("unplanned", "waiting", "sending", "in_transit")):
                return

    def report(self) -> dict[str, Any]:
        """What the program says itself."""
        told: dict[str, Any] = json.loads(self.flask("invoices", "report", "--format", "json", fine=(0, 1)))
        return told


def attempts_in(engine: Engine) -> int:
    """How many attempts have been opened so far."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM attempt")).scalar_one())


@contextlib.contextmanager
def database(kind: str, instance: Path) -> Iterator[str]:
    """The URL of an empty database; PostgreSQL is started for it, with its journal on disk as in production."""
    if kind == "sqlite":
        yield f"sqlite:///{instance / 'fakturaportalen.db'}"
        return
    with postgres.server({}) as server:
        name = f"chaos_{uuid.uuid4().hex}"
        server.run(f'CREATE DATABASE "{name}"')
        yield server.url_of(name)


@contextlib.contextmanager
def stand_ins_in(instance: Path, draw: random.Random) -> Iterator[StandIns]:
    """The stand-ins of *instance* as a process, for as long as the block runs."""
    stand_ins = StandIns(instance / "sandbox", TODAY, draw)
    stand_ins.start()
    try:
        yield stand_ins
    finally:
        stand_ins.stop()


def run(
    invoices: int, kills: int, seed: int, kind: str, workers: int, instance: Path, *, has_sockets: bool = False
) -> dict[str, Any]:
    """Make a municipality, kill its sending *kills* times, let it finish, and judge."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(database(kind, instance))
        draw = random.Random(seed)
        chaos = Chaos(instance, url, draw, invoices, workers)
        engine = create_engine(url)
        stack.callback(engine.dispose)
        chaos.flask("db", "upgrade")
        residents = max(20, invoices * 2 // 3)
        chaos.flask("demo", "--residents", str(residents), "--invoices", str(invoices), "--seed", str(seed),
                    "--faults")  # fmt: skip
        let_fail(instance / "sandbox", FAULTS)
        if has_sockets:
            chaos.stand_ins = stack.enter_context(stand_ins_in(instance, draw))
        step = max(1, invoices // max(1, kills))
        while chaos.kills < kills:
            if chaos.kill_once(engine, step):
                chaos.note_what_was_hit(engine)
        chaos.run_to_the_end()
        report = chaos.report()
        print(f"killed: {chaos.sender_kills} sending, {chaos.kills - chaos.sender_kills} stand-ins")
        print(f"what the kills left open: {dict(sorted(chaos.hits.items()))}")
        print(f"report: { {name: value for name, value in report.items() if name not in ('not_sent', 'batches')} }")
        return judge(report, instance, engine, chaos.kills)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 when anything was lost, doubled, held without a reason, or does not balance."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--invoices", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--sockets", action=argparse.BooleanOptionalAction, default=True,
                        help="the stand-ins as a process of their own, killed as well")  # fmt: skip
    parser.add_argument("--workers", type=int, default=1, help="processes at once; each one killed counts")
    parser.add_argument("--keep", type=Path, help="a folder for the instance, kept afterwards")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fakturaportalen-chaos-") as folder:
        instance = given.keep or Path(folder)
        instance.mkdir(parents=True, exist_ok=True)
        verdict = run(given.invoices, given.kills, given.seed, given.database, given.workers, instance,
                      has_sockets=given.sockets)  # fmt: skip
    print(json.dumps(verdict))
    is_right = verdict["balanced"] and not any(verdict[name] for name in ("lost", "double", "held_without_reason"))
    return 0 if is_right else 1


if __name__ == "__main__":
    raise SystemExit(main())
