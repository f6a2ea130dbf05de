"""The command: what it writes where, and that nothing but its options and the day decide the bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest

from app.sandbox.demo.stories import STORIES
from app.sandbox.registry import load_world
from app.sandbox.world import SERVICES
from tests.sandbox.demo.conftest import Made, run_demo

SMALL = ("--residents", "60", "--invoices", "90")


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file below *root*."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def written(instance: Path, name: str, *arguments: str, day: dt.date = dt.date(2026, 11, 24)) -> dict[str, str]:
    """The digests after a run into ``instance/name``."""
    result = run_demo(instance, *SMALL, "--output", str(instance / name), *arguments, day=day)
    assert result.exit_code == 0, result.output
    return digests(instance / name)


def test_same_seed_and_day_give_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path, "one", "--seed", "3") == written(tmp_path, "two", "--seed", "3")


def test_another_seed_gives_other_people_and_another_day_other_invoice_numbers(tmp_path: Path) -> None:
    one, two = written(tmp_path, "one", "--seed", "3"), written(tmp_path, "two", "--seed", "4")
    later = written(tmp_path, "later", "--seed", "3", day=dt.date(2026, 11, 25))
    assert one["residents.csv"] != two["residents.csv"]
    numbers = {name for name in one if name.endswith(".xml") and "zz-" not in name}
    assert not numbers & later.keys()


def test_today_given_on_the_command_line_beats_the_clock(tmp_path: Path) -> None:
    by_clock = written(tmp_path, "clock", day=dt.date(2027, 2, 1))
    assert written(tmp_path, "option", "--today", "2027-02-01") == by_clock


def test_output_has_the_files_that_the_importers_read(made: Made) -> None:
    assert {path.name for path in made.root.iterdir()} == {
        "residents.csv",
        "mandates",
        "invoices",
        "payments",
        "sandbox.json",
    }
    assert not [path for path in made.root.rglob("*") if path.name.endswith(".tmp")]


def test_without_output_the_inbox_and_the_sandbox_are_filled(tmp_path: Path) -> None:
    result = run_demo(tmp_path, *SMALL)
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "inbox").iterdir()} == {"register", "mandates", "invoices", "payments"}
    assert (tmp_path / "inbox/register/residents.csv").is_file()
    assert load_world(tmp_path / "sandbox").by_national_id


def test_exactly_the_number_asked_for_is_good_and_the_bad_comes_on_top(made: Made) -> None:
    assert len(made.good_rows()) == made.report["residents"] == 400
    assert len(made.rows()) == 400 + made.report["bad_rows"]
    assert len(made.documents) == made.report["invoices"] + made.report["credit_notes"] == 600
    bad = list(made.root.rglob("zz-*")) + list(made.root.rglob("bad-*"))
    assert len(bad) == made.report["bad_files"]


@pytest.mark.parametrize(("residents", "invoices"), [(1, 0), (1, 7), (3, 1), (40, 200), (500, 61)])
def test_any_size_gives_exactly_that_size(tmp_path: Path, residents: int, invoices: int) -> None:
    sizes = ("--residents", str(residents), "--invoices", str(invoices))
    result = run_demo(tmp_path, *sizes, "--output", str(tmp_path / "out"), "--format", "json")
    report = json.loads(result.stdout)
    assert report["residents"] == residents
    assert report["invoices"] + report["credit_notes"] == invoices


def test_every_story_is_told_at_the_default_size(made: Made) -> None:
    assert {story.__name__ for story in STORIES} | {"everyday"} == made.report["stories"].keys()
    assert made.report["stories"]["everyday"] > 500


def test_every_kind_of_resident_is_there_at_the_default_size(made: Made) -> None:
    traits = made.report["traits"]
    assert min(traits.values()) >= 1
    assert {
        "mandate_J",
        "mandate_N",
        "mailbox_digipost",
        "mailbox_e-boks",
        "is_reserved",
        "is_deceased",
    } <= traits.keys()
    assert {"protection_confidential", "protection_strictly_confidential", "address_nowhere"} <= traits.keys()
    assert 0.35 < traits["takes_efaktura"] / 400 < 0.55


def test_services_fail_only_when_asked_to(tmp_path: Path, made: Made) -> None:
    written(tmp_path, "faulty", "--faults")
    assert not load_world(made.root).faults.services
    faults = load_world(tmp_path / "faulty").faults
    assert faults.services.keys() == {*SERVICES}
    assert faults.people


@pytest.mark.parametrize("wrong", [("--residents", "0"), ("--invoices", "-1"), ("--today", "i dag"), ("--seed", "-3")])
def test_an_impossible_wish_is_wrong_use(tmp_path: Path, wrong: tuple[str, str]) -> None:
    assert run_demo(tmp_path, *wrong).exit_code == 2


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run_demo(tmp_path, *SMALL, "--output", str(tmp_path / "file" / "out"))
    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_the_text_report_names_counts_and_places(tmp_path: Path) -> None:
    result = run_demo(tmp_path, *SMALL)
    assert "60 residents (and 9 bad rows)" in result.stdout
    assert str(tmp_path / "inbox" / "payments") in result.stdout
