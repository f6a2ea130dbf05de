"""Examining on several cores gives what examining on one gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.invoices.examine import examine_all
from app.invoices.intake import chunks
from app.invoices.parallel import examine_chunks
from app.invoices.sources import InvoiceFile
from tests.invoices.builders import ehf, pdf

ROOT = Path(__file__).parent.parent.parent


def files(count: int) -> list[InvoiceFile]:
    contents = [ehf(str(number)) if number % 7 else b"<broken" for number in range(count)]
    return [InvoiceFile(f"/x/{number}.xml", f"{number}.xml", None, xml) for number, xml in enumerate(contents)]


def test_chunks_come_back_in_order_and_whole() -> None:
    source = [files(30)[start : start + 10] for start in (0, 10, 20)]
    answers = list(examine_chunks(source))
    assert [chunk for chunk, _ in answers] == source
    assert [examined for _, examined in answers] == [examine_all(chunk) for chunk in source]


def test_a_chunk_ends_by_count_or_by_bytes() -> None:
    assert [len(chunk) for chunk in chunks(files(1200))] == [500, 500, 200]
    heavy = [InvoiceFile("x", "x", None, b"x" * 9_000_000, pdf()) for _ in range(5)]
    assert [len(chunk) for chunk in chunks(heavy)] == [2, 2, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks workers")
def test_workers_are_used_and_leave_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, multiprocessing, sys\n"
        "from app.invoices import parallel\n"
        "from tests.invoices.test_parallel import files\n"
        "os.sched_getaffinity = lambda _: {0, 1}\n"
        "found = parallel.examine_chunks([files(5)] * 6)\n"
        "next(found)\n"
        "print(*[child.pid for child in multiprocessing.active_children()], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    workers = [int(pid) for pid in result.stdout.split()]
    assert len(workers) == 2, result.stderr
    for _ in range(100):
        if not any(_is_running(pid) for pid in workers):
            return
        subprocess.run(["sleep", "0.1"], check=True)
    pytest.fail("workers outlived their parent")


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
