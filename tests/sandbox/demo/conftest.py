"""A made-up municipality of the usual size, written once for all tests of this folder."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from lxml import etree

from app.sandbox.commands import demo

TODAY = dt.date(2026, 11, 24)
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still."""

    day: dt.date = TODAY

    def today(self) -> dt.date:
        """Always the same date."""
        return self.day


def run_demo(instance: Path, *arguments: str, day: dt.date = TODAY) -> Result:
    """Run ``flask demo`` in a small application of its own."""
    app = Flask("demo")
    app.config.update(CLOCK=FixedClock(day), INBOX_DIR=instance / "inbox", SANDBOX_DIR=instance / "sandbox")
    return app.test_cli_runner().invoke(demo, list(arguments))


@dataclass(frozen=True)
class Made:
    """The files of one run and its JSON report."""

    root: Path
    report: dict[str, Any]
    documents: dict[str, etree._Element] = field(default_factory=dict)

    def rows(self) -> list[dict[str, str]]:
        """The register's rows."""
        with (self.root / "residents.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter=";"))

    def good_rows(self) -> list[dict[str, str]]:
        """The rows of residents that invoices may be for."""
        return [row for row in self.rows() if row["customer_number"].startswith("1")]

    def people(self) -> list[dict[str, Any]]:
        """Who is in ``sandbox.json``."""
        people: list[dict[str, Any]] = json.loads((self.root / "sandbox.json").read_text("utf-8"))["people"]
        return people


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The default size, seed 7."""
    root = tmp_path_factory.mktemp("demo") / "out"
    result = run_demo(root.parent, "--seed", "7", "--output", str(root), "--format", "json")
    assert result.exit_code == 0, result.output
    good = [path for path in sorted((root / "invoices").rglob("*.xml")) if not path.name.startswith("zz-")]
    return Made(root, json.loads(result.stdout), {str(path): etree.parse(path).getroot() for path in good})


def text(element: etree._Element, path: str) -> str:
    """The text at *path* (``cbc:`` and ``cac:`` prefixes), "" where there is none."""
    return element.findtext(path.replace("cbc:", CBC).replace("cac:", CAC)) or ""


def ore(element: etree._Element, path: str) -> int:
    """The amount at *path* in øre."""
    whole, _, rest = text(element, path).partition(".")
    return int(whole + rest)
