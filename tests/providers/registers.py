"""The registers in each situation: what the refresh gets to know of one resident who is in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from app.clients.connect import Clients, connect
from app.core.clock import Clock
from app.core.settings import Settings
from app.registries.contract import Registry, Reply, Target
from app.registries.efaktura import EfakturaRegistry
from app.registries.krr import KrrRegistry
from app.registries.vipps import VippsRegistry
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Efaktura, Krr, Person, Vipps, write_world
from tests.providers.places import MOBILE, NATIONAL_ID
from tests.providers.situations import LOST, STATUSES, Faulty, Situation

TARGET = Target(1, NATIONAL_ID, "Kari", "4100", "Gata 1", MOBILE)
ASKED = (
    Situation.ACCEPTED, Situation.REFUSED, *STATUSES, Situation.CONNECT_TIMEOUT, Situation.TIMEOUT_AFTER,
    Situation.RESET, Situation.MALFORMED,
)  # fmt: skip


@dataclass(frozen=True)
class Register:
    """One register. ``asks``: whether a request is the look-up."""

    title: str
    make: Callable[[Clients], Registry]
    asks: Callable[[httpx.Request], bool]


REGISTERS = (
    Register("KRR", lambda clients: KrrRegistry(clients.krr), lambda asked: asked.url.host == "kontaktregisteret.no"),
    Register("Maskinporten, before KRR", lambda clients: KrrRegistry(clients.krr),
             lambda asked: asked.url.host == "maskinporten.no"),
    Register("eFaktura look-up", lambda clients: EfakturaRegistry(clients.efaktura),
             lambda asked: asked.url.path == "/v1/identifiers"),
    Register("Vipps look-up", lambda clients: VippsRegistry(clients.vipps),
             lambda asked: asked.url.path.endswith("/recipients/tokens")),
)  # fmt: skip


@dataclass(frozen=True)
class LookedUp:
    """``answer``: what is known then. ``calls``: how often it was asked. ``seen``: the failure in the run's report."""

    answer: str
    calls: int
    seen: str
    needs_alarm: bool


def look_ups_of(register: Register, settings: Settings, clock: Clock) -> Mapping[Situation, LookedUp]:
    """What one register's look-up comes to in each situation. Whoever calls takes the waits between retries away."""
    found: dict[Situation, LookedUp] = {}
    for situation in ASKED:
        _write(settings, is_in=situation is not Situation.REFUSED)
        asked = _Counting(register.asks)
        transport = Faulty(SandboxTransport(settings.sandbox_dir, clock.now), asked)
        transport.situation = situation if situation in STATUSES or situation in LOST else None
        if situation in (Situation.CONNECT_TIMEOUT, Situation.MALFORMED):
            transport.situation = situation
        clients = connect(settings, clock, transport)
        reply = register.make(clients).ask([TARGET])
        clients.close()
        found[situation] = LookedUp(_words(reply), asked.count, reply.failure or "", reply.needs_alarm)
    return found


@dataclass
class _Counting:
    asks: Callable[[httpx.Request], bool]
    count: int = 0

    def __call__(self, request: httpx.Request) -> bool:
        fits = self.asks(request)
        self.count += fits
        return fits


def _write(settings: Settings, *, is_in: bool) -> None:
    person = Person(
        NATIONAL_ID, MOBILE, "Kari", Krr("AKTIV", mailbox="digipost" if is_in else None),
        Efaktura("EF1" if is_in else None, is_in), Vipps(is_in),
    )  # fmt: skip
    write_world(settings.sandbox_dir, [person])


def _words(reply: Reply) -> str:
    said = reply.said.get(TARGET.resident_id, ())
    return ", ".join(f"{one.register.value} {one.answer.value}" for one in said) or "unknown"
