"""``sandbox.json`` says what the registries know, and everybody else is made up by rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.sandbox.registry import Registry, load_world
from app.sandbox.world import WORLD_FILE, Faults, ServiceFaults, WorldInvalid, unknown_person, write_world
from tests.sandbox.samples import KARI, OLA, PEOPLE


def test_what_is_written_is_read(tmp_path: Path) -> None:
    faults = Faults(7, {"vipps": ServiceFaults(0.05, ("500",))}, {"20914695016": {"krr": "refuse"}}, {})
    write_world(tmp_path, PEOPLE, faults, {"vipps": {"pending": 5}})
    world = load_world(tmp_path)
    assert [world.by_national_id[str(one.national_id)] for one in PEOPLE] == list(PEOPLE)
    assert world.by_mobile["+4799999991"] == KARI
    assert world.faults == faults
    assert world.age("vipps", "pending") == 5


def test_a_person_may_leave_a_registry_to_the_rule(tmp_path: Path) -> None:
    person = {"national_id": "20914695016", "mobile": None, "name": "Kari"}
    (tmp_path / WORLD_FILE).write_text(json.dumps({"people": [person]}), encoding="utf-8")
    found = load_world(tmp_path).with_national_id("20914695016")
    assert found.krr == unknown_person("20914695016").krr
    assert found.name == "Kari"


def test_shares_among_the_unknown_are_as_documented() -> None:
    people = [unknown_person(f"{number:011d}") for number in range(20_000)]
    active = [one for one in people if one.krr.status == "AKTIV"]
    assert len(active) / len(people) == pytest.approx(0.88, abs=0.02)
    assert sum(one.krr.reserved for one in active) / len(active) == pytest.approx(0.04, abs=0.01)
    assert sum(one.efaktura.accepts for one in people) / len(people) == pytest.approx(0.45, abs=0.02)
    assert sum(one.vipps.accepts for one in people) / len(people) == pytest.approx(0.50, abs=0.02)
    assert not any(one.krr.mailbox for one in people if one.krr.reserved or one.krr.status != "AKTIV")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert registry.world().by_national_id == {}
    write_world(tmp_path, [KARI])
    assert set(registry.world().by_national_id) == {KARI.national_id}
    write_world(tmp_path, [KARI, OLA])
    assert set(registry.world().by_national_id) == {KARI.national_id, OLA.national_id}


@pytest.mark.parametrize("text", ["", "[]", '{"people": [{"national_id": "20914695016"}]}', '{"people": [7]}'])
def test_a_file_that_cannot_be_used_is_an_error_without_a_number(tmp_path: Path, text: str) -> None:
    (tmp_path / WORLD_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(WorldInvalid) as caught:
        load_world(tmp_path)
    assert "20914695016" not in str(caught.value)
