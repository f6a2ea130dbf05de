"""A register that is away is left in peace, told from one that says no, and costs nobody else's answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.core.clock import Clock
from app.registries import refresh
from app.registries.contract import Reply, Said, Target
from app.registries.models import Register
from app.registries.refresh import GIVE_UP_AFTER, ask_registries
from app.registries.tallies import RegistryRun
from app.routing.channels import Answer
from tests.registries.registers import UNKNOWN, YES, stale
from tests.registries.town import ToldRegistry, Town


def told(monkeypatch: pytest.MonkeyPatch, *registries: ToldRegistry) -> None:
    monkeypatch.setattr(refresh, "registries", lambda _clients: registries)


def run_with(town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch, registry: ToldRegistry) -> RegistryRun:
    told(monkeypatch, registry)
    settings = town.settings.model_copy(update={"seats": 1})
    return ask_registries(town.session, settings, clock, None)  # type: ignore[arg-type]


def vipps_says(answer: Answer) -> Any:
    def reply(targets: Sequence[Target]) -> Reply:
        return Reply({one.resident_id: (Said(Register.VIPPS, answer),) for one in targets}, 1, 1)

    return reply


def test_a_register_that_never_answers_is_left_in_peace_and_everyone_is_unknown(
    town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    residents = [town.resident(None, f"+479000{number:04d}") for number in range(30)]
    registry = ToldRegistry((Register.VIPPS,), lambda _targets: Reply({}, 1, 0, "vipps: away"), chunk=2)
    run = run_with(town, clock, monkeypatch, registry)
    assert len(registry.asked) == GIVE_UP_AFTER
    assert run.tallies[Register.VIPPS].unknown == 30
    assert run.silent == {Register.VIPPS}
    assert {town.answers(one)[Register.VIPPS][0] for one in residents} == {UNKNOWN}


def test_a_register_that_answers_now_and_then_is_asked_about_everyone(
    town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    residents = [town.resident(None, f"+479000{number:04d}").id for number in range(20)]

    def reply(targets: Sequence[Target]) -> Reply:
        if targets[0].resident_id % 3:
            return Reply({}, 1, 0, "vipps: away")
        return Reply({one.resident_id: (Said(Register.VIPPS, YES),) for one in targets}, 1, 1)

    registry = ToldRegistry((Register.VIPPS,), reply, chunk=1)
    run = run_with(town, clock, monkeypatch, registry)
    assert registry.people == set(residents)
    assert run.silent == frozenset()
    tally = run.tallies[Register.VIPPS]
    assert tally.yes + tally.unknown == tally.residents == 20


def test_a_register_that_answers_with_nothing_about_anyone_is_silent(
    town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        town.resident(None, f"+479000{number:04d}")
    run = run_with(town, clock, monkeypatch, ToldRegistry((Register.VIPPS,), lambda _targets: Reply({}, 1, 1)))
    assert run.silent == {Register.VIPPS}


def test_a_register_that_knows_nothing_of_a_few_is_not_silent(
    town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(19):
        town.resident(None, f"+479000{number:04d}")
    run = run_with(town, clock, monkeypatch, ToldRegistry((Register.VIPPS,), lambda _targets: Reply({}, 1, 1)))
    assert run.silent == frozenset()


def test_what_must_be_repaired_is_said_once(town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        town.resident(None, f"+479000{number:04d}")
    away = Reply({}, 1, 0, "vipps: 401", needs_alarm=True)
    with capture_logs() as logs:
        run = run_with(town, clock, monkeypatch, ToldRegistry((Register.VIPPS,), lambda _targets: away, chunk=1))
    assert run.alarms == {"vipps": "vipps: 401"}
    assert len([entry for entry in logs if entry["event"] == "register_needs_repair"]) == 1


def test_answers_are_kept_as_they_come_so_a_killed_run_has_asked_fewer(
    town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "STORED_TOGETHER", 2)
    residents = [town.resident(None, f"+479000{number:04d}") for number in range(10)]
    seen: list[int] = []

    def progress(more: int) -> None:
        seen.append(more)
        if sum(seen) == 4:
            raise KeyboardInterrupt

    told(monkeypatch, ToldRegistry((Register.VIPPS,), vipps_says(YES), chunk=1))
    settings = town.settings.model_copy(update={"seats": 1})
    with pytest.raises(KeyboardInterrupt):
        ask_registries(town.session, settings, clock, None, progress)  # type: ignore[arg-type]
    town.session.rollback()
    assert sum(bool(town.answers(one)) for one in residents) == 4
    assert len(stale(town)) == 4


def test_no_transaction_is_open_while_a_register_thinks(
    town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        town.resident(None, f"+479000{number:04d}")
    open_while_asked: list[bool] = []

    def reply(targets: Sequence[Target]) -> Reply:
        open_while_asked.append(town.session.in_transaction())
        return Reply({}, 1, 1)

    run_with(town, clock, monkeypatch, ToldRegistry((Register.VIPPS,), reply, chunk=4))
    assert open_while_asked == [False]
