"""``flask invoices import`` and ``flask payments import``: what they say, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from app.core.settings import Settings
from app.invoices.commands import invoices_cli, payments_cli
from app.residents.models import Resident
from tests.invoices.builders import KID, ehf, ocr, pdf
from tests.invoices.counting import Drop

KEYS = {"read", "created", "updated", "unchanged", "rejected"}


@pytest.fixture
def cli(app: Flask, runner: FlaskCliRunner) -> FlaskCliRunner:
    """The runner, with this room's commands even where the application has not joined them."""
    for group in (invoices_cli, payments_cli):
        if group.name not in app.cli.commands:
            app.cli.add_command(group)
    return runner


@pytest.fixture
def inbox(settings: Settings) -> Path:
    """The drop folder with its sub-folders."""
    for name in ("invoices/sosial", "payments"):
        (settings.inbox_dir / name).mkdir(parents=True)
    return settings.inbox_dir


def test_a_clean_import_ends_with_0_and_the_agreed_keys(cli: FlaskCliRunner, drop: Drop, kari: Resident) -> None:
    result = cli.invoke(args=["invoices", "import", "--format", "json", str(drop(a_xml=ehf()))])
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert set(answer) == KEYS
    assert (answer["read"], answer["created"], answer["rejected"]) == (1, 1, [])


def test_what_needs_a_person_ends_with_1_and_is_named(cli: FlaskCliRunner, drop: Drop) -> None:
    folder = drop(a_xml=ehf(), b_xml=b"<")
    result = cli.invoke(args=["invoices", "import", str(folder / "a.xml"), str(folder / "b.xml"), "--format", "json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert [set(found) for found in answer["rejected"]] == [{"source", "row", "field", "reason"}] * 2
    assert [found["source"] for found in answer["rejected"]] == ["a.xml", "b.xml"]
    assert (answer["read"], answer["created"]) == (2, 1)


@pytest.mark.parametrize("group", ["invoices", "payments"])
def test_wrong_use_ends_with_2(cli: FlaskCliRunner, group: str) -> None:
    assert cli.invoke(args=[group, "import", "/no/such/file"]).exit_code == 2
    assert cli.invoke(args=[group, "import", "--format", "yaml"]).exit_code == 2
    assert cli.invoke(args=[group, "import", "--help"]).exit_code == 0


def test_without_a_path_the_inbox_is_read_and_emptied(cli: FlaskCliRunner, inbox: Path, kari: Resident) -> None:
    (inbox / "invoices" / "sosial" / "a.xml").write_bytes(ehf())
    (inbox / "invoices" / "sosial" / "a.pdf").write_bytes(pdf())
    (inbox / "invoices" / "b.xml").write_bytes(ehf()[:500])
    (inbox / "invoices" / "c.xml.part").write_bytes(b"")
    result = cli.invoke(args=["invoices", "import", "--format", "json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["created"] == 1
    assert [found.name for found in (inbox / "invoices").rglob("*") if found.is_file()] == ["c.xml.part"]
    archived = {found.parent.name + "/" + found.name for found in (inbox / "archive").rglob("*") if found.is_file()}
    assert archived == {"sosial/a.xml", "sosial/a.pdf"}
    (report,) = (inbox / "rejected").rglob("b.xml.report.json")
    assert json.loads(report.read_text())["rejected"][0]["reason"] == "the file ends too early: it is cut off"
    assert report.with_name("b.xml").read_bytes() == ehf()[:500]


def test_an_empty_inbox_is_no_fault(cli: FlaskCliRunner) -> None:
    for group in ("invoices", "payments"):
        result = cli.invoke(args=[group, "import", "--format", "json"])
        assert (result.exit_code, json.loads(result.stdout)["read"]) == (0, 0)


def test_payments_are_taken_from_files_or_the_inbox(cli: FlaskCliRunner, inbox: Path) -> None:
    (inbox / "payments" / "a.txt").write_bytes(ocr((KID, 100, "10")))
    (inbox / "payments" / "b.txt").write_bytes(ocr((KID, 100, "10"))[:-3] + b"\n")
    result = cli.invoke(args=["payments", "import", "--format", "json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["created"], answer["rejected"][0]["source"], answer["rejected"][0]["row"]) == (1, "b.txt", 6)
    assert [found.name for found in (inbox / "payments").iterdir()] == []
    assert len(list((inbox / "rejected").rglob("b.txt*"))) == 2
    (again,) = (inbox / "archive").rglob("a.txt")
    result = cli.invoke(args=["payments", "import", "--format", "json", str(again)])
    assert (result.exit_code, json.loads(result.stdout)["unchanged"]) == (0, 1)


def test_a_refused_payment_file_says_where_in_plain_words(cli: FlaskCliRunner, drop: Drop) -> None:
    result = cli.invoke(args=["payments", "import", str(drop(a_txt=b"NY000010") / "a.txt")])
    assert result.exit_code == 1
    assert "a.txt, row 1: the line has 8 characters, not 80" in result.output
