"""One connection to the mail server: Flask-Mail's, with its certificate checked and its waits bounded.

Flask-Mail 0.10 never verifies the server's certificate and never gives up waiting; both are cured here.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask_mail import Connection

from app.clients.mail_rules import Stage
from app.clients.mime import Prepared

MOST_A_CONNECTION = 100

_END = b"\r\n.\r\n"
CLOSING = 421
_STAGES = (Stage.SENDER, Stage.RECIPIENT, Stage.DATA)
_GO_AHEAD = 354


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom bounces come back, and to whom it goes: checked ASCII addresses."""

    sender: str
    recipient: str


class Lost(Exception):
    """The connection broke. ``may_be_taken``: after the end of the mail had begun to leave. ``is_silent``: by time."""

    def __init__(self, *, may_be_taken: bool, is_silent: bool) -> None:
        super().__init__("connection lost")
        self.may_be_taken, self.is_silent = may_be_taken, is_silent


class CheckedConnection(Connection):
    """One connection. Raises what smtplib and ssl raise while it opens."""

    host: smtplib.SMTP | smtplib.SMTP_SSL | None

    def __init__(self, mail: Any, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(mail)
        self._timeout, self._context = timeout, context

    def configure_host(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        """Connect, encrypt, log in; every wait ends after the time-out (seconds)."""
        mail, name = self.mail, _own_name()
        host: smtplib.SMTP | smtplib.SMTP_SSL
        if mail.use_ssl:
            host = smtplib.SMTP_SSL(mail.server, mail.port or 465, name, timeout=self._timeout, context=self._context)
        else:
            host = smtplib.SMTP(mail.server, mail.port or 25, name, timeout=self._timeout)
        try:
            if mail.use_tls:
                host.starttls(context=self._context)
            host.ehlo_or_helo_if_needed()
            if mail.username and mail.password:
                host.login(mail.username, mail.password)
            if host.sock is not None:
                # The end of a mail is a small packet of its own: it must not wait for the last one's answer.
                host.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            host.close()
            raise
        return host

    def deliver(self, envelope: Envelope, prepared: Prepared, ending: Callable[[], None]) -> tuple[Stage, int, bytes]:
        """Hand one mail over; gives the step the server ended it at and its reply. Raises `Lost`.

        *ending* is called right before the end of the mail leaves.
        """
        host, is_ending = self.host, False
        if host is None:
            raise Lost(may_be_taken=False, is_silent=False)
        try:
            for stage, code, reply in self._opened(host, envelope):
                if code != _GO_AHEAD if stage is Stage.DATA else code not in (250, 251):
                    return stage, code, reply
            # In base64 no line begins with a dot, so only the head is looked through.
            host.send(_dots_doubled(prepared.head) + prepared.rest.removesuffix(b"\r\n"))
            is_ending = True
            ending()
            host.send(_END)
            code, reply = host.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Lost(may_be_taken=is_ending, is_silent=is_time_out(error)) from error
        self.num_emails += 1
        return Stage.CONTENT, code, reply

    def _opened(self, host: smtplib.SMTP, envelope: Envelope) -> Iterator[tuple[Stage, int, bytes]]:
        """The replies to the three commands before a mail; sent together where the server takes them so (RFC 2920)."""
        commands = (f"MAIL FROM:<{envelope.sender}>", f"RCPT TO:<{envelope.recipient}>", "DATA")
        if not host.has_extn("pipelining"):
            for stage, command in zip(_STAGES, commands, strict=True):
                yield stage, *host.docmd(command)
            return
        replies: list[tuple[Stage, int, bytes]] = []
        host.send("".join(f"{command}\r\n" for command in commands))
        has_refused = False
        for stage in _STAGES:
            try:
                code, reply = host.getreply()
            except (OSError, smtplib.SMTPException):
                if has_refused:
                    break
                raise
            if has_refused and code == _GO_AHEAD:
                # It waits for the mail of nobody: easier than to send it one is to begin anew.
                self.hang_up(is_polite=False)
            has_refused = has_refused or code not in (250, 251, _GO_AHEAD)
            replies.append((stage, code, reply))
        yield from replies

    def is_usable_after(self, stage: Stage, code: int) -> bool:
        """Make it ready for the next mail; whether it is."""
        if self.host is None or code == CLOSING or code < 0 or self.num_emails >= MOST_A_CONNECTION:
            return False
        if stage is Stage.CONTENT:
            return True
        try:
            return self.host.rset()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def hang_up(self, is_polite: bool = True) -> None:
        """Let the connection go."""
        host, self.host = self.host, None
        if host is None:
            return
        try:
            if is_polite:
                host.quit()
        except (OSError, smtplib.SMTPException):
            is_polite = False
        finally:
            host.close()


def is_time_out(error: BaseException) -> bool:
    """Whether *error* is one: smtplib turns it into a lost connection and keeps it as the context."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _dots_doubled(head: bytes) -> bytes:
    """RFC 5321 §4.5.2; the head begins with a header."""
    return head.replace(b"\r\n.", b"\r\n..")


@cache
def _own_name() -> str:
    """What we greet with; found once, since it asks the name service."""
    return socket.getfqdn()
