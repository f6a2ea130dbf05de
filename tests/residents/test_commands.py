"""``flask residents import`` and ``flask mandates import``: reports, exit codes, and the drop folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.residents.models import Mandate, Resident
from tests.residents.fbo import assignment, mandate, transmission, write

HEADER = "customer_number;name;mobile\n"
GOOD = f"{HEADER}1;Kari;90012345\n2;Ola;\n"
BAD_FIELD = f"{HEADER}1;Kari;9O012345\n2;Ola;\n"
MISSING_COLUMN = "customer_number;mobile\n1;90012345\n"
FBO = transmission(assignment(mandate("000112000507155"), mandate("001006300507304", "N")))
SHORT_FBO = transmission(assignment(mandate("000112000507155")[:79]))


@pytest.fixture
def register(tmp_path: Path) -> Path:
    """Where a register file may be written."""
    return tmp_path / "register.csv"


def files(folder: Path) -> list[str]:
    """Names of all files beneath, without the folder of the moment."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def drop(settings: Settings, folder: str, name: str, content: str) -> Path:
    """Put a file into the inbox."""
    place = settings.inbox_dir / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(content, "utf-8")
    return place / name


def test_a_clean_register_ends_with_0(runner: FlaskCliRunner, register: Path, session: Session) -> None:
    register.write_text(GOOD)
    done = runner.invoke(args=["residents", "import", str(register)])
    assert (done.exit_code, done.stdout) == (0, "2 read: 2 created, 0 updated, 0 unchanged, 0 rejected.\n")
    assert session.scalar(select(func.count(Resident.id))) == 2
    assert register.exists()


def test_a_rejected_field_ends_with_1_and_is_reported_with_its_place(runner: FlaskCliRunner, register: Path) -> None:
    register.write_text(BAD_FIELD)
    done = runner.invoke(args=["residents", "import", "--format", "json", str(register)])
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "read": 2,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": [{"source": "register.csv", "row": 2, "field": "mobile", "reason": "not a number"}],
    }


def test_a_refused_register_ends_with_1_and_stores_nothing(
    runner: FlaskCliRunner, register: Path, session: Session
) -> None:
    register.write_text(MISSING_COLUMN)
    done = runner.invoke(args=["residents", "import", str(register)])
    assert done.exit_code == 1
    assert "register.csv, row 1, name: the column is missing" in done.stderr
    assert session.scalar(select(func.count(Resident.id))) == 0


@pytest.mark.parametrize("group", ["residents", "mandates"])
def test_a_file_that_is_not_there_is_wrong_use(runner: FlaskCliRunner, tmp_path: Path, group: str) -> None:
    assert runner.invoke(args=[group, "import", str(tmp_path / "none.csv")]).exit_code == 2
    assert runner.invoke(args=[group, "import", str(tmp_path)]).exit_code == 2
    assert runner.invoke(args=[group, "import", "--format", "xml"]).exit_code == 2


def test_an_unusable_key_file_is_wrong_use_and_leaves_the_inbox_alone(
    runner: FlaskCliRunner, settings: Settings
) -> None:
    waiting = drop(settings, "register", "good.csv", GOOD)
    settings.keys_dir.mkdir(parents=True, exist_ok=True)
    (settings.keys_dir / "national-id-index.keys").write_text("no key\n")
    done = runner.invoke(args=["residents", "import"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "national-id-index.keys, line 1" in done.stderr
    assert waiting.exists()


@pytest.mark.parametrize("group", ["residents", "mandates"])
def test_an_empty_inbox_is_fine(runner: FlaskCliRunner, group: str) -> None:
    done = runner.invoke(args=[group, "import"])
    assert (done.exit_code, done.stdout) == (0, "0 read: 0 created, 0 updated, 0 unchanged, 0 rejected.\n")


@pytest.mark.parametrize("group", ["residents", "mandates"])
def test_help_says_what_it_does(runner: FlaskCliRunner, group: str) -> None:
    done = runner.invoke(args=[group, "import", "--help"])
    assert done.exit_code == 0
    assert "--format" in done.stdout
    assert "archive/" in done.stdout


def test_registers_of_the_inbox_are_archived_or_rejected(
    runner: FlaskCliRunner, settings: Settings, session: Session
) -> None:
    drop(settings, "register", "1-good.csv", GOOD)
    drop(settings, "register", "2-refused.csv", MISSING_COLUMN)
    drop(settings, "register", "3-field.csv", BAD_FIELD)
    half_written = drop(settings, "register", "4.csv.part", GOOD)
    done = runner.invoke(args=["residents", "import", "--format", "json"])
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert (report["read"], report["created"], report["unchanged"], len(report["rejected"])) == (4, 2, 2, 2)
    assert files(settings.inbox_dir / "register") == [half_written.name]
    assert files(settings.inbox_dir / "archive" / "register") == ["1-good.csv", "3-field.csv"]
    rejected = settings.inbox_dir / "rejected" / "register"
    assert files(rejected) == ["2-refused.csv", "2-refused.csv.report.json"]
    beside = json.loads(next(rejected.rglob("*.json")).read_text("utf-8"))
    assert beside["rejected"] == [
        {"source": "2-refused.csv", "row": 1, "field": "name", "reason": "the column is missing"}
    ]


def test_mandate_files_are_taken_in_the_order_given(runner: FlaskCliRunner, tmp_path: Path, session: Session) -> None:
    first = write(tmp_path / "b.txt", FBO)
    then = write(tmp_path / "a.txt", transmission(assignment(mandate("000112000507155", "N"))))
    done = runner.invoke(args=["mandates", "import", str(first), str(then)])
    assert (done.exit_code, done.stdout) == (0, "3 read: 2 created, 1 updated, 0 unchanged, 0 rejected.\n")
    assert set(session.scalars(select(Mandate.wants_notice))) == {False}


def test_a_refused_mandate_file_ends_with_1_and_the_others_are_taken(
    runner: FlaskCliRunner, settings: Settings, session: Session
) -> None:
    place = settings.inbox_dir / "mandates"
    place.mkdir(parents=True)
    write(place / "1.txt", SHORT_FBO)
    write(place / "2.txt", FBO[:4])
    write(place / "3.txt", FBO)
    done = runner.invoke(args=["mandates", "import"])
    assert done.exit_code == 1
    assert "1.txt, row 3: 79 characters where a record has 80" in done.stderr
    assert "2.txt, row 4: the file is cut off" in done.stderr
    assert session.scalar(select(func.count(Mandate.id))) == 2
    assert files(settings.inbox_dir / "archive") == ["3.txt"]
    assert files(settings.inbox_dir / "rejected") == ["1.txt", "1.txt.report.json", "2.txt", "2.txt.report.json"]
