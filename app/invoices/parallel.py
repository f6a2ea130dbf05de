"""Examines chunks of files on all cores while the one before them is being stored."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice

from app.invoices import schema
from app.invoices.examine import Examined, examine_all
from app.invoices.sources import InvoiceFile

MAX_WORKERS = 4

Chunk = list[InvoiceFile]


def examine_chunks(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, list[Examined]]]:
    """Each chunk with its answers, in order. At most one chunk more than there are workers is under way.

    A single chunk, a single core, a process with threads or a system without fork is served in this process.
    """
    source = iter(chunks)
    first = list(islice(source, 2))
    workers = min(len(os.sched_getaffinity(0)), MAX_WORKERS) if sys.platform == "linux" else 1
    if len(first) < 2 or workers < 2 or threading.active_count() > 1:
        for chunk in chain(first, source):
            yield chunk, examine_all(chunk)
        return
    # Fork, because a fresh interpreter would take longer to start than most imports last. The children touch neither
    # database nor network, and no other thread is running whose locks they could inherit.
    schema.load()
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, context, initializer=_watch_parent, initargs=(os.getpid(),)) as pool:
        yield from _in_order(pool, chain(first, source), workers + 1)


def _in_order(pool: ProcessPoolExecutor, chunks: Iterable[Chunk], most: int) -> Iterator[tuple[Chunk, list[Examined]]]:
    under_way: deque[tuple[Chunk, Future[list[Examined]]]] = deque()
    for chunk in chunks:
        under_way.append((chunk, pool.submit(examine_all, chunk)))
        if len(under_way) >= most:
            yield _next(under_way)
    while under_way:
        yield _next(under_way)


def _next(under_way: deque[tuple[Chunk, Future[list[Examined]]]]) -> tuple[Chunk, list[Examined]]:
    chunk, future = under_way.popleft()
    return chunk, future.result()


def _watch_parent(parent: int) -> None:
    """Leave when the parent is killed: the queue's pipe alone would keep a worker waiting for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
