"""The commands, from files in the drop folder to letters in the outbox, with the real channels and the stand-ins."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.delivery.models import Attempt, State
from app.sandbox.witness import count_instance

ROOT = Path(__file__).parent.parent.parent
MOST_RUNS = 5


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing waits: what is unavailable is due again at once, and mail has arrived when it is sent."""
    return settings.model_copy(update={"retry_waits": (), "email_settle_days": 0})


def run(runner: FlaskCliRunner, *arguments: str, fine: tuple[int, ...] = (0, 1)) -> Any:
    """One command with ``--format json``; gives what it told."""
    done = runner.invoke(args=[*arguments, "--format", "json"])
    assert done.exit_code in fine, done.output
    return json.loads(done.stdout)


@pytest.fixture
def demo(runner: FlaskCliRunner) -> Callable[..., None]:
    """Fills the drop folder with a made-up municipality."""

    def fill(invoices: int = 60, *more: str) -> None:
        done = runner.invoke(args=["demo", "--residents", "60", "--invoices", str(invoices), "--seed", "7", *more])
        assert done.exit_code == 0, done.output

    return fill


def run_to_the_end(runner: FlaskCliRunner) -> dict[str, Any]:
    """The job, until nothing is under way; gives the last report."""
    for _ in range(MOST_RUNS):
        told: dict[str, Any] = run(runner, "invoices", "run", "--no-brakes")
        report: dict[str, Any] = told["report"]
        if not any(report[state] for state in ("unplanned", "waiting", "sending", "in_transit")):
            break
    return report


def test_the_job_takes_files_to_letters_and_its_report_balances(
    demo: Callable[..., None], runner: FlaskCliRunner, settings: Settings
) -> None:
    demo()
    report = run_to_the_end(runner)
    assert report["balanced"]
    assert report["invoices"] == 60
    assert report["delivered"] + report["held"] + report["closed"] == 60
    assert report["held"] > 0
    assert all(report["by_channel"].values()), "every one of the six channels is used"
    witnesses = count_instance(settings.instance_dir)
    asked = sum(one.kind in ("demand", "claim") for takings in witnesses.standing.values() for one in takings)
    assert asked == 60 - len(report["not_sent"])


def test_running_again_changes_nothing(demo: Callable[..., None], runner: FlaskCliRunner, settings: Settings) -> None:
    demo()
    first = run_to_the_end(runner)
    before = count_instance(settings.instance_dir).totals()
    assert run_to_the_end(runner) == first
    assert count_instance(settings.instance_dir).totals() == before


def test_with_faults_everything_still_arrives_exactly_once(
    demo: Callable[..., None], runner: FlaskCliRunner, settings: Settings
) -> None:
    demo(60, "--faults")
    report = run_to_the_end(runner)
    assert (report["balanced"], report["waiting"]) == (True, 0)
    witnesses = count_instance(settings.instance_dir)
    asked = sum(one.kind in ("demand", "claim") for takings in witnesses.standing.values() for one in takings)
    assert asked == 60 - len(report["not_sent"])


def test_route_send_and_receipts_are_the_job_step_by_step(demo: Callable[..., None], runner: FlaskCliRunner) -> None:
    demo()
    for what in ("residents", "mandates", "payments", "invoices"):
        run(runner, what, "import")
    forecast = run(runner, "invoices", "route", "--dry-run", "--ask")
    assert run(runner, "invoices", "report")["unplanned"] == 60, "a dry run stores nothing"
    routed = run(runner, "invoices", "route")
    assert forecast.pop("passed_over")
    assert {name: routed[name] for name in forecast} == forecast
    due = run(runner, "invoices", "send", "--dry-run")
    assert due["total"] > 0
    assert run(runner, "invoices", "report")["delivered"] == 0, "a dry run sends nothing"
    sent = run(runner, "invoices", "send", "--no-brakes")
    assert sent["accepted"] > 0
    run(runner, "invoices", "receipts")
    report = run(runner, "invoices", "report")
    assert report["delivered"] > report["in_transit"]


def test_send_sends_at_most_what_it_is_told(demo: Callable[..., None], runner: FlaskCliRunner) -> None:
    demo()
    for what in ("residents", "mandates", "invoices"):
        run(runner, what, "import")
    run(runner, "invoices", "route")
    assert run(runner, "invoices", "send", "--limit", "3", "--no-brakes")["handled"] == 3


