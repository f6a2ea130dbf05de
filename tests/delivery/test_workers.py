"""Claims of work between real processes: each part is one worker's, and a dead one's is free at once."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sqlalchemy import update

from app.core.settings import Settings
from app.delivery import work, workers
from app.delivery.models import Delivery, State
from app.routing.channels import Channel
from tests.delivery.town import Town

ROOT = Path(__file__).parent.parent.parent
ELSEWHERE = "another-host/1:1:1.00:1"


def claimer(settings: Settings, begin: Path, *more: str) -> subprocess.Popen[str]:
    """A claiming process on this test's database."""
    command = [sys.executable, "-m", "tests.delivery.claimer", settings.database_url, str(begin), *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def mails(town: Town, count: int) -> None:
    """So many parts that wait for the e-mail channel."""
    plan = town.plan(Channel.EMAIL)
    for _ in range(count):
        town.invoice(plan)


def states(town: Town) -> dict[str, int]:
    """How many parts are in each state."""
    town.session.rollback()
    counts: dict[str, int] = {}
    for (state,) in town.session.query(Delivery.state).all():
        counts[state.value] = counts.get(state.value, 0) + 1
    return counts


def test_two_processes_never_claim_the_same_part(town: Town, settings: Settings, tmp_path: Path) -> None:
    mails(town, 40)
    begin = tmp_path / "begin"
    both = [claimer(settings, begin) for _ in range(2)]
    begin.touch()
    got = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert sorted(got[0] + got[1]) == sorted({*got[0], *got[1]})
    assert len(got[0] + got[1]) == 40


def test_the_work_of_a_killed_process_is_free_at_once_and_that_of_a_living_one_is_not(
    town: Town, settings: Settings, tmp_path: Path
) -> None:
    mails(town, 6)
    begin = tmp_path / "begin"
    begin.touch()
    doomed, living = claimer(settings, begin, "stuck"), claimer(settings, begin, "stuck")
    try:
        for process in (doomed, living):
            assert process.stdout is not None
            assert len(json.loads(process.stdout.readline())) == 3
        assert work.free_gone(town.session, settings, town.clock.now()) == 0
        # Not waited for: it stays in the table of processes as a zombie, and is gone all the same.
        doomed.send_signal(signal.SIGKILL)
        while psutil.Process(doomed.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        assert work.free_gone(town.session, settings, town.clock.now()) == 3
        assert states(town) == {"waiting": 3, "sending": 3}
    finally:
        for process in (doomed, living):
            process.kill()
            process.communicate()


def claim_as(town: Town, name: str) -> None:
    """Let somebody have claimed everything."""
    values = {"state": State.SENDING, "worker": name, "claimed_at": town.clock.now()}
    town.session.execute(update(Delivery).values(**values))
    town.session.commit()


def test_the_work_of_another_host_is_free_when_its_lease_is_over(town: Town, settings: Settings) -> None:
    mails(town, 2)
    claim_as(town, ELSEWHERE)
    now = town.clock.now()
    assert work.free_gone(town.session, settings, now + settings.lease) == 0
    assert work.free_gone(town.session, settings, now + settings.lease + dt.timedelta(seconds=1)) == 2


def test_a_claim_that_is_renewed_is_kept_and_one_that_was_lost_is_noticed(town: Town, settings: Settings) -> None:
    mails(town, 2)
    with workers.working() as worker:
        now = town.clock.now()
        ids = work.take(town.session, worker, Channel.EMAIL, 2, now)
        later = now + dt.timedelta(hours=1)
        assert work.keep(town.session, worker, ids, later) == set(ids)
        town.session.commit()
        claim_as(town, ELSEWHERE)
        assert work.keep(town.session, worker, ids, later) == set()


def test_work_left_by_an_exception_is_free_as_soon_as_its_block_ends(town: Town, settings: Settings) -> None:
    mails(town, 1)
    with workers.working() as worker:
        work.take(town.session, worker, Channel.EMAIL, 1, town.clock.now())
        assert work.free_gone(town.session, settings, town.clock.now()) == 0
    assert work.free_gone(town.session, settings, town.clock.now()) == 1


def test_a_new_process_under_an_old_number_is_not_the_old_worker() -> None:
    with workers.working() as worker:
        host, number, start, serial = worker.name.rsplit(":", 3)
    parent = os.getppid()
    started = psutil.Process(parent).create_time()
    assert not workers.is_gone(f"{host}:{parent}:{started:.2f}:{serial}")
    assert workers.is_gone(f"{host}:{parent}:{started - 60:.2f}:{serial}")
    assert number == str(os.getpid())
    assert float(start) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_the_worker_to_stop_and_the_old_handler_comes_back(number: signal.Signals) -> None:
    before: Callable[..., object] | int | None = signal.getsignal(number)
    with workers.working() as worker, workers.stopping_on_signals(worker):
        assert not worker.is_stopping
        signal.raise_signal(number)
        assert worker.is_stopping
    assert signal.getsignal(number) is before
