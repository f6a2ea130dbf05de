"""Postfix's own mail sink for measuring: taken from the system, or unpacked from Debian's package into .cache."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache"
UNPACKED = CACHE / "postfix"
START_SECONDS = 10.0


class NoSink(Exception):
    """There is no smtp-sink here; the text says why."""


@contextmanager
def sink() -> Iterator[int]:
    """smtp-sink on a free port of 127.0.0.1; gives the port. Raises `NoSink`."""
    program, environment = _program()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    # As root it refuses to run without somebody to become.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [program, *user, f"127.0.0.1:{port}", "64"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _program() -> tuple[str, dict[str, str]]:
    installed = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if installed:
        return installed, {}
    unpacked = UNPACKED / "usr" / "sbin" / "smtp-sink"
    if not unpacked.exists():
        _unpack()
    return str(unpacked), {"LD_LIBRARY_PATH": str(UNPACKED / "usr" / "lib" / "postfix")}


def _unpack() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NoSink("smtp-sink is not installed, and this is no Debian to take it from: install postfix")
    CACHE.mkdir(exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", "postfix"], cwd=CACHE, check=True, capture_output=True, timeout=120)
        package = max(CACHE.glob("postfix_*.deb"), key=lambda path: path.stat().st_mtime)
        subprocess.run(["dpkg", "-x", str(package), str(UNPACKED)], check=True, capture_output=True, timeout=120)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise NoSink(f"smtp-sink is not installed, and Debian's postfix cannot be fetched: {error}") from error


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    process.kill()
    raise NoSink("smtp-sink does not start here")
