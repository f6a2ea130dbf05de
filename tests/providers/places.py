"""Each provider behind its real adapter, with the stand-in or a mail server that does as told on the other side."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from app.channels.contract import Consignment, MessageChannel, ReceiptNote, Result
from app.channels.efaktura import EfakturaChannel
from app.channels.email import Email
from app.channels.mailbox import Mailbox
from app.channels.print_service import PrintService
from app.channels.svarut import SvarUtLetters
from app.channels.vipps import VippsChannel
from app.clients.connect import efaktura_client, svarut_client, vipps_client
from app.clients.eformidling import Eformidling
from app.clients.http import Outside, outside
from app.core.clock import Clock
from app.core.settings import Settings
from app.routing.channels import Channel
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Efaktura, Faults, Krr, Person, Vipps, write_world
from tests.clients.smtp_servers import HANG_UP, SILENCE, ScriptedServer, scripted
from tests.providers.situations import FAULTS, Faulty, Situation

NATIONAL_ID, MOBILE = "12345678901", "+4799999999"
Make = Callable[[Settings, Clock, Outside], MessageChannel]


@dataclass
class Remembering:
    """A channel that remembers what it was given, so that a test can ask about it."""

    inner: MessageChannel
    given: dict[str, Consignment] = field(default_factory=dict)

    @property
    def channel(self) -> Channel:
        return self.inner.channel

    @property
    def provider(self) -> str:
        return self.inner.provider

    @property
    def batch_size(self) -> int:
        return self.inner.batch_size

    @property
    def commit_each(self) -> bool:
        return self.inner.commit_each

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        self.given.update({one.number: one for one in consignments})
        return self.inner.send(consignments)

    def find(self, consignment: Consignment) -> Result:
        return self.inner.find(consignment)

    def receipts(self, references: Sequence[str]) -> Sequence[ReceiptNote]:
        return self.inner.receipts(references)

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class Provider:
    """One way of leaving. ``service``: the stand-in's name, empty for e-mail. ``takes``: the call that hands over."""

    title: str
    channel: Channel
    service: str
    make: Make
    takes: Callable[[httpx.Request], bool] = lambda _request: False
    conflict: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prints_itself(self) -> bool:
        """Whether no letter of ours follows."""
        return self.settings.get("mailbox_provider") == "svarut" and self.channel is Channel.MAILBOX


def _eformidling(settings: Settings, way: Outside) -> Eformidling:
    return Eformidling(way, settings.eformidling_url, settings.eformidling_user, settings.eformidling_password)


def _svarut(channel: Channel) -> Make:
    return lambda settings, clock, way: SvarUtLetters(svarut_client(settings, way), channel, clock)


def _posts(ending: str) -> Callable[[httpx.Request], bool]:
    return lambda request: request.method == "POST" and request.url.path.endswith(ending)


