"""Every answer is stored as an outcome with its moment, whoever's changed is marked, and silence is told from no."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.clients.connect import Clients, connect
from app.core.clock import Clock
from app.core.settings import Settings
from app.registries.models import Register, RegistryAnswer
from app.registries.refresh import ask_registries
from app.sandbox.received import read_log
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Efaktura, Faults, Krr, Person, ServiceFaults, Vipps, write_world
from tests.registries.registers import MOBILE, NO, NUMBER, OTHER, OTHER_MOBILE, UNKNOWN, YES, stale
from tests.registries.town import Town


@pytest.fixture
def clients(settings: Settings, clock: Clock) -> Iterator[Clients]:
    made = connect(settings, clock, SandboxTransport(settings.sandbox_dir))
    yield made
    made.close()


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
        Register.MAILBOX: (YES, "digipost"),
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
    assert town.answers(kari)[Register.MAILBOX] == (YES, "digipost")
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
