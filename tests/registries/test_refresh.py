"""Every answer is stored as an outcome with its moment, whoever's changed is marked, and silence is told from no."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import stamina
from sqlalchemy import select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app.clients.connect import Clients, connect
from app.core.clock import Clock
from app.core.settings import Settings
from app.registries import refresh
from app.registries.contract import Reply, Said, Target
from app.registries.models import Register, RegistryAnswer
from app.registries.refresh import GIVE_UP_AFTER, RegistryRun, ask_registries
from app.residents.models import StaleResident
from app.routing.channels import Answer
from app.sandbox.received import read_log
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Efaktura, Faults, Krr, Person, ServiceFaults, Vipps, write_world
from tests.registries.town import ToldRegistry, Town

NUMBER, OTHER, THIRD = "20914695016", "22885399316", "21836797660"
MOBILE, OTHER_MOBILE = "+4790000017", "+4790000018"
YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
def town(session: Session, settings: Settings) -> Town:
    return Town(session, settings)


@pytest.fixture
def clients(settings: Settings, clock: Clock) -> Iterator[Clients]:
    made = connect(settings, clock, SandboxTransport(settings.sandbox_dir))
    yield made
    made.close()


def stale(town: Town) -> list[int]:
    """The residents marked as changed; the marks are taken away."""
    found = sorted(town.session.scalars(select(StaleResident.resident_id)))
    town.session.query(StaleResident).delete()
    town.session.commit()
    return found


def world(settings: Settings, *people: Person, **faults: Any) -> None:
    write_world(settings.sandbox_dir, people, Faults(**faults))


KARI = Person(
    NUMBER, MOBILE, "Kari", Krr("AKTIV", mailbox="digipost"), Efaktura("EF000000000000001", True), Vipps(True)
)
OLA = Person(OTHER, OTHER_MOBILE, "Ola", Krr("AKTIV", reserved=True), Efaktura("EF000000000000002"), Vipps(False))


def test_the_outcome_of_each_register_is_stored(town: Town, clock: Clock, clients: Clients) -> None:
    world(town.settings, KARI, OLA)
    kari, ola = town.resident(NUMBER, MOBILE), town.resident(OTHER, OTHER_MOBILE)
    progress: list[int] = []
    run = ask_registries(town.session, town.settings, clock, clients, progress.append)
    assert town.answers(kari) == {
        Register.MAILBOX: (YES, None),
        Register.RESERVATION: (NO, None),
        Register.EFAKTURA: (YES, "EF000000000000001"),
        Register.VIPPS: (YES, None),
    }
    assert town.answers(ola) == {
        Register.MAILBOX: (NO, None),
        Register.RESERVATION: (YES, None),
        Register.EFAKTURA: (NO, None),
        Register.VIPPS: (NO, None),
    }
    assert stale(town) == [kari.id, kari.id, kari.id, ola.id, ola.id, ola.id]
    assert run.silent == frozenset()
    assert run.calls == 4
    assert run.changed == 8
    assert sum(progress) == 6
    assert run.as_json()["efaktura"] == {"asked": 2, "yes": 1, "no": 1, "unknown": 0, "calls": 1}
    asked_at = town.session.scalars(select(RegistryAnswer.asked_at)).all()
    assert all(abs(clock.now() - moment) < dt.timedelta(minutes=5) for moment in asked_at)


def test_an_equal_answer_is_stored_anew_and_marks_nobody(town: Town, clock: Clock, clients: Clients) -> None:
    world(town.settings, KARI)
    town.resident(NUMBER, MOBILE)
    ask_registries(town.session, town.settings, clock, clients)
    first = town.session.scalars(select(RegistryAnswer.asked_at).order_by(RegistryAnswer.id)).all()
    stale(town)
    later = Clock(clock.shift + dt.timedelta(hours=1))
    run = ask_registries(town.session, town.settings, later, clients)
    town.session.expire_all()
    second = town.session.scalars(select(RegistryAnswer.asked_at).order_by(RegistryAnswer.id)).all()
    assert stale(town) == []
    assert run.changed == 0
    assert len(second) == len(first) == 4
    assert all(new > old for new, old in zip(second, first, strict=True))


def test_a_changed_answer_marks_its_resident_alone(town: Town, clock: Clock, clients: Clients) -> None:
    world(town.settings, KARI, OLA)
    town.resident(NUMBER, MOBILE)
    ola = town.resident(OTHER, OTHER_MOBILE)
    ask_registries(town.session, town.settings, clock, clients)
    stale(town)
    world(town.settings, KARI, Person(OTHER, OTHER_MOBILE, "Ola", OLA.krr, OLA.efaktura, Vipps(True)))
    run = ask_registries(town.session, town.settings, clock, clients)
    assert stale(town) == [ola.id]
    assert run.changed == 1
    town.session.expire_all()
    assert town.answers(ola)[Register.VIPPS] == (YES, None)


def test_a_new_identifier_is_a_change(town: Town, clock: Clock, clients: Clients) -> None:
    world(town.settings, KARI)
    kari = town.resident(NUMBER)
    ask_registries(town.session, town.settings, clock, clients)
    stale(town)
    world(town.settings, Person(NUMBER, MOBILE, "Kari", KARI.krr, Efaktura("EF000000000000009", True)))
    ask_registries(town.session, town.settings, clock, clients)
    assert stale(town) == [kari.id]
    town.session.expire_all()
    assert town.answers(kari)[Register.EFAKTURA] == (YES, "EF000000000000009")


def test_a_yes_that_becomes_unknown_loses_its_identifier(town: Town, clock: Clock, clients: Clients) -> None:
    world(town.settings, KARI)
    kari = town.resident(NUMBER)
    ask_registries(town.session, town.settings, clock, clients)
    world(town.settings, KARI, services={"efaktura": ServiceFaults(1.0, ("500",))})
    run = ask_registries(town.session, town.settings, clock, clients)
    town.session.expire_all()
    assert town.answers(kari)[Register.EFAKTURA] == (UNKNOWN, None)
    assert run.silent == {Register.EFAKTURA}
    assert run.failures == {"efaktura": "efaktura: answered 500"}
    assert run.alarms == {}


def test_a_person_without_national_id_is_found_by_name_and_place(town: Town, clock: Clock, clients: Clients) -> None:
    world(
        town.settings,
        Person(None, MOBILE, "Kari Nordmann", efaktura=Efaktura("EF000000000000005", True), postal_code="4100"),
    )
    kari = town.resident(None, MOBILE, name="Kari Nordmann")
    nowhere = town.resident(None, OTHER_MOBILE, name="Kari Nordmann", postal_code="")
    ask_registries(town.session, town.settings, clock, clients)
    assert town.answers(kari)[Register.EFAKTURA] == (YES, "EF000000000000005")
    assert town.answers(nowhere)[Register.EFAKTURA] == (NO, None)


def test_two_residents_with_the_same_mobile_are_both_answered_for(town: Town, clock: Clock, clients: Clients) -> None:
    world(town.settings, KARI)
    pair = [town.resident(NUMBER, MOBILE), town.resident(OTHER, MOBILE)]
    ask_registries(town.session, town.settings, clock, clients)
    assert [town.answers(one)[Register.VIPPS] for one in pair] == [(YES, None)] * 2


def test_one_missing_from_krr_is_unknown_and_the_register_is_not_silent(
    town: Town, clock: Clock, clients: Clients
) -> None:
    world(town.settings, KARI, OLA, people={OTHER: {"krr": "refuse"}})
    kari, ola = town.resident(NUMBER), town.resident(OTHER)
    run = ask_registries(town.session, town.settings, clock, clients)
    assert town.answers(kari)[Register.MAILBOX] == (YES, None)
    assert town.answers(ola)[Register.MAILBOX] == (UNKNOWN, None)
    assert town.answers(ola)[Register.RESERVATION] == (UNKNOWN, None)
    assert run.silent == frozenset()


@pytest.mark.parametrize("service", ["krr", "maskinporten"])
def test_a_contact_register_that_is_away_is_silent_and_the_others_are_asked(
    town: Town, clock: Clock, clients: Clients, service: str
) -> None:
    world(town.settings, KARI, services={service: ServiceFaults(1.0, ("timeout_before",))})
    kari = town.resident(NUMBER, MOBILE)
    run = ask_registries(town.session, town.settings, clock, clients)
    assert run.silent == {Register.MAILBOX, Register.RESERVATION}
    assert town.answers(kari)[Register.RESERVATION] == (UNKNOWN, None)
    assert town.answers(kari)[Register.EFAKTURA][0] is YES
    assert town.answers(kari)[Register.VIPPS][0] is YES


def test_a_vipps_that_is_away_is_silent(town: Town, clock: Clock, clients: Clients) -> None:
    world(town.settings, KARI, services={"vipps": ServiceFaults(1.0, ("500",))})
    kari = town.resident(NUMBER, MOBILE)
    run = ask_registries(town.session, town.settings, clock, clients)
    assert run.silent == {Register.VIPPS}
    assert town.answers(kari)[Register.VIPPS] == (UNKNOWN, None)


def test_nobody_to_ask_about_is_no_call_and_no_silence(town: Town, clock: Clock, clients: Clients) -> None:
    town.resident(NUMBER, MOBILE, has_invoice=False)
    run = ask_registries(town.session, town.settings, clock, clients)
    assert (run.calls, run.silent, run.changed) == (0, frozenset(), 0)
    assert list(read_log(town.settings.sandbox_dir)) == []


def test_nothing_personal_is_stored_or_logged(town: Town, clock: Clock, clients: Clients) -> None:
    world(town.settings, KARI, OLA, people={NUMBER: {"efaktura": "refuse"}})
    town.resident(NUMBER, MOBILE)
    town.resident(OTHER, OTHER_MOBILE)
    with capture_logs() as logs:
        run = ask_registries(town.session, town.settings, clock, clients)
    stored = [
        (row.register, row.answer, row.reference, row.asked_at) for row in town.session.query(RegistryAnswer).all()
    ]
    for hidden in (NUMBER, OTHER, MOBILE, "@", "sandbox.resident", "MIIB"):
        assert hidden not in f"{stored} {logs} {run}"


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
