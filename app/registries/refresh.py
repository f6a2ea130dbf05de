"""Asks the registers about everyone whose waiting invoices need it, and stores outcomes: never what they sent."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.clients.connect import Clients
from app.clients.seats import in_seats
from app.core.clock import Clock
from app.core.crypto import NationalIdVault, vault
from app.core.database import Base
from app.core.dialect import one_of, put_rows, upsert
from app.core.settings import Settings
from app.registries.contract import Registry, Reply, Said, Target
from app.registries.efaktura import EfakturaRegistry
from app.registries.krr import KrrRegistry
from app.registries.models import Register, RegistryAnswer
from app.registries.tallies import RegistryRun, Tally
from app.registries.targets import targets
from app.registries.vipps import VippsRegistry
from app.residents.models import StaleResident
from app.routing.channels import Answer

log = structlog.get_logger(__name__)

ANSWERS, MARKS = (Base.metadata.tables[model.__tablename__] for model in (RegistryAnswer, StaleResident))
STORED_TOGETHER = 1000
# So many questions in a row without any answer, and a register is left in peace for the rest of the run.
GIVE_UP_AFTER = 3


@dataclass(slots=True)
class _Run:
    """The state of one run, which only the thread that holds the session touches."""

    session: Session
    settings: Settings
    clock: Clock
    vault: NationalIdVault
    progress: Callable[[int], None]
    tallies: dict[Register, Tally] = field(default_factory=lambda: {register: Tally() for register in Register})
    changed: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)


def ask_registries(
    session: Session,
    settings: Settings,
    clock: Clock,
    clients: Clients,
    progress: Callable[[int], None] | None = None,
) -> RegistryRun:
    """Ask KRR, eFaktura and Vipps about those whose waiting invoices need their answer.

    Stores each outcome with the moment, and marks whoever's answer changed as stale. Commits as it goes, so that no
    transaction is open while a register thinks; a run that is killed has simply asked fewer. *progress* hears how many
    residents more a register has been asked about. Never raises for what a register does.
    """
    run = _Run(session, settings, clock, vault(settings), progress or (lambda _more: None))
    for registry in registries(clients):
        _ask_one(run, registry)
    return RegistryRun(run.tallies, run.changed, run.failures, run.alarms)


def registries(clients: Clients) -> tuple[Registry, ...]:
    """Every register there is."""
    return KrrRegistry(clients.krr), EfakturaRegistry(clients.efaktura), VippsRegistry(clients.vipps)


def _ask_one(run: _Run, registry: Registry) -> None:
    waiting: list[tuple[int, Said]] = []
    questions = targets(run.session, registry.registers[0], run.vault, registry.chunk)
    for asked, reply in _replies(registry, questions, run.settings.seats):
        _note(run, registry, reply)
        for target in asked:
            said = {one.register: one for one in reply.said.get(target.resident_id, ())}
            for register in registry.registers:
                one = said.get(register) or Said(register, Answer.UNKNOWN)
                run.tallies[register].count(one.answer)
                waiting.append((target.resident_id, one))
        if len(waiting) >= STORED_TOGETHER:
            _store(run, registry, waiting)
            waiting = []
        run.progress(len(asked))
    _store(run, registry, waiting)


def _replies(registry: Registry, questions: Iterator[list[Target]], seats: int) -> Iterator[tuple[list[Target], Reply]]:
    """Each question with its reply; after several without any answer the rest is not asked at all."""
    patience = _Patience()

    def ask(question: list[Target]) -> tuple[list[Target], Reply]:
        if patience.is_over:
            return question, Reply({}, 0, 0)
        reply = registry.ask(question)
        patience.hear(reply)
        return question, reply

    yield from in_seats(ask, questions, seats)


class _Patience:
    """Whether a register is still worth asking. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unanswered = 0

    @property
    def is_over(self) -> bool:
        """Whether to stop asking."""
        return self._unanswered >= GIVE_UP_AFTER

    def hear(self, reply: Reply) -> None:
        """One reply more."""
        with self._lock:
            if reply.answered_calls:
                self._unanswered = 0
            elif reply.calls:
                self._unanswered += 1


def _note(run: _Run, registry: Registry, reply: Reply) -> None:
    for register in registry.registers:
        run.tallies[register].calls += reply.calls
        run.tallies[register].answered_calls += reply.answered_calls
    if reply.failure is None:
        return
    run.failures[registry.provider] = reply.failure
    if reply.needs_alarm:
        if registry.provider not in run.alarms:
            log.error("register_needs_repair", provider=registry.provider, failure=reply.failure)
        run.alarms[registry.provider] = reply.failure


def _store(run: _Run, registry: Registry, answers: Sequence[tuple[int, Said]]) -> None:
    """Write down what is new, touch what is as it was, and mark who changed; a statement each. Commits."""
    if not answers:
        return
    session, asked_at = run.session, run.clock.now()
    mine, everyone = ANSWERS.c.register.in_(registry.registers), sorted({resident for resident, _ in answers})
    known = {
        (row.resident_id, row.register): (row.answer, row.reference)
        for row in session.execute(
            select(ANSWERS.c.resident_id, ANSWERS.c.register, ANSWERS.c.answer, ANSWERS.c.reference).where(
                one_of(session, ANSWERS.c.resident_id, everyone), mine
            )
        )
    }
    changed = [
        resident for resident, said in answers if known.get((resident, said.register)) != (said.answer, said.reference)
    ]
    stale = set(changed)
    same = [resident for resident in everyone if resident not in stale]
    if same:
        these = one_of(session, ANSWERS.c.resident_id, same)
        session.execute(update(ANSWERS).where(these, mine).values(asked_at=asked_at))
    if stale:
        index, columns = ["resident_id", "register"], ["answer", "reference", "asked_at"]
        # In one order everywhere, so that two runs at once do not block each other.
        rows = [_row(resident, said, asked_at) for resident, said in sorted(answers, key=_place) if resident in stale]
        put_rows(session, upsert(session, ANSWERS, index, columns), rows)
        put_rows(session, insert(MARKS), [{"resident_id": resident} for resident in sorted(stale)])
    session.commit()
    run.changed += len(changed)


def _place(answer: tuple[int, Said]) -> tuple[int, str]:
    return answer[0], answer[1].register.value


def _row(resident: int, said: Said, asked_at: dt.datetime) -> dict[str, Any]:
    return {
        "resident_id": resident,
        "register": said.register,
        "answer": said.answer,
        "reference": said.reference,
        "asked_at": asked_at,
    }
