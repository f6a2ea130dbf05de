"""A real SMTP server in a process of its own that notes each mail it takes: ``python -m tests.support.mail_collector``.

Two arguments: the file that gets its port once it listens, and the file that gets one line a mail, ``recipient`` and
``Message-ID``, written in one append before the mail is answered, so that what the sender heard of is noted.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>\r?$", re.MULTILINE | re.IGNORECASE)


class Noting:
    """What the server does with a mail."""

    def __init__(self, log: Path) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Note it, and take it."""
        content = envelope.content
        found = MESSAGE_ID.search(content) if isinstance(content, bytes) else None
        if found is None or len(envelope.rcpt_tos) != 1:
            return "554 5.6.0 not a mail of ours"
        os.write(self._log, f"{envelope.rcpt_tos[0]} {found[1].decode('ascii')}\n".encode())
        return "250 2.0.0 taken"


async def serve(port_file: Path, log: Path) -> None:
    """Until killed."""
    handler, loop = Noting(log), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, hostname="localhost"), "127.0.0.1", 0)
    part = port_file.with_suffix(".part")
    part.write_text(str(server.sockets[0].getsockname()[1]))
    part.rename(port_file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
