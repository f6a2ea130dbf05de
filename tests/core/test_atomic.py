"""Files: whole or not at all, whoever writes at the same time and whenever it dies."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from app.core.atomic import append_line, create_atomically, write_atomically


def test_content_lands_whole_from_bytes_and_from_pieces(tmp_path: Path) -> None:
    write_atomically(tmp_path / "one.txt", b"whole")
    write_atomically(tmp_path / "two.txt", (piece for piece in (b"in ", b"pieces")))
    assert (tmp_path / "one.txt").read_bytes() == b"whole"
    assert (tmp_path / "two.txt").read_bytes() == b"in pieces"


def test_what_was_there_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "claims.txt"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_source_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the database went away")

    path = tmp_path / "claims.txt"
    write_atomically(path, b"old")
    with pytest.raises(RuntimeError):
        write_atomically(path, pieces())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unfinished_file_has_no_name_that_a_collector_looks_for(tmp_path: Path) -> None:
    seen: list[str] = []

    def pieces() -> Iterator[bytes]:
        yield b"half"
        seen.extend(entry.name for entry in tmp_path.iterdir())

    write_atomically(tmp_path / "claims.txt", pieces())
    assert len(seen) == 1
    assert seen[0].startswith(".")
    assert not seen[0].endswith(".txt")


def test_files_are_private_unless_asked_for(tmp_path: Path) -> None:
    write_atomically(tmp_path / "private.txt", b"")
    write_atomically(tmp_path / "shared.txt", b"", mode=0o640)
    assert stat.S_IMODE((tmp_path / "private.txt").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "shared.txt").stat().st_mode) & 0o640 == 0o640 & ~_umask()


def test_of_many_that_create_at_once_one_wins_and_its_content_stands(tmp_path: Path) -> None:
    path = tmp_path / "made.txt"
    with ThreadPoolExecutor(16) as threads:
        won = list(threads.map(lambda index: create_atomically(path, str(index).encode()), range(64)))
    assert won.count(True) == 1
    assert path.read_text() == str(won.index(True))
    assert list(tmp_path.iterdir()) == [path]


def _append_many(path: Path, name: str) -> None:
    for index in range(200):
        append_line(path, f"{name} {index} {name * 200}")


def test_lines_of_several_processes_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        list(processes.map(_append_many, [path] * 2, "ab"))
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(f"{name} {index} {name * 200}" for name in "ab" for index in range(200))


@pytest.mark.parametrize("line", ["a\nb", "a\r"])
def test_a_line_break_inside_a_line_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        append_line(tmp_path / "log.jsonl", line)
    assert not (tmp_path / "log.jsonl").exists()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
