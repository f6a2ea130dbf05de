"""Who is working: a name that says host, process and start, so that the work of a dead one is free at once."""

from __future__ import annotations

import contextlib
import itertools
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psutil

# The start of a process is told in seconds from a boot time that the clock's adjustments move a little.
START_TOLERANCE = 2.0

_serials = itertools.count(1)
_active: set[str] = set()


def _host() -> str:
    """The host's name, and its process numbering: containers of one name number their processes anew."""
    name = socket.gethostname()[:60].replace(":", "-")
    with contextlib.suppress(OSError):
        return f"{name}/{Path('/proc/self/ns/pid').stat().st_ino}"
    return name


@dataclass(frozen=True, slots=True)
class Worker:
    """One run of the sending in one process. ``name`` is ``host:process:start:serial``."""

    name: str
    stop: threading.Event = field(default_factory=threading.Event, compare=False)

    @property
    def is_stopping(self) -> bool:
        """Whether to begin nothing new."""
        return self.stop.is_set()


@contextlib.contextmanager
def working() -> Iterator[Worker]:
    """A worker for the length of the block; what it leaves unfinished is free as soon as the block ends."""
    process = psutil.Process()
    worker = Worker(f"{_host()}:{process.pid}:{process.create_time():.2f}:{next(_serials)}")
    _active.add(worker.name)
    try:
        yield worker
    finally:
        _active.discard(worker.name)


def is_here(name: str) -> bool:
    """Whether the worker *name* runs, or ran, on this host, so that it can be looked up."""
    return name.rpartition(":")[0].rpartition(":")[0].rpartition(":")[0] == _host()


def is_gone(name: str) -> bool:
    """Whether the worker *name* of this host has ended. A worker of another host is never known to be."""
    if not is_here(name):
        return False
    _, process_id, start, _ = name.rsplit(":", 3)
    if int(process_id) == psutil.Process().pid:
        return name not in _active
    try:
        process = psutil.Process(int(process_id))
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return bool(abs(process.create_time() - float(start)) > START_TOLERANCE)
    except psutil.NoSuchProcess:
        return True


@contextlib.contextmanager
def stopping_on_signals(worker: Worker) -> Iterator[None]:
    """Let SIGTERM and SIGINT end the work after the group at hand. Only in the main thread do signals arrive."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
