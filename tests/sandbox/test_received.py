"""The log is the one truth of what was taken, between threads, processes and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app.sandbox import received
from app.sandbox.received import LOG_FILE, LogDamaged, ReceivedLog, read_log

# The module alone, by its file: to load the whole product in every process would take most of the time.
WRITER = f"""
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("received", {received.__file__!r})
module = sys.modules["received"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
log = module.ReceivedLog(Path(sys.argv[1]))
"""
WRITER += """
for number in range(int(sys.argv[2])):
    with log.held() as held:
        is_known = held.record("vipps", str(number)).taken is not None
        outcome = "repeat" if is_known else "accepted"
        size = int(sys.argv[3])
        line = {"service": "vipps", "id": str(number), "invoice": str(number), "kind": "demand", "outcome": outcome}
        held.append(*({**line, "id": f"{number}-{part}" if size > 1 else str(number)} for part in range(size)))
    print(number, flush=True)
"""


def line(identifier: str, outcome: str = "accepted", **more: Any) -> dict[str, Any]:
    return {"service": "vipps", "id": identifier, "invoice": "F", "kind": "demand", "outcome": outcome, **more}


def writer(directory: Path, numbers: int, batch: int = 1) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(directory), str(numbers), str(batch)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_an_id_is_known_to_every_log_on_the_same_directory(tmp_path: Path) -> None:
    with ReceivedLog(tmp_path).held() as held:
        held.append(line("a"))
    with ReceivedLog(tmp_path).held() as held:
        assert held.record("vipps", "a").taken is not None
        assert held.record("efaktura", "a").taken is None


def test_a_later_refusal_takes_back_and_a_repeat_does_not(tmp_path: Path) -> None:
    log = ReceivedLog(tmp_path)
    with log.held() as held:
        held.append(line("a"))
        held.append(line("a", "repeat"))
        assert held.record("vipps", "a").stands
        held.append(line("a", "refused"))
        assert not held.record("vipps", "a").stands
        assert held.record("vipps", "a").tries == 3


def test_a_torn_last_line_is_ignored_by_readers_and_cut_off_by_the_next_writer(tmp_path: Path) -> None:
    log = ReceivedLog(tmp_path)
    with log.held() as held:
        held.append(line("a"))
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + json.dumps(line("b")).encode())
    assert [one["id"] for one in read_log(tmp_path)] == ["a"]
    with ReceivedLog(tmp_path).held() as held:
        assert held.record("vipps", "b").taken is None
        held.append(line("c"))
    assert [one["id"] for one in read_log(tmp_path)] == ["a", "c"]


def test_a_batch_without_its_end_was_never_taken(tmp_path: Path) -> None:
    log = ReceivedLog(tmp_path)
    with log.held() as held:
        held.append(line("a"))
        held.append(line("b"), line("c"), line("d"))
    pieces = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(pieces[:3]))
    assert [one["id"] for one in read_log(tmp_path)] == ["a"]
    with ReceivedLog(tmp_path).held() as held:
        assert held.record("vipps", "b").taken is None
    assert log.path.read_bytes() == pieces[0]


def test_a_damaged_line_in_the_middle_is_an_error_and_nothing_is_cut(tmp_path: Path) -> None:
    log = ReceivedLog(tmp_path)
    content = b"rubbish\n" + json.dumps(line("a")).encode() + b"\n"
    log.path.write_bytes(content)
    with pytest.raises(LogDamaged, match=LOG_FILE), log.held():
        pass
    assert log.path.read_bytes() == content


def test_a_log_that_was_removed_begins_anew(tmp_path: Path) -> None:
    log = ReceivedLog(tmp_path)
    with log.held() as held:
        held.append(line("a"))
    log.path.unlink()
    with log.held() as held:
        assert held.record("vipps", "a").taken is None
        held.append(line("b"))
    assert [one["id"] for one in read_log(tmp_path)] == ["b"]


def test_a_forked_child_and_its_parent_see_each_other(tmp_path: Path) -> None:
    log = ReceivedLog(tmp_path)
    with log.held() as held:
        held.append(line("before"))
    child = os.fork()
    if child == 0:
        with log.held() as held:
            held.append(line("child"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with log.held() as held:
        assert held.record("vipps", "child").taken is not None
        assert [one["id"] for one in read_log(tmp_path)] == ["before", "child"]


def test_two_processes_with_the_same_ids_accept_each_id_once(tmp_path: Path) -> None:
    writers = [writer(tmp_path, 400) for _ in range(2)]
    for one in writers:
        one.communicate(timeout=60)
    assert [one.returncode for one in writers] == [0, 0]
    entries = list(read_log(tmp_path))
    accepted = [one["id"] for one in entries if one["outcome"] == "accepted"]
    assert len(entries) == 800
    assert sorted(accepted, key=int) == [str(number) for number in range(400)]


@pytest.mark.parametrize("batch", [1, 300])
def test_whatever_was_answered_before_a_kill_stands_in_the_log_whole(tmp_path: Path, batch: int) -> None:
    answered: set[str] = set()
    for pause in (0.0, 0.02, 0.05, 0.1):
        process = writer(tmp_path, 1_000_000, batch)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines()
        answered |= {"0", *(one for one in rest[:-1])}
        process.wait(60)
        process.stdout.close()
        with ReceivedLog(tmp_path).held():
            pass
    logged: dict[str, int] = {}
    for entry in read_log(tmp_path):
        logged[entry["invoice"]] = logged.get(entry["invoice"], 0) + 1
    assert answered <= logged.keys()
    assert all(number % batch == 0 for number in logged.values())
