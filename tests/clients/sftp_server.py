"""A real SFTP server on loopback, in a thread, that serves one folder and can be told to fail."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

USER, PASSWORD = "strand", "hemmelig"


@dataclass
class SftpServer:
    """``breaks``: the step (``write`` or ``rename``) at which it hangs up: before, or after doing it."""

    folder: Path
    key: asyncssh.SSHKey
    client_key: asyncssh.SSHKey
    port: int = 0
    breaks: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    @property
    def host_key(self) -> str:
        """As the settings have it."""
        return self.key.export_public_key().decode().strip()

    def names(self) -> list[str]:
        """What lies in the folder, hidden too."""
        return sorted(path.name for path in self.folder.iterdir())


class _LogIn(asyncssh.SSHServer):
    def __init__(self, server: SftpServer) -> None:
        self._server = server

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key.public_data == self._server.client_key.public_data


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: Any, server: SftpServer) -> None:
        super().__init__(channel, chroot=os.fspath(server.folder).encode())
        self._server, self._channel = server, channel

    def _step(self, step: str, moment: str) -> None:
        if self._server.breaks.get(step) == moment:
            del self._server.breaks[step]
            self._channel.get_connection().abort()
            raise ConnectionResetError

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self._step("write", "before")
        return int(super().write(file_obj, offset, data))  # type: ignore[arg-type]

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._step("rename", "before")
        super().rename(oldpath, newpath)
        self._server.done.append(os.path.basename(newpath).decode())  # noqa: PTH119 - bytes
        self._step("rename", "after")


@contextmanager
def serving(folder: Path) -> Iterator[SftpServer]:
    """The server, for as long as the block lasts."""
    server = SftpServer(
        folder, asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    )
    ready, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        listener = await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[server.key], server_factory=lambda: _LogIn(server),
            sftp_factory=lambda channel: _Files(channel, server),
        )  # fmt: skip
        server.port = listener.get_port()
        ready.set()
        await ended.wait()
        listener.close()
        await listener.wait_closed()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert ready.wait(30)
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)
