"""Whatever a file holds wherever, no log line, report, error or terminal shows eleven digits in a row."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from app.core.clock import Clock
from app.core.errors import FileRejected
from app.core.settings import Settings
from app.residents.register_file import COLUMNS
from tests.conftest import make_settings
from tests.residents.conftest import Row, person_id, write_register
from tests.residents.fbo import FIRST, assignment, mandate, transmission, write

ELEVEN = re.compile(r"\d{6} ?\d{5}")
ID = person_id(1)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings that let every log line through."""
    return make_settings(tmp_path / "instance", database_url, log_level="DEBUG")


@pytest.mark.parametrize("national_id", [ID, f"{ID[:6]} {ID[6:]}", "30108299939", "99999999999", f"{ID[:10]}9"])
def test_a_national_id_in_any_column_shows_nowhere(
    runner: FlaskCliRunner, tmp_path: Path, caplog: pytest.LogCaptureFixture, national_id: str
) -> None:
    caplog.set_level(logging.DEBUG)
    plain: Row = {"name": "Kari"}
    rows = [plain | {"customer_number": f"c{place}", name: national_id} for place, name in enumerate(COLUMNS)]
    spoilt = [
        {"customer_number": f'"{national_id}', "name": national_id},
        {"customer_number": "x", "name": f"\x00{national_id}"},
    ]
    path = write_register(tmp_path / "register.csv", [*rows, *spoilt, *rows])
    shown = ""
    for form in ("text", "json"):
        done = runner.invoke(args=["residents", "import", "--format", form, str(path)])
        assert done.exit_code == 1
        assert done.exception is None or isinstance(done.exception, SystemExit)
        shown += done.output
    assert len(json.loads(done.stdout)["rejected"]) > 10
    assert caplog.records
    assert not ELEVEN.search(shown + caplog.text)


def test_a_national_id_instead_of_the_header_shows_nowhere(runner: FlaskCliRunner, tmp_path: Path) -> None:
    for header in (f"{ID};Kari", f"customer_number;name;{ID}", f"customer_number;name;kari {ID}", ID):
        path = tmp_path / "register.csv"
        path.write_text(f"{header}\n1;2\n")
        done = runner.invoke(args=["residents", "import", str(path)])
        assert done.exit_code == 1
        assert not ELEVEN.search(done.output)


def test_a_spoilt_bank_file_shows_neither_account_nor_kid(
    runner: FlaskCliRunner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good = transmission(assignment(mandate("0" * 14 + ID)))
    for number in range(len(good)):
        for spoilt in (good[number][:79], good[number][:-1] + "x", FIRST[:6] + "77" + good[number][8:]):
            path = write(tmp_path / "fbo.txt", [*good[:number], spoilt, *good[number + 1 :]])
            done = runner.invoke(args=["mandates", "import", str(path)])
            assert done.exit_code == 1
            assert not ELEVEN.search(done.output + caplog.text)


def test_a_failure_of_the_database_does_not_show_the_row(
    runner: FlaskCliRunner,
    tmp_path: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even an unforeseen error, with all its causes, tells of no value that was bound to a statement."""
    monkeypatch.setattr("app.residents.register_write._FRESH", {"kind": "beyond any length that fits" * 10})
    path = write_register(tmp_path / "register.csv", [{"customer_number": "1", "name": "Kari", "national_id": ID}])
    done = runner.invoke(args=["residents", "import", str(path)])
    assert done.exception is not None
    assert not isinstance(done.exception, FileRejected)
    error: BaseException | None = done.exception
    while error is not None:
        assert not ELEVEN.search(f"{error!s} {error!r}")
        error = error.__cause__ or error.__context__
    assert not ELEVEN.search(caplog.text)
