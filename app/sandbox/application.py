"""One WSGI application for all stand-ins, by the host that is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from app.sandbox.efaktura import EfakturaGateway
from app.sandbox.eformidling import Integrasjonspunkt
from app.sandbox.keys import SandboxKey
from app.sandbox.krr import ContactRegister
from app.sandbox.maskinporten import Maskinporten
from app.sandbox.received import ReceivedLog
from app.sandbox.registry import Registry
from app.sandbox.sms import SmsGateway
from app.sandbox.standin import Call, Clock, Place, StandIn, json_response
from app.sandbox.svarut import SvarUt
from app.sandbox.vipps import Vipps

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOST_PREFIX = "/_host/"
STAND_INS: tuple[type[StandIn], ...] = (
    Maskinporten,
    ContactRegister,
    EfakturaGateway,
    Vipps,
    Integrasjonspunkt,
    SvarUt,
    SmsGateway,
)


def now() -> dt.datetime:
    """The moment, aware UTC."""
    return dt.datetime.now(dt.UTC)


class Sandbox:
    """The application; ``/_host/<host>/<path>`` asks a host by path, for base addresses on this machine."""

    def __init__(self, directory: Path, clock: Clock = now) -> None:
        log, key = ReceivedLog(directory), SandboxKey(directory)
        self._place = Place(directory, log, key, Registry(directory), clock)
        self._stand_ins = {host: one for kind in STAND_INS for one in (kind(self._place),) for host in kind.hosts}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(environ)(environ, start_response)

    def _answer(self, environ: WSGIEnvironment) -> Response:
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        path = environ.get("PATH_INFO", "")
        if path.startswith(HOST_PREFIX):
            host, _, path = path.removeprefix(HOST_PREFIX).partition("/")
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + HOST_PREFIX + host
            environ["PATH_INFO"] = f"/{path}"
        bare = host.lower().removesuffix(":443").removesuffix(":80")
        stand_in = self._stand_ins.get(bare)
        if stand_in is None:
            return json_response({"error": f"no stand-in for the host {bare}"}, 421)
        return stand_in.answer(Call(Request(environ), bare, self._place.registry.world(), self._place.clock()))


def create_sandbox(directory: Path, clock: Clock = now) -> WSGIApplication:
    """The stand-ins with their state under *directory* (made if missing).

    *clock* dates the log and the due dates (the product's moved calendar); tokens and grants always take the real time.
    """
    return Sandbox(Path(directory), clock)
