"""What a run need not do for each test's app anew: wait for a disk, and compile the same routes and templates."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

MEMORY = Path("/dev/shm")  # noqa: S108 - only made-up people are in a test's files
ENOUGH_BYTES = 4 * 1024**3

Builder = Callable[..., tuple[str, str]]


def write_to_memory() -> None:
    """Let this process and its children keep temporary files in memory, where there is enough and TMPDIR says nothing.

    A run leaves about 1 GB: the databases of its tests, their documents and their files for the bank.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH_BYTES:
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


class KeptTemplates(BytecodeCache):
    """Templates as compiled for an earlier app of this process; jinja asks for them by name and content."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill *bucket* where its template was compiled before."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


def compile_once() -> None:
    """Compile each template, and what builds the addresses of each rule, for the first app of this process only."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": KeptTemplates()}
    kept: dict[tuple[object, ...], Builder] = {}
    compile_builder = Rule._compile_builder

    def compiled(rule: Rule, append_unknown: bool = True) -> Builder:
        defaults = tuple(sorted((name, repr(value)) for name, value in (rule.defaults or {}).items()))
        key = (rule.rule, tuple(rule._trace), defaults, append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = compiled  # type: ignore[method-assign, assignment]
