"""``flask offers``: what the commands print, and what they end with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, OfferMail
from app.core.settings import Settings
from tests.campaigns.village import Village


@pytest.fixture
def village(app: Flask, session: Session, settings: Settings) -> Village:
    return Village(session, settings)


def run(runner: FlaskCliRunner, *arguments: str, code: int = 0) -> str:
    done = runner.invoke(args=["offers", *arguments])
    assert done.exit_code == code, done.output
    return done.stdout


def told(runner: FlaskCliRunner, *arguments: str, code: int = 0) -> Any:
    return json.loads(run(runner, *arguments, "--format", "json", code=code))


def test_send_tells_how_many_were_asked_sent_skipped_and_wait(village: Village, runner: FlaskCliRunner) -> None:
    village.residents(3)
    village.resident(address=None)
    first = told(runner, "send", "--limit", "2")
    assert {name: first[name] for name in ("asked", "sent", "skipped", "waiting")} == {
        "asked": 2, "sent": 2, "skipped": {"no_email": 1}, "waiting": 1,
    }  # fmt: skip
    second = told(runner, "send")
    assert (second["asked"], second["sent"], second["waiting"]) == (1, 1, 0)
    assert second["skipped"] == {"no_email": 1, "offered": 2}
    assert len(set(village.written_to())) == 3


def test_a_dry_run_asks_the_register_and_changes_nothing(village: Village, runner: FlaskCliRunner) -> None:
    village.residents(2)
    found = told(runner, "send", "--dry-run")
    assert (found["asked"], found["sent"], found["waiting"]) == (2, 0, 2)
    assert "Nothing was sent" in run(runner, "send", "--dry-run")
    assert village.session.query(Campaign).count() == 0
    assert village.session.query(OfferMail).count() == 0
    assert village.box() == []


def test_without_a_name_the_campaign_that_runs_goes_on(village: Village, runner: FlaskCliRunner) -> None:
    village.residents(3)
    told(runner, "send", "--campaign", "Våren", "--limit", "1")
    assert told(runner, "send")["campaign"] == "Våren"
    assert [campaign.name for campaign in village.session.query(Campaign)] == ["Våren"]


def test_a_stopped_campaign_needs_a_person_until_it_is_resumed(village: Village, runner: FlaskCliRunner) -> None:
    village.residents(2)
    run(runner, "send", "--campaign", "Våren", "--limit", "1")
    run(runner, "stop", "Våren")
    done = runner.invoke(args=["offers", "send"])
    assert done.exit_code == 1
    assert "flask offers resume" in done.stderr
    run(runner, "resume", "Våren")
    assert told(runner, "send")["sent"] == 1


@pytest.mark.parametrize("command", ["stop", "resume", "list"])
def test_a_campaign_that_is_not_there_is_said_so(runner: FlaskCliRunner, command: str) -> None:
    done = runner.invoke(args=["offers", command, "none"])
    assert done.exit_code == 1
    assert "there is no campaign none" in done.stderr


def test_list_gives_each_campaign_with_its_days(village: Village, runner: FlaskCliRunner) -> None:
    village.residents(2)
    run(runner, "send", "--campaign", "Våren")
    (found,) = told(runner, "list")
    assert (found["name"], found["state"], found["sent"], found["waiting"]) == ("Våren", "finished", 2, 0)
    assert [day["sent"] for day in found["days"]] == [2]
    assert "Våren: finished" in run(runner, "list", "Våren")


def test_wrong_use_ends_with_two(runner: FlaskCliRunner) -> None:
    run(runner, "send", "--limit", "0", code=2)


def test_the_demo_has_some_to_ask_and_nothing_asks_them_by_itself(village: Village, runner: FlaskCliRunner) -> None:
    done = runner.invoke(args=["demo", "--residents", "60", "--invoices", "60", "--seed", "7"])
    assert done.exit_code == 0, done.output
    runner.invoke(args=["invoices", "run", "--no-brakes"])
    assert village.session.query(OfferMail).count() == 0
    found = told(runner, "send")
    assert 5 <= found["sent"] <= 40
    assert found["skipped"]["has_efaktura"] > 0
    assert found["skipped"]["has_avtalegiro"] > 0


def test_no_personal_word_is_printed_or_logged(
    village: Village, runner: FlaskCliRunner, capfd: pytest.CaptureFixture[str]
) -> None:
    village.resident("secret.person@example.com", name="Hemmelig Person")
    printed = run(runner, "send") + run(runner, "list")
    logged = "".join(capfd.readouterr())
    assert "secret" not in printed + logged
    assert "Hemmelig" not in printed + logged
