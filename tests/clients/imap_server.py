"""A real IMAP server of another make (pymap) on loopback, in a process of its own, empty at the start."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from imapclient import IMAPClient

USER, PASSWORD = "demouser", "demopass"
RUN = "import sys; from pymap.main import main; sys.exit(main())"


@dataclass(frozen=True)
class ImapServer:
    """Where it listens, and the certificate that must be trusted."""

    port: int
    authority: Path

    @contextmanager
    def look(self) -> Iterator[IMAPClient]:
        """A client of the test's own."""
        context = ssl.create_default_context(cafile=self.authority)
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20)
        client.starttls(context)
        client.login(USER, PASSWORD)
        try:
            yield client
        finally:
            client.logout()

    def put(self, *mails: bytes) -> None:
        """Deliver these."""
        with self.look() as client:
            for mail in mails:
                client.append("INBOX", mail.replace(b"\n", b"\r\n"))

    def count(self, folder: str) -> int:
        """How many mails lie in *folder*; -1 when there is none of that name."""
        with self.look() as client:
            if not client.folder_exists(folder):
                return -1
            client.select_folder(folder, readonly=True)
            return len(client.search(["NOT", "DELETED"]))

    def flags(self) -> list[tuple[bytes, ...]]:
        """The flags of each mail in the inbox."""
        with self.look() as client:
            client.select_folder("INBOX", readonly=True)
            return list(client.get_flags(client.search()).values())


@contextmanager
def running(folder: Path, certificate: Path, key: Path) -> Iterator[ImapServer]:
    """The server, for as long as the block lasts."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", RUN, "--host", "127.0.0.1", "--port", str(port), "--cert", str(certificate),
               "--key", str(key), "--no-service", "managesieve", "--no-service", "admin", "dict"]  # fmt: skip
    with (folder / "imap.log").open("wb") as log, subprocess.Popen(command, stderr=log, stdout=log) as process:
        try:
            _wait(port, process)
            yield ImapServer(port, certificate)
        finally:
            process.terminate()
            process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until it listens; the machine may be busy."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None:
                raise RuntimeError("the IMAP server has ended: see imap.log") from None
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the IMAP server does not listen")
