"""A register that is away for a day makes no letter that would not have been, and what waited for it goes its way."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from flask import Flask
from sqlalchemy import select

from app import create_app
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings
from app.delivery.models import Delivery
from app.invoices.models import Invoice
from app.routing.channels import Reason
from app.sandbox.witness import count_instance
from tests.conftest import TODAY, make_settings

# One night's run, and those after it; from the last on the register answers again.
HOURS = (0, 6, 12, 18, 24)
HOSTS = {
    "krr": ("kontaktregisteret.no",),
    "efaktura": ("efaktura-gateway.sandbox",),
    "vipps": ("invoice-api.vipps.no",),
}
CHOSEN: Mapping[str, Any] = {"email_settle_days": 0}

Ways = Mapping[str, list[tuple[str, str]]]


class Dark(httpx.BaseTransport):
    """Lets nobody through to *hosts* while ``is_dark``."""

    def __init__(self, inner: httpx.BaseTransport, hosts: tuple[str, ...]) -> None:
        self._inner, self._hosts = inner, hosts
        self.is_dark = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass on, or find nobody there."""
        if self.is_dark and request.url.host in self._hosts:
            raise httpx.ConnectTimeout("away", request=request)
        return self._inner.handle_request(request)


@dataclass(frozen=True)
class Day:
    """What stood outside after each run, by invoice, and what the program itself says at the end."""

    after: list[Ways]
    report: dict[str, Any]
    silenced: set[str]

    def letters(self, run: int) -> set[str]:
        """The invoices that lay in a print batch after one of the runs."""
        return {number for number, ways in self.after[run].items() if any(way == "print" for way, _ in ways)}


def a_day(app: Flask, settings: Settings, dark: tuple[str, ...] = ()) -> Day:
    """A municipality's runs over a day, with *dark* away until the last."""
    runner = app.test_cli_runner()
    gate = Dark(app.config["TRANSPORT"], dark)
    app.config["TRANSPORT"] = gate
    begun = Clock.for_day(TODAY).shift
    made = runner.invoke(args=["demo", "--residents", "70", "--invoices", "100", "--seed", "11"])
    assert made.exit_code == 0, made.output
    after: list[Ways] = []
    for hours in HOURS:
        gate.is_dark = hours < HOURS[-1]
        app.config["CLOCK"] = Clock(begun + dt.timedelta(hours=hours))
        done = runner.invoke(args=["invoices", "run", "--format", "json"])
        assert done.exit_code in (0, 1), done.output
        after.append(ways(settings))
    report: dict[str, Any] = json.loads(done.stdout)["report"]
    held = select(Invoice.number).join(Delivery, Delivery.invoice_id == Invoice.id)
    silenced = set(db.session.scalars(held.where(Delivery.hold == Reason.REGISTER_SILENT)))
    return Day(after, report, silenced)


def ways(settings: Settings) -> Ways:
    """How each invoice left: by which way and as what."""
    standing = count_instance(settings.instance_dir).standing
    return {number: sorted((one.way, one.kind) for one in takings) for number, takings in standing.items()}


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture(scope="module")
def calm(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The same day with every register there."""
    folder = tmp_path_factory.mktemp("calm")
    shutil.copy(sqlite_template, folder / "fakturaportalen.db")
    settings = make_settings(folder, **CHOSEN)
    with stamina.set_testing(True, attempts=2, cap=True):
        app = create_app(settings)
        with app.app_context():
            day = a_day(app, settings)
            db.session.remove()
            db.engine.dispose()
    return day


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update=dict(CHOSEN))


@pytest.mark.parametrize("register", HOSTS)
def test_a_day_without_a_register_makes_no_letter_more_and_all_goes_on_by_itself(
    register: str, app: Flask, settings: Settings, calm: Day
) -> None:
    day = a_day(app, settings, HOSTS[register])
    for run in range(len(HOURS)):
        assert day.letters(run) <= calm.letters(run)
    for run in range(len(HOURS) - 1):
        assert day.after[run].keys() < calm.after[run].keys(), "some wait for the register"
    # Whatever could not wait a day is left to a person by the brake, and nothing else is.
    assert day.after[-1] == {number: way for number, way in calm.after[-1].items() if number not in day.silenced}
    assert day.report["balanced"]
    assert (day.report["unplanned"], day.report["waiting"]) == (0, 0)
    assert len(day.silenced) < len(calm.after[0].keys() - day.after[0].keys())
    if not day.silenced:
        assert day.report["by_channel"] == calm.report["by_channel"]


def test_what_could_not_wait_goes_its_way_when_a_person_lets_it(app: Flask, settings: Settings, calm: Day) -> None:
    day = a_day(app, settings, HOSTS["krr"])
    assert day.silenced
    runner = app.test_cli_runner()
    released = runner.invoke(args=["invoices", "release", "--brake", "--reason", "KRR svarer igjen"])
    assert released.exit_code == 0, released.output
    runner.invoke(args=["invoices", "run"])
    assert ways(settings) == calm.after[-1]
    report = json.loads(runner.invoke(args=["invoices", "report", "--format", "json"]).stdout)
    assert report["by_channel"] == calm.report["by_channel"]
