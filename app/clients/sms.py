"""Text messages: by any provider that Apprise knows, or by the stand-in and into a folder while none is set."""

from __future__ import annotations

import logging
import re
from typing import Protocol
from urllib.parse import quote

import httpx
import structlog
from apprise import Apprise, NotifyBase

from app.clients.exchange import CallFailed
from app.clients.http import Outside, ServiceClient, Witness, outside
from app.clients.rules import Judgement, Rule, Verdict, judge, judge_failure, rule
from app.clients.sms_text import one_part
from app.core.atomic import write_atomically
from app.core.errors import SettingsInvalid
from app.core.settings import Environment, Settings

log = structlog.get_logger(__name__)

# Apprise tells numbers, texts and passwords in its log, and what it calls with tells addresses, which hold numbers.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
logging.getLogger("urllib3").setLevel(logging.WARNING)
PROVIDER = "sms"
SANDBOX_URL = "https://sms.sandbox"
TO = "{to}"
CONNECT_SECONDS, READ_SECONDS = 5.0, 20.0
_KEY = re.compile(r"[A-Za-z0-9-]{1,64}")
_NUMBER = re.compile(r"\+[1-9]\d{7,14}")

RULES: tuple[Rule, ...] = (
    rule(202, Verdict.ACCEPTED, "our own contract with the stand-in: POST /v1/messages"),
    rule(400, Verdict.REFUSED, "our own contract with the stand-in: the number cannot be reached", code="unreachable"),
)


class Way(Protocol):
    """One of the ways a text message leaves."""

    def send(self, key: str, to: str, text: str, kind: str) -> Judgement: ...
    def close(self) -> None: ...


class Sms:
    """Sends text messages. Safe for threads. Outside production a real provider reaches allow-listed numbers alone."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        """Raises `SettingsInvalid`. Nothing is connected to yet."""
        self._is_open_to_all = settings.environment is Environment.PRODUCTION or not settings.sms_url
        self._allowed = frozenset(settings.allowed_recipients)
        self._way: Way
        if settings.sms_url:
            self._way = ByApprise(settings.sms_url)
        elif settings.sandbox:
            self._way = ByStandIn(outside(settings, transport), settings)
        else:
            self._way = Nowhere()

    def send(self, key: str, to: str, text: str, *, kind: str = "code") -> Judgement:
        """Send *text* to the mobile number *to* (E.164); never raises for what a provider does.

        ``key``: our own id of the message, 1 to 64 letters, digits or ``-``; a provider that Apprise speaks to does not
        recognise a repeat by it. Unavailable: it was not taken, as far as is known. Raises `SmsUnfit`, and ValueError
        for a key or number of another form.
        """
        if not _KEY.fullmatch(key) or not _NUMBER.fullmatch(to):
            raise ValueError("not a key and a mobile number")
        plain = one_part(text)
        if not self._is_open_to_all and to not in self._allowed:
            judgement = Judgement(Verdict.UNAVAILABLE, "not in ALLOWED_RECIPIENTS")
        else:
            judgement = self._way.send(key, to, plain, kind)
        say = log.error if judgement.needs_alarm else log.info
        say("sms", key=key, kind=kind, verdict=judgement.verdict.value, detail=judgement.detail)
        return judgement

    def close(self) -> None:
        """Let the connections go."""
        self._way.close()


def send_sms(
    settings: Settings, transport: httpx.BaseTransport | None, *, key: str, to: str, text: str, kind: str = "code"
) -> Judgement:
    """Send one text message, as `Sms.send`; *transport* is the stand-ins', or None for the network."""
    sms = Sms(settings, transport)
    try:
        return sms.send(key, to, text, kind=kind)
    finally:
        sms.close()


class ByApprise:
    """By the provider that SMS_URL names, ``{to}`` standing for the number."""

    def __init__(self, url: str) -> None:
        if url.count(TO) != 1:
            raise SettingsInvalid("SMS_URL must hold {to} once, where the provider's address has the number")
        self._url = url
        if not self._to("+4799999999").verify_certificate:
            raise SettingsInvalid("SMS_URL must not switch off the check of the provider's certificate")

    def send(self, key: str, to: str, text: str, kind: str) -> Judgement:
        """Apprise tells taken from not taken, and no more."""
        if self._to(to).notify(body=text):
            return Judgement(Verdict.ACCEPTED, "taken")
        return Judgement(Verdict.UNAVAILABLE, "not taken")

    def close(self) -> None:
        """Nothing is held open."""

    def _to(self, number: str) -> NotifyBase:
        service = Apprise.instantiate(self._url.replace(TO, quote(number, safe="")), suppress_exceptions=True)
        if not isinstance(service, NotifyBase):
            raise SettingsInvalid("SMS_URL is no address that Apprise understands: see its list of SMS providers")
        service.socket_connect_timeout, service.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
        return service


class ByStandIn:
    """To the sandbox's gateway, and as a file into the outbox, where a developer reads the code."""

    def __init__(self, way: Outside, settings: Settings) -> None:
        self._http = ServiceClient(PROVIDER, SANDBOX_URL, way)
        self._folder, self._sender = settings.outbox_dir / "sms", settings.sms_sender

    def send(self, key: str, to: str, text: str, kind: str) -> Judgement:
        """A repeat under the same key is recognised."""
        message = {"id": key, "to": to, "from": self._sender, "text": text}
        try:
            answered = self._http.call("POST", "/v1/messages", witness=Witness(kind), json=message)
            code = None if answered.is_success else answered.json_object().get("error")
        except CallFailed as failure:
            return judge_failure(failure)
        judgement = judge(RULES, answered, code if isinstance(code, str) else None)
        if judgement.verdict is Verdict.ACCEPTED:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            content = f"to: {to}\nfrom: {self._sender}\n\n{text}\n"
            write_atomically(self._folder / f"{key}.txt", content.encode())
        return judgement

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()


class Nowhere:
    """No provider is set, and no stand-in may answer for one."""

    def send(self, key: str, to: str, text: str, kind: str) -> Judgement:
        """Not sent, and somebody must know."""
        return Judgement(Verdict.UNAVAILABLE, "SMS_URL is not set", needs_alarm=True)

    def close(self) -> None:
        """Nothing is held open."""
