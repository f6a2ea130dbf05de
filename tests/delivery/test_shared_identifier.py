"""Two residents with one eFaktura identifier: nothing is sent to it until a person has settled whose it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskCliRunner

from app.core.settings import Settings
from app.sandbox.witness import count_instance
from app.sandbox.world import Efaktura, Krr, Person, write_world
from tests.invoices.builders import ehf

# Synthetic numbers of Digdir's own examples.
KARI, OLA = "20914695016", "22885399316"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"retry_waits": (), "email_settle_days": 0})


def know(settings: Settings, kari: str, ola: str) -> None:
    """Let the register have these identifiers."""
    people = [
        Person(number, None, name, efaktura=Efaktura(identifier, accepts=True), krr=Krr())
        for number, name, identifier in ((KARI, "Kari Nordmann", kari), (OLA, "Ola Nordmann", ola))
    ]
    write_world(settings.sandbox_dir, people)


def drop(settings: Settings, **files: bytes) -> None:
    for name, content in files.items():
        folder, _, rest = name.partition("__")
        place: Path = settings.inbox_dir / folder / rest.replace("_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def told(runner: FlaskCliRunner, *arguments: str) -> Any:
    done = runner.invoke(args=[*arguments, "--format", "json"])
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)


def register(*rows: str) -> bytes:
    head = "customer_number;kind;national_id;name;address_line_1;postal_code;city"
    return "\n".join((head, *rows)).encode()


def test_both_are_held_until_a_person_has_settled_it(runner: FlaskCliRunner, settings: Settings) -> None:
    know(settings, kari="EF-1", ola="EF-1")
    drop(
        settings,
        register__all_csv=register(
            f"1;person;{KARI};Kari Nordmann;Utsikten 1;4100;JØRPELAND",
            f"2;person;{OLA};Ola Nordmann;Utsikten 2;4100;JØRPELAND",
        ),
        invoices__a_xml=ehf("F-1", buyer="1", due="2027-01-20"),
        invoices__b_xml=ehf("F-2", buyer="2", due="2027-01-20"),
    )
    run = told(runner, "invoices", "run")
    assert (run["report"]["held"], run["report"]["balanced"]) == (2, True)
    for number in ("F-1", "F-2"):
        explained = told(runner, "invoices", "explain", number)
        assert explained["hold"]["reason"] == "identifier_shared"
        assert explained["hold"]["text"]
        assert explained["attempts"] == []
    assert count_instance(settings.instance_dir).totals()["demands"] == 0

    know(settings, kari="EF-1", ola="EF-2")
    for number in ("F-1", "F-2"):
        done = runner.invoke(args=["invoices", "release", number, "--reason", "the bank has put it right"])
        assert done.exit_code == 0, done.output
    report = told(runner, "invoices", "run")["report"]
    assert (report["held"], report["by_channel"]["efaktura"]) == (0, 2)


def test_a_run_tells_what_it_asked_of_each_register(runner: FlaskCliRunner, settings: Settings) -> None:
    know(settings, kari="EF-1", ola="EF-2")
    drop(
        settings,
        register__all_csv=register(
            f"1;person;{KARI};Kari Nordmann;Utsikten 1;4100;JØRPELAND",
            f"2;person;{OLA};Ola Nordmann;Utsikten 2;4100;JØRPELAND",
            "3;person;;Per Uten Nummer;Utsikten 3;4100;JØRPELAND",
        ),
        invoices__a_xml=ehf("F-1", buyer="1", due="2027-01-20"),
        invoices__b_xml=ehf("F-2", buyer="2", due="2027-01-20"),
        invoices__c_xml=ehf("F-3", buyer="3", due="2027-01-20"),
    )
    asked = told(runner, "invoices", "run")["asked"]
    assert asked["krr"] == {"calls": 1, "residents": 2, "unknown": 0}
    assert set(asked) == {"krr", "efaktura", "vipps"}
    drop(settings, invoices__d_xml=ehf("F-4", buyer="1", due="2027-01-20"))
    text = runner.invoke(args=["invoices", "run"]).stdout
    assert "1  calls to krr about 1 residents, 0 without an answer" in text
