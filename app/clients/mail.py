"""The mail server: Flask-Mail's connection with its certificate checked and its waits bounded, kept open between mails.

Flask-Mail 0.10 never verifies the server's certificate and never gives up waiting; both are cured here.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from flask_mail import Connection
from flask_mail import Mail as FlaskMail

from app.clients.mail_rules import Stage, judge_reply
from app.clients.mime import Prepared
from app.clients.rules import Judgement, Verdict
from app.core.settings import Settings

MOST_A_CONNECTION = 100
# After a server that could not be reached, the next mails do not each wait for a time-out of their own.
REST_SECONDS = 30.0

_END = b"\r\n.\r\n"
_CLOSING = 421


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

    def deliver(self, envelope: Envelope, prepared: Prepared) -> tuple[Stage, int, bytes]:
        """Hand one mail over; gives the step the server ended it at and its reply. Raises `Lost`."""
        host, is_ending = self.host, False
        if host is None:
            raise Lost(may_be_taken=False, is_silent=False)
        try:
            for stage, command in (
                (Stage.SENDER, f"MAIL FROM:<{envelope.sender}>"),
                (Stage.RECIPIENT, f"RCPT TO:<{envelope.recipient}>"),
                (Stage.DATA, "DATA"),
            ):
                code, reply = host.docmd(command)
                if code != 354 if stage is Stage.DATA else code not in (250, 251):
                    return stage, code, reply
            # In base64 no line begins with a dot, so only the head is looked through.
            host.send(_dots_doubled(prepared.head))
            host.send(prepared.rest.removesuffix(b"\r\n"))
            is_ending = True
            host.send(_END)
            code, reply = host.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Lost(may_be_taken=is_ending, is_silent=_is_time_out(error)) from error
        self.num_emails += 1
        return Stage.CONTENT, code, reply

    def is_usable_after(self, stage: Stage, code: int) -> bool:
        """Make it ready for the next mail; whether it is."""
        if self.host is None or code == _CLOSING or code < 0 or self.num_emails >= MOST_A_CONNECTION:
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


class MailServer:
    """The server that MAIL_SERVER names. Safe for threads: each call has a connection of its own while it lasts."""

    def __init__(self, settings: Settings) -> None:
        self._mail = FlaskMail().init_mail(
            {
                "MAIL_SERVER": settings.mail_server,
                "MAIL_PORT": settings.mail_port,
                "MAIL_USE_TLS": settings.mail_use_tls,
                "MAIL_USE_SSL": settings.mail_use_ssl,
                "MAIL_USERNAME": settings.mail_username or None,
                "MAIL_PASSWORD": settings.mail_password or None,
            }
        )
        self._timeout = settings.mail_timeout
        self._context = ssl.create_default_context(cafile=settings.mail_ca_file)
        self._idle: list[CheckedConnection] = []
        self._lock = Lock()
        self._rest_until, self._rest = 0.0, Judgement(Verdict.UNAVAILABLE, "no connection")

    def send(self, envelope: Envelope, prepared: Prepared) -> Judgement:
        """Hand one mail over, once; never raises for what the server does.

        Uncertain only when the connection broke after the mail's end had begun to leave.
        """
        connection, is_kept = self._taken_or_opened()
        if connection is None:
            return self._rest
        try:
            stage, code, reply = connection.deliver(envelope, prepared)
        except Lost as lost:
            connection.hang_up(is_polite=False)
            if is_kept and not lost.may_be_taken:
                # The server may close an idle connection at any time; a new one says whether it is there.
                self._forget_idle()
                return self.send(envelope, prepared)
            if lost.is_silent:
                self._leave_in_peace(Judgement(Verdict.UNAVAILABLE, "the server has fallen silent"))
            detail = "no answer to the whole mail" if lost.may_be_taken else "connection lost"
            return Judgement(Verdict.UNCERTAIN if lost.may_be_taken else Verdict.UNAVAILABLE, detail)
        if is_kept and stage is Stage.SENDER and code == _CLOSING:
            connection.hang_up()
            self._forget_idle()
            return self.send(envelope, prepared)
        self._give_back(connection, connection.is_usable_after(stage, code))
        return judge_reply(stage, code, reply)

    def close(self) -> None:
        """Let all idle connections go."""
        for connection in self._emptied():
            connection.hang_up()

    def _taken_or_opened(self) -> tuple[CheckedConnection | None, bool]:
        """A connection, and whether it was kept from before; none while the server is left in peace."""
        with self._lock:
            if self._idle:
                return self._idle.pop(), True
            if time.monotonic() < self._rest_until:
                return None, False
        connection = CheckedConnection(self._mail, self._timeout, self._context)
        try:
            connection.host = connection.configure_host()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            self._leave_in_peace(_judge_opening(error))
            return None, False
        return connection, False

    def _leave_in_peace(self, answer: Judgement) -> None:
        with self._lock:
            self._rest_until, self._rest = time.monotonic() + REST_SECONDS, answer

    def _give_back(self, connection: CheckedConnection, is_usable: bool) -> None:
        if not is_usable:
            connection.hang_up()
            return
        with self._lock:
            self._idle.append(connection)

    def _forget_idle(self) -> None:
        for connection in self._emptied():
            connection.hang_up(is_polite=False)

    def _emptied(self) -> list[CheckedConnection]:
        with self._lock:
            idle, self._idle = self._idle, []
        return idle


def _judge_opening(error: Exception) -> Judgement:
    """What it means that no connection came to be: nothing left us, but some causes need a person."""
    if isinstance(error, ssl.SSLError):
        return Judgement(Verdict.UNAVAILABLE, "the server's certificate or encryption is not acceptable", True)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Judgement(Verdict.UNAVAILABLE, f"log-in refused: {error.smtp_code}", error.smtp_code >= 500)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Judgement(Verdict.UNAVAILABLE, "the server does not offer what the settings ask for", True)
    if isinstance(error, smtplib.SMTPResponseException):
        return Judgement(Verdict.UNAVAILABLE, f"greeted with {error.smtp_code}", error.smtp_code >= 500)
    return Judgement(Verdict.UNAVAILABLE, f"no connection: {type(error).__name__}")


def _is_time_out(error: BaseException) -> bool:
    """smtplib turns a time-out into a lost connection and keeps it as the context."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _dots_doubled(head: bytes) -> bytes:
    """RFC 5321 §4.5.2; the head begins with a header."""
    return head.replace(b"\r\n.", b"\r\n..")


@cache
def _own_name() -> str:
    """What we greet with; found once, since it asks the name service."""
    return socket.getfqdn()
