"""The mail server, with connections that are kept open between mails."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable
from threading import Lock

from flask_mail import Mail as FlaskMail

from app.clients.mail_connection import CLOSING, CheckedConnection, Envelope, Lost
from app.clients.mail_rules import Stage, judge_reply
from app.clients.mime import Prepared
from app.clients.rules import Judgement, Verdict
from app.core.settings import Settings

# After a server that could not be reached, the next mails do not each wait for a time-out of their own.
REST_SECONDS = 30.0


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

    def send(self, envelope: Envelope, prepared: Prepared, ending: Callable[[], None] = lambda: None) -> Judgement:
        """Hand one mail over, once; never raises for what the server does. *ending*: as for `deliver`.

        Uncertain only when the connection broke after the mail's end had begun to leave.
        """
        connection, is_kept = self._taken_or_opened()
        if connection is None:
            return self._rest
        try:
            stage, code, reply = connection.deliver(envelope, prepared, ending)
        except Lost as lost:
            connection.hang_up(is_polite=False)
            if is_kept and not lost.may_be_taken:
                # The server may close an idle connection at any time; a new one says whether it is there.
                self._forget_idle()
                return self.send(envelope, prepared, ending)
            if lost.is_silent:
                self._leave_in_peace(Judgement(Verdict.UNAVAILABLE, "the server has fallen silent"))
            detail = "no answer to the whole mail" if lost.may_be_taken else "connection lost"
            return Judgement(Verdict.UNCERTAIN if lost.may_be_taken else Verdict.UNAVAILABLE, detail)
        if is_kept and stage is Stage.SENDER and code == CLOSING:
            connection.hang_up()
            self._forget_idle()
            return self.send(envelope, prepared, ending)
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