def _sends_a_message(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.startswith("/api/messages/out/")


def _puts_an_invoice(request: httpx.Request) -> bool:
    return request.method == "PUT" and "/invoices/" in request.url.path


VIPPS_CONFLICT = {"error": {"type": "https://vipps.no/invoice/v1/problems/invoice-conflict", "title": "Conflict"}}
PROVIDERS = (
    Provider("eFaktura gateway", Channel.EFAKTURA, "efaktura",
             lambda settings, _clock, way: EfakturaChannel(efaktura_client(settings, way), 2),
             _posts("/v1/shipments"), {"code": 3002, "message": "shipmentId exists"}),
    Provider("Vipps", Channel.VIPPS, "vipps",
             lambda settings, _clock, way: VippsChannel(vipps_client(settings, way), settings.organisation_number, 2),
             _puts_an_invoice, VIPPS_CONFLICT),
    Provider("Digital mailbox by eFormidling", Channel.MAILBOX, "eformidling",
             lambda settings, clock, way: Mailbox(_eformidling(settings, way), settings, clock), _sends_a_message),
    Provider("Digital mailbox by SvarUt", Channel.MAILBOX, "svarut", _svarut(Channel.MAILBOX),
             _posts("/forsendelser"), settings={"mailbox_provider": "svarut"}),
    Provider("E-mail by SMTP", Channel.EMAIL, "", lambda settings, clock, _way: Email(settings, clock)),
    Provider("Print by eFormidling", Channel.PAPER, "eformidling",
             lambda settings, _clock, way: PrintService(_eformidling(settings, way), settings), _sends_a_message,
             settings={"print_provider": "eformidling"}),
    Provider("Print by SvarUt", Channel.PAPER, "svarut", _svarut(Channel.PAPER), _posts("/forsendelser"),
             settings={"print_provider": "svarut"}),
)  # fmt: skip

# A mail server's own words for each; what SMTP has no word for is left out.
SMTP: Mapping[Situation, Mapping[str, str]] = {
    Situation.REFUSED: {"RCPT": "550 5.1.1 No such user"},
    Situation.UNAUTHORIZED: {"RCPT": "530 5.7.0 Authentication required"},
    Situation.FORBIDDEN: {"RCPT": "554 5.7.1 Relay access denied"},
    Situation.TOO_MANY: {"RCPT": "450 4.7.1 Try again later"},
    Situation.BROKEN: {"end": "451 4.3.0 Local error"},
    Situation.CONNECT_TIMEOUT: {"greeting": SILENCE},
    Situation.TIMEOUT_AFTER: {"end": SILENCE},
    Situation.RESET: {"end": HANG_UP},
    Situation.MALFORMED: {"end": "welcome"},
}


class Slowly(dict[str, str]):
    """A script whose server takes its time over the end of a mail."""

    def get(self, step: str, usual: Any = None) -> Any:
        if step == "end":
            time.sleep(0.05)
        return usual


@dataclass
class Line:
    """A channel that can be put into a situation and out of it. ``renew``: as a new process would find it."""

    provider: Provider
    settings: Settings
    clock: Clock
    transport: Faulty
    server: ScriptedServer | None = None
    channel: Remembering = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """A new adapter."""
        made = self.provider.make(self.settings, self.clock, outside(self.settings, self.transport))
        given: dict[str, Consignment] = {}
        if hasattr(self, "channel"):
            self.channel.close()
            given = self.channel.given
        self.channel = Remembering(made, given)

    def set(self, situation: Situation | None, number: str) -> None:
        """Let *situation* befall the invoice *number*; None: everything works again, what was refused stays so."""
        self.transport.situation = situation
        if self.server is not None:
            told = Slowly() if situation is Situation.SLOW else dict(SMTP.get(situation, {})) if situation else {}
            self.server.script = told
        if situation in FAULTS and self.provider.service:
            self._write(Faults(invoices={number: {self.provider.service: FAULTS[situation]}}))
        elif situation is not None:
            self._write(Faults())

    def _write(self, faults: Faults) -> None:
        krr = Krr("AKTIV", can_be_notified=True, mailbox="digipost")
        person = Person(NATIONAL_ID, MOBILE, "Kari", krr, Efaktura(), Vipps(True), "Gata 1", "4100", "Tau")
        others = [replace(person, national_id=None, mobile=None, efaktura=Efaktura(f"EF{number}", True))
                  for number in range(1, 80)]  # fmt: skip
        write_world(self.settings.sandbox_dir, [person, *others], faults)


@contextmanager
def line(provider: Provider, settings: Settings, clock: Clock) -> Iterator[Line]:
    """The provider ready to be called, for the length of the block."""
    with ExitStack() as stack:
        server = stack.enter_context(scripted()) if not provider.service else None
        chosen: dict[str, Any] = {
            **provider.settings,
            "retry_waits": tuple(map(_minutes, (5, 30, 120, 360))),
            "email_settle_days": 0,
        }
        if server is not None:
            chosen |= {"mail_server": "127.0.0.1", "mail_port": server.port, "mail_use_tls": False, "mail_timeout": 0.4}
        settings = settings.model_copy(update=chosen)
        transport = Faulty(SandboxTransport(settings.sandbox_dir, clock.now), provider.takes, provider.conflict)
        made = Line(provider, settings, clock, transport, server)
        yield made
        made.channel.close()


def _minutes(count: int) -> dt.timedelta:
    return dt.timedelta(minutes=count)
