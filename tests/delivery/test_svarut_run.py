"""A whole run through SvarUt: every letter leaves once, by whichever of its ways, though the stand-in fails often."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskCliRunner

from app.core.settings import Settings
from app.sandbox.received import read_log
from app.sandbox.witness import count
from tests.conftest import make_settings

# A letter that fails again and again outlives a run or two.
MOST_RUNS = 15


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """SvarUt carries mailbox and paper; nobody waits."""
    chosen: dict[str, Any] = {"mailbox_provider": "svarut", "print_provider": "svarut", "retry_waits": "0"}
    return make_settings(tmp_path / "instance", database_url, **chosen, brake_minimum=10_000, email_settle_days=0)


def break_svarut(settings: Settings) -> None:
    """Let every third call to SvarUt fail, and every other service work."""
    path = settings.sandbox_dir / "sandbox.json"
    world = json.loads(path.read_text(encoding="utf-8"))
    kinds = ["429", "500", "500_after", "timeout_before", "timeout_after", "refuse", "late_refusal"]
    world["faults"] = {"seed": 3, "services": {"svarut": {"rate": 0.34, "kinds": kinds}}}
    path.write_text(json.dumps(world), encoding="utf-8")


def test_every_invoice_leaves_once_and_nothing_of_what_svarut_took_is_printed_by_us(
    runner: FlaskCliRunner, settings: Settings
) -> None:
    made = runner.invoke(args=["demo", "--residents", "60", "--invoices", "90", "--seed", "5"])
    assert made.exit_code == 0, made.output
    break_svarut(settings)
    for _ in range(MOST_RUNS):
        runner.invoke(args=["invoices", "run"])
        report = json.loads(runner.invoke(args=["invoices", "report", "--format", "json"]).output)
        if not report["waiting"]:
            break
    assert report["balanced"], report
    assert (report["waiting"], report["sending"], report["unplanned"]) == (0, 0, 0), report
    counted = count(settings.sandbox_dir, settings.outbox_dir)
    assert counted.doubles() == {}
    ways = Counter(one.way for takings in counted.standing.values() for one in takings)
    assert ways["svarut digital"] > 0
    assert ways["svarut print"] > 0
    assert not [way for way in ways if way in ("print", "eformidling digital", "eformidling print")]
    # Ids differ from run to run, and with them what is drawn; that some calls fail is as good as sure.
    calls = [entry for entry in read_log(settings.sandbox_dir) if entry["service"] == "svarut"]
    assert {"failed", "accepted"} <= {entry["outcome"] for entry in calls}
