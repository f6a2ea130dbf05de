"""From a yes to the next invoice as eFaktura, through the commands and the stand-ins; and what the hook costs a run."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.answers import answer, read_link
from app.campaigns.desk import Desk, Outfit
from app.campaigns.models import AgreementState, OfferAnswer
from app.campaigns.states import LinkState, agreement_of
from app.core.clock import Clock
from app.core.crypto import vault
from app.core.settings import Settings
from app.invoices.models import Invoice
from app.residents.models import ContactKind, Resident
from app.residents.queries import open_contact_points
from app.routing.channels import Kind
from app.sandbox.received import read_log
from app.sandbox.witness import count_instance
from app.sandbox.world import WORLD_FILE
from tests.campaigns.office import Office


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing waits."""
    return settings.model_copy(update={"retry_waits": (), "email_settle_days": 0})


def run(runner: FlaskCliRunner, *arguments: str) -> Any:
    """One command with ``--format json``; gives what it told."""
    done = runner.invoke(args=[*arguments, "--format", "json"])
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)


@dataclass
class Town:
    """The made-up municipality, read in, with a resident who could have eFaktura and has not."""

    desk: Desk
    resident: Resident
    token: str
    invoices: list[str]
    national_id: str


@pytest.fixture
def town(app: Flask, runner: FlaskCliRunner, session: Session, settings: Settings, clock: Clock) -> Callable[..., Town]:
    def make(activation: str) -> Town:
        chosen = settings.model_copy(update={"efaktura_activation": activation})
        app.config["SETTINGS"] = chosen
        assert runner.invoke(args=["demo", "--residents", "60", "--invoices", "60", "--seed", "7"]).exit_code == 0
        for kind in ("residents", "mandates", "invoices"):
            run(runner, kind, "import")
        office = Office(session, chosen, clock)
        resident, number = candidate(session, chosen)
        desk = Desk(session, chosen, clock, Outfit.by(chosen, clock, app.config["TRANSPORT"]))
        return Town(desk, resident, office.offer(resident), invoices_of(session, resident), number)

    return make


def candidate(session: Session, settings: Settings) -> tuple[Resident, str]:
    """Somebody with an e-mail address and a demand that is due late, whom the register knows and who said no to it."""
    people = json.loads((settings.sandbox_dir / WORLD_FILE).read_text(encoding="utf-8"))["people"]
    could = {
        one["national_id"]
        for one in people
        if one["efaktura"]["identifier"] and not one["efaktura"]["accepts"] and not one["efaktura"]["blocked_issuers"]
    }
    keys = vault(settings)
    for resident in session.scalars(select(Resident).order_by(Resident.id)):
        if resident.national_id_encrypted is None or not invoices_of(session, resident):
            continue
        number = keys.decrypt(resident.national_id_encrypted, row=resident.public_id)
        points = open_contact_points(session, [resident.id]).get(resident.id, {})
        if number in could and ContactKind.EMAIL in points:
            return resident, number
    raise AssertionError("the demo has nobody to ask")


def invoices_of(session: Session, resident: Resident) -> list[str]:
    late = dt.date(2026, 11, 24) + dt.timedelta(days=12)
    rows = select(Invoice.number).where(
        Invoice.resident_id == resident.id, Invoice.kind == Kind.DEMAND, Invoice.due_on >= late,
        Invoice.closed_at.is_(None),
    )  # fmt: skip
    return list(session.scalars(rows.order_by(Invoice.id)))


def went_as_efaktura(settings: Settings, invoice: str) -> bool:
    ways = {taking.way for taking in count_instance(settings.instance_dir).of(invoice, "demand")}
    return ways == {"efaktura"}


def test_a_yes_is_confirmed_and_the_next_run_sends_efaktura(
    town: Callable[..., Town], runner: FlaskCliRunner, settings: Settings
) -> None:
    place = town("agreement")
    assert answer(place.desk, place.token, OfferAnswer.YES).view.state is LinkState.PENDING
    told = run(runner, "invoices", "run", "--no-brakes")
    assert told["steps"]["agreements"] == {
        "asked": 1, "looked_up": 0, "active": 1, "declined": 0, "ended": 0, "told": 1, "overdue": 0,
    }  # fmt: skip
    assert read_link(place.desk, place.token).state is LinkState.ACTIVE
    assert [went_as_efaktura(settings, invoice) for invoice in place.invoices] == [True] * len(place.invoices)
    requests = [
        one for one in read_log(settings.sandbox_dir) if one["kind"] == "offer" and one["outcome"] == "accepted"
    ]
    assert len(requests) == 1
    assert "Kvittering: eFaktura" in "".join(subjects(settings))


def test_a_wish_that_came_true_in_the_bank_is_seen_by_the_next_run(
    town: Callable[..., Town], runner: FlaskCliRunner, settings: Settings
) -> None:
    place = town("guide")
    assert answer(place.desk, place.token, OfferAnswer.YES).view.state is LinkState.WISHED
    switch_on(settings, place.national_id)
    told = run(runner, "invoices", "run", "--no-brakes")
    assert told["steps"]["agreements"]["active"] == 1
    assert told["steps"]["agreements"]["looked_up"] == 0, "the run had just asked"
    found = agreement_of(place.desk.session, place.resident.id)
    assert found is not None
    assert found.state is AgreementState.ACTIVE
    assert [went_as_efaktura(settings, invoice) for invoice in place.invoices] == [True] * len(place.invoices)
    assert not [one for one in read_log(settings.sandbox_dir) if one["kind"] == "offer"]


def test_a_wish_without_a_waiting_invoice_is_looked_up_too(
    town: Callable[..., Town], runner: FlaskCliRunner, settings: Settings
) -> None:
    place = town("guide")
    run(runner, "invoices", "run", "--no-brakes")
    answer(place.desk, place.token, OfferAnswer.YES)
    told = run(runner, "invoices", "run", "--no-brakes")
    assert (told["steps"]["agreements"]["looked_up"], told["steps"]["agreements"]["active"]) == (1, 0)
    switch_on(settings, place.national_id)
    assert run(runner, "invoices", "run", "--no-brakes")["steps"]["agreements"]["active"] == 1


def test_a_step_that_fails_is_told_and_the_invoices_go_out(app: Flask, runner: FlaskCliRunner) -> None:
    def fail(*_arguments: object) -> NoReturn:
        raise RuntimeError("broken")

    app.config["BEFORE_ROUTING"] = {"agreements": fail}
    runner.invoke(args=["demo", "--residents", "10", "--invoices", "5", "--seed", "7"])
    done = runner.invoke(args=["invoices", "run", "--no-brakes", "--format", "json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["steps"] == {"agreements": {"failed": 1}}
    assert told["planned"] > 0


def test_a_run_without_agreements_asks_nobody_anything(runner: FlaskCliRunner) -> None:
    told = run(runner, "invoices", "run")
    assert set(told["steps"]["agreements"].values()) == {0}


def switch_on(settings: Settings, national_id: str) -> None:
    """The resident says yes to all in the bank."""
    path = settings.sandbox_dir / WORLD_FILE
    world = json.loads(path.read_text(encoding="utf-8"))
    for one in world["people"]:
        if one["national_id"] == national_id:
            one["efaktura"]["accepts"] = True
    path.write_text(json.dumps(world), encoding="utf-8")


def subjects(settings: Settings) -> list[str]:
    """The subjects in the outbox's Maildir."""
    folder = settings.outbox_dir / "email"
    return [
        line
        for path in folder.glob("new/*")
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.startswith("Subject:")
    ]
