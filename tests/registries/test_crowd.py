"""A whole town is asked about in as few calls as the register allows, and with as few tokens as they last."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
from sqlalchemy import func, select

from app.clients.connect import connect
from app.clients.http import Outside
from app.clients.krr import MAILBOX_SCOPE
from app.clients.maskinporten import Maskinporten
from app.core.clock import Clock
from app.registries.models import Register, RegistryAnswer
from app.registries.refresh import ask_registries
from app.routing.channels import Answer
from tests.clients.fakes import KEY
from tests.registries.crowd import Digdir, national_id, settle
from tests.registries.town import Town

PEOPLE = 100_000
THREADS = 16


def test_a_hundred_thousand_residents_are_asked_about_in_a_hundred_calls(town: Town, clock: Clock) -> None:
    settle(town, PEOPLE)
    digdir = Digdir()
    clients = connect(town.settings, clock, digdir)
    run = ask_registries(town.session, town.settings, clock, clients)
    clients.close()
    assert digdir.calls == {"/rest/v2/personer": 100, "/token": 1}
    assert digdir.sizes == {1000: 100}
    assert digdir.people == {national_id(number): 1 for number in range(1, PEOPLE + 1)}
    for register, answer in ((Register.MAILBOX, Answer.YES), (Register.RESERVATION, Answer.NO)):
        tally = run.tallies[register]
        assert (tally.residents, tally.calls, tally.unknown) == (PEOPLE, 100, 0)
        stored = select(func.count()).where(RegistryAnswer.register == register, RegistryAnswer.answer == answer)
        assert town.session.scalar(stored) == PEOPLE
    assert run.calls == 100


class Minting(httpx.BaseTransport):
    """Gives a new token at every call, and holds each back until *may_answer* says that the others have asked."""

    def __init__(self, may_answer: Callable[[], object]) -> None:
        self._may_answer, self._lock = may_answer, threading.Lock()
        self.given: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """A token for 120 seconds."""
        request.read()
        self._may_answer()
        with self._lock:
            self.given.append(f"token-{len(self.given) + 1}")
            return httpx.Response(200, json={"access_token": self.given[-1], "expires_in": 120})


def test_a_token_is_fetched_once_in_its_life_however_many_threads_ask() -> None:
    seconds, begun, all_asking = [1_800_000_000.0], threading.Barrier(THREADS), threading.Barrier(THREADS + 1)
    asked = threading.Semaphore(0)

    def wait_for_all() -> None:
        for _ in range(THREADS):
            assert asked.acquire(timeout=30)

    minting = Minting(wait_for_all)
    maskinporten = Maskinporten(
        Outside(minting), issuer="https://maskinporten.test/", client_id="us", key=KEY, now=lambda: seconds[0]
    )
    used: list[set[str]] = []

    def ask(found: set[str]) -> None:
        begun.wait(30)
        asked.release()
        for _ in range(50):
            found.add(maskinporten.token(MAILBOX_SCOPE))
        all_asking.wait(30)

    for life in range(5):
        found: set[str] = set()
        threads = [threading.Thread(target=ask, args=(found,), daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        all_asking.wait(30)
        for thread in threads:
            thread.join(30)
        used.append(found)
        assert minting.given == [f"token-{number}" for number in range(1, life + 2)]
        # Nearly over, but not yet: the same token still serves.
        seconds[0] += 120 - 20 - 1
        assert maskinporten.token(MAILBOX_SCOPE) == minting.given[-1]
        seconds[0] += 1
    maskinporten.close()
    assert used == [{f"token-{number}"} for number in range(1, 6)]
