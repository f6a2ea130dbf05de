"""The CSV files: right columns, letters and numbers in any spreadsheet, and nothing that it would compute."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.staff.csv_files import STARTS_A_FORMULA, csv_file
from app.staff.statistics_tables import TABLES
from tests.staff.statistics_support import fill_a_year

PAGE = "/ansatt/statistikk"


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.mark.parametrize("key", TABLES)
def test_every_table_is_a_file_with_equal_rows(statistician: FlaskClient, session: Session, key: str) -> None:
    fill_a_year(session)
    answer = statistician.get(f"{PAGE}/{key}.csv?fra=2026-09&til=2026-11")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{key}-2026-09-2026-11.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = read(answer.data)
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}


def test_numbers_are_numbers_and_months_sort(statistician: FlaskClient, session: Session) -> None:
    fill_a_year(session)
    rows = read(statistician.get(f"{PAGE}/spart.csv").data)
    assert rows[0] == ["Måned", "Fakturaer", "Brev", "Brev vi slapp å sende", "Spart (kr)"]
    assert rows[1] == ["2025-12", "5540", "2680", "2860", "56020,20"]
    assert read(statistician.get(f"{PAGE}/kanaler.csv").data)[1] == ["AvtaleGiro", "12096", "18,19"]


def test_a_campaign_named_as_a_formula_is_no_formula(statistician: FlaskClient, session: Session) -> None:
    fill_a_year(session)
    names = [row[0] for row in read(statistician.get(f"{PAGE}/tilbud.csv").data)]
    assert names == ["Utsending", "Høsten 2026", "'=Våren 2026"]


def test_a_file_that_is_none_of_ours_is_not_found(statistician: FlaskClient) -> None:
    assert statistician.get(f"{PAGE}/innbyggere.csv").status_code == 404


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20), min_size=1, max_size=4))
def test_every_text_comes_back_and_none_starts_a_formula(cells: list[str]) -> None:
    found = read(csv_file(cells, [cells]))
    assert len(found) == 2
    for was, now in zip(cells, found[1], strict=True):
        assert now in (was, f"'{was}")
        assert not now.lstrip(" ").startswith(STARTS_A_FORMULA)


def test_numbers_below_zero_stay_numbers() -> None:
    assert read(csv_file(["a", "b", "c"], [[-5, -1.5, None]]))[1] == ["-5", "-1,50", ""]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="as many cells"):
        csv_file(["a", "b"], [["x"]])


def test_libreoffice_finds_columns_letters_and_numbers(
    statistician: FlaskClient, session: Session, tmp_path: Path
) -> None:
    program = shutil.which("soffice")
    if program is None:
        reason = "LibreOffice is not installed: apt-get install --no-install-recommends libreoffice-calc-nogui"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    fill_a_year(session)
    for key in ("spart", "tilbud"):
        (tmp_path / f"{key}.csv").write_bytes(statistician.get(f"{PAGE}/{key}.csv").data)
    # As a Norwegian spreadsheet opens it: semicolons, UTF-8, numbers recognised by the language (1044 is bokmål).
    opened = "--infilter=Text - txt - csv (StarCalc):59,34,76,1,,1044,false,true"
    subprocess.run(
        [program, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", opened, "--convert-to", "fods",
         "--outdir", str(tmp_path), *(str(tmp_path / f"{key}.csv") for key in ("spart", "tilbud"))],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    saved = (tmp_path / "spart.fods").read_text(encoding="utf-8")
    assert "<text:p>Måned</text:p>" in saved
    assert "<text:p>Brev vi slapp å sende</text:p>" in saved
    assert 'office:value-type="float" office:value="5540"' in saved
    assert 'office:value-type="float" office:value="56020.2"' in saved
    offers = (tmp_path / "tilbud.fods").read_text(encoding="utf-8")
    assert "<text:p>Høsten 2026</text:p>" in offers
    assert "=Våren 2026</text:p>" in offers
    assert "table:formula" not in saved + offers
