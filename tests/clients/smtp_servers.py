"""Mail servers on loopback: one that follows a script to the byte, and certificates that nobody vouches for."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HANG_UP, SILENCE = "hang up", "silence"
USUAL: Mapping[str, str] = {
    "greeting": "220 mx.example.com ESMTP",
    "EHLO": "250 mx.example.com",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 End data with <CR><LF>.<CR><LF>",
    "end": "250 2.0.0 Ok: queued",
    "RSET": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
    "NOOP": "250 2.0.0 Ok",
}


@dataclass
class ScriptedServer:
    """Answers each step as told: a reply, `HANG_UP` or `SILENCE`; a list is used up one by one, then the usual.

    ``mails`` are the contents taken whole, ``commands`` what was said, ``connections`` how many there were.
    """

    script: Mapping[str, str | list[str]] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def reply(self, step: str) -> str:
        """What to answer now."""
        told = self.script.get(step, USUAL.get(step, "502 5.5.2 Error"))
        if isinstance(told, list):
            return told.pop(0) if told else USUAL[step]
        return told

    def serve(self, connection: socket.socket) -> None:
        """One connection to its end."""
        with closing(connection), connection.makefile("rb") as lines, suppress(OSError):
            self.connections += 1
            if not self._say(connection, self.reply("greeting")):
                return
            for line in lines:
                self.commands.append(line.decode("latin-1").strip())
                step = self.commands[-1][:4].upper()
                if step == "HELO":
                    step = "EHLO"
                if not self._say(connection, answer := self.reply(step)):
                    return
                if step == "QUIT":
                    return
                if step == "DATA" and answer.startswith("354") and not self._take(connection, lines):
                    return

    def _take(self, connection: socket.socket, lines: Iterator[bytes]) -> bool:
        content: list[bytes] = []
        for line in lines:
            if line == b".\r\n":
                self.mails.append(b"".join(content))
                return self._say(connection, self.reply("end"))
            content.append(line)
            if self.script.get("content") == HANG_UP:
                return False
        return False

    def _say(self, connection: socket.socket, text: str) -> bool:
        if text == HANG_UP:
            return False
        if text == SILENCE:
            # Until the other side has had enough.
            while connection.recv(65536):
                pass
            return False
        connection.sendall(f"{text}\r\n".encode())
        return True


@contextmanager
def scripted(**script: str | list[str]) -> Iterator[ScriptedServer]:
    """A server on a free port of 127.0.0.1 for the length of the block."""
    server = ScriptedServer(script)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server.port = listener.getsockname()[1]
        thread = threading.Thread(target=_accept, args=(listener, server), daemon=True)
        thread.start()
        yield server
        # Wakes accept(); closing alone does not.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _accept(listener: socket.socket, server: ScriptedServer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=server.serve, args=(connection,), daemon=True).start()


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for *name* (a host name or an address) that nobody else has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    try:
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(name))]
    except ValueError:
        names = [x509.DNSName(name)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
