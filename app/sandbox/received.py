"""``received.jsonl``: the single truth of what the stand-ins took.

One JSON object a line: ``at, service, id, invoice, kind, outcome`` and, where a stand-in must rebuild its state from
the line, more keys (``late``, ``digest``, ``payload``, ``shipment``, ``batch`` …). No national id, telephone number or
e-mail address ever stands in it. The rules that make it a witness:

- A line is one ``os.write`` to a file opened for appending, under ``flock``, before the answer leaves. Whether an id is
  ``accepted`` or a ``repeat`` is decided under the same lock from the file itself, so that it holds between processes.
- A process that is killed while it writes leaves a torn last line, or a batch (``"batch": [k, n]``) without its end.
  Nobody was answered, so whoever locks next cuts it off. Readers without the lock ignore it (``complete_lines``).
- A line stays readable after SIGKILL, because it is in the operating system's hands; only a power cut may lose it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

LOG_FILE = "received.jsonl"
CHUNK = 1 << 22

Entry = dict[str, Any]


class LogDamaged(RuntimeError):
    """A line in the middle of the log cannot be read: somebody else wrote into it."""


@dataclass(slots=True)
class Record:
    """What the log says about one id at one service; ``number`` is its place among those taken, from 1.

    ``told``: the last state of an agreement that its asker was told.
    """

    tries: int = 0
    number: int = 0
    taken: Entry | None = None
    taken_back: Entry | None = None
    refused: Entry | None = None
    told: str | None = None

    @property
    def stands(self) -> bool:
        """Taken, and not taken back since."""
        return self.taken is not None and self.taken_back is None


@dataclass(slots=True)
class Index:
    """The log in memory: per id, messages per service in the order of arrival, per shipment, and the agreements of each
    eFaktura identifier."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    arrivals: dict[str, list[Record]] = field(default_factory=dict)
    shipments: dict[str, dict[str, Record]] = field(default_factory=dict)
    agreements: dict[str, list[Record]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take in one line."""
        service, identifier, outcome = entry["service"], entry["id"], entry["outcome"]
        record = self.records.setdefault((service, identifier), Record())
        record.tries += 1
        record.told = entry.get("told", record.told)
        if outcome == "accepted" and record.taken is None:
            record.taken = entry
            if entry["kind"] != "lookup":
                arrivals = self.arrivals.setdefault(service, [])
                arrivals.append(record)
                record.number = len(arrivals)
            if "consumer" in entry:
                self.agreements.setdefault(entry["consumer"], []).append(record)
        elif outcome == "refused" and record.taken is not None:
            record.taken_back = entry
        elif outcome == "refused":
            record.refused = entry
        if "shipment" in entry:
            self.shipments.setdefault(entry["shipment"], {})[identifier] = record


@dataclass(slots=True)
class _State:
    """One process's view: a forked child begins its own, with a lock of its own."""

    lock: Lock = field(default_factory=Lock)
    descriptor: int = -1
    offset: int = 0
    index: Index = field(default_factory=Index)


class Held:
    """The log while this thread holds it."""

    def __init__(self, state: _State) -> None:
        self._state = state

    @property
    def size(self) -> int:
        """Bytes in the log: the same size means the same content."""
        return self._state.offset

    def record(self, service: str, identifier: str) -> Record:
        """What is known of this id; empty when nothing is."""
        return self._state.index.records.get((service, identifier)) or Record()

    def arrivals(self, service: str) -> list[Record]:
        """Everything a service took, oldest first."""
        return self._state.index.arrivals.get(service, [])

    def shipment(self, shipment: str) -> dict[str, Record]:
        """The records of one shipment by id; empty when it is unknown."""
        return self._state.index.shipments.get(shipment, {})

    @property
    def agreements(self) -> Mapping[str, list[Record]]:
        """The agreements taken, by the eFaktura identifier of the consumer."""
        return self._state.index.agreements

    def append(self, *entries: Entry) -> None:
        """Write the entries with one call, whole or not at all; raises OSError when the disk is full."""
        if len(entries) > 1:
            for number, entry in enumerate(entries, start=1):
                entry["batch"] = [number, len(entries)]
        data = b"".join(json.dumps(entry, ensure_ascii=False).encode() + b"\n" for entry in entries)
        state = self._state
        if os.write(state.descriptor, data) != len(data):
            os.ftruncate(state.descriptor, state.offset)
            raise OSError(f"{LOG_FILE} could not be written whole")
        state.offset += len(data)
        for entry in entries:
            state.index.add(entry)


class ReceivedLog:
    """The log of one sandbox directory, for any number of threads and processes."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / LOG_FILE
        self._states: dict[int, _State] = {}

    @contextmanager
    def held(self) -> Iterator[Held]:
        """Hold the log alone, repaired and read to its end; keep it short, everybody waits."""
        state = self._states.setdefault(os.getpid(), _State())
        with state.lock:
            self._open(state)
            fcntl.flock(state.descriptor, fcntl.LOCK_EX)
            try:
                _catch_up(state)
                yield Held(state)
            finally:
                fcntl.flock(state.descriptor, fcntl.LOCK_UN)

    def _open(self, state: _State) -> None:
        """Open the log, again when it was removed or replaced."""
        if state.descriptor >= 0:
            try:
                if os.path.samestat(self.path.stat(), os.fstat(state.descriptor)):
                    return
            except FileNotFoundError:
                pass
            os.close(state.descriptor)
            state.descriptor, state.offset, state.index = -1, 0, Index()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        state.descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _catch_up(state: _State) -> None:
    """Read what others wrote since, and cut off what a killed process left unfinished."""
    size = os.fstat(state.descriptor).st_size
    if size < state.offset:
        state.offset, state.index = 0, Index()
    if size == state.offset:
        return
    data = bytearray()
    while len(data) < size - state.offset:
        piece = os.pread(state.descriptor, CHUNK, state.offset + len(data))
        if not piece:
            break
        data += piece
    entries, length = complete_lines(bytes(data))
    if length < len(data):
        os.ftruncate(state.descriptor, state.offset + length)
    state.offset += length
    for entry in entries:
        state.index.add(entry)


def complete_lines(data: bytes) -> tuple[list[Entry], int]:
    """The finished entries of *data* and their length in bytes; a torn line or batch at the end is left out.

    Raises `LogDamaged`.
    """
    entries: list[Entry] = []
    length = batch_length = batch_entries = 0
    for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
        try:
            entry: Entry = json.loads(line)
            batch = entry.get("batch", (1, 1))
        except (ValueError, AttributeError) as error:
            raise LogDamaged(f"{LOG_FILE}: byte {length} of the part read does not begin a line of JSON") from error
        entries.append(entry)
        length += len(line)
        if batch[0] == batch[1]:
            batch_length, batch_entries = length, len(entries)
    return entries[:batch_entries], batch_length


def read_log(directory: Path) -> Iterable[Mapping[str, Any]]:
    """Every finished entry, without the lock; an absent log is empty. Raises `LogDamaged`."""
    try:
        data = (directory / LOG_FILE).read_bytes()
    except FileNotFoundError:
        return []
    return complete_lines(data)[0]