def test_a_dry_run_without_asking_says_that_most_wait(demo: Callable[..., None], runner: FlaskCliRunner) -> None:
    demo()
    for what in ("residents", "mandates", "invoices"):
        run(runner, what, "import")
    assert run(runner, "invoices", "route", "--dry-run")["waiting"] > 0


def test_explain_tells_the_whole_journey(demo: Callable[..., None], runner: FlaskCliRunner, session: Session) -> None:
    demo()
    report = run_to_the_end(runner)
    numbers = session.execute(text("SELECT number FROM invoice ORDER BY id")).scalars().all()
    for number in numbers:
        told = run(runner, "invoices", "explain", number)
        assert {"number", "resident", "facts", "claim", "route", "passed_over", "attempts", "state"} <= told.keys()
        assert set(told["route"]).isdisjoint(passed["channel"] for passed in told["passed_over"])
        assert all(passed["text"] and passed["text"] != passed["reason"] for passed in told["passed_over"])
        assert (told["state"] in ("delivered", "in_transit")) or number in report["not_sent"]
    text_output = runner.invoke(args=["invoices", "explain", numbers[0]])
    assert text_output.exit_code == 0
    assert numbers[0] in text_output.output


def test_commands_of_a_person_end_honestly(demo: Callable[..., None], runner: FlaskCliRunner, session: Session) -> None:
    demo()
    run(runner, "invoices", "import")
    number = session.execute(text("SELECT number FROM invoice ORDER BY id")).scalars().first()
    assert number is not None

    def code(*arguments: str) -> int:
        return runner.invoke(args=["invoices", *arguments]).exit_code

    assert code("hold", number) == 2, "a reason is required"
    assert code("hold", number, "--reason", "asked by phone") == 0
    assert code("release", number, "--reason", "settled") == 0
    assert code("release", number, "--reason", "again") == 1
    assert code("release", "--reason", "neither") == 2
    assert code("release", "--brake", "--reason", "none is pulled") == 1
    assert code("cancel", number, "--reason", "sent by mistake") == 0
    assert code("explain", "NO-SUCH-NUMBER") == 1


@pytest.mark.parametrize(
    "command", ["route", "send", "receipts", "run", "hold", "release", "cancel", "explain", "report"]
)
def test_every_command_explains_itself(command: str, runner: FlaskCliRunner) -> None:
    done = runner.invoke(args=["invoices", command, "--help"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 5


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """For a process of its own on this test's instance and database."""
    return {
        "PATH": "/usr/bin:/bin",
        "FLASK_APP": str(ROOT / "wsgi.py"),
        "PYTHONPATH": str(ROOT),
        "INSTANCE_DIR": str(settings.instance_dir),
        "DATABASE_URL": settings.database_url,
        "TODAY": "2026-11-24",
        "LOG_LEVEL": "ERROR",
    }


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts ``flask invoices run`` in a process of its own."""
    processes: list[subprocess.Popen[bytes]] = []

    def go() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flask", "invoices", "run", "--no-brakes"]
        processes.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL))
        return processes[-1]

    yield go
    for process in processes:
        process.kill()
        process.wait()


def test_two_jobs_at_once_send_everything_exactly_once(
    demo: Callable[..., None],
    runner: FlaskCliRunner,
    settings: Settings,
    start: Callable[[], subprocess.Popen[bytes]],
) -> None:
    demo(150)
    both = [start(), start()]
    assert {process.wait(timeout=300) for process in both} <= {0, 1}
    report = run_to_the_end(runner)
    assert report["balanced"]
    witnesses = count_instance(settings.instance_dir)
    asked = sum(one.kind in ("demand", "claim") for takings in witnesses.standing.values() for one in takings)
    assert asked == report["invoices"] - len(report["not_sent"])


def test_sigterm_ends_the_job_cleanly_and_leaves_nothing_open(
    app: Flask,
    demo: Callable[..., None],
    runner: FlaskCliRunner,
    session: Session,
    start: Callable[[], subprocess.Popen[bytes]],
) -> None:
    demo(150)
    job = start()
    while job.poll() is None and not session.scalars(select(Attempt.id).limit(1)).all():
        session.rollback()
        time.sleep(0.01)
    job.send_signal(signal.SIGTERM)
    assert job.wait(timeout=60) == 0
    session.rollback()
    assert session.scalars(select(Attempt).where(Attempt.outcome.is_(None))).all() == []
    states = session.execute(text("SELECT DISTINCT state FROM delivery")).scalars().all()
    assert State.SENDING.value not in states
    assert run(runner, "invoices", "report")["balanced"]
