"""The runs of the job: what each did, how far one under way is, and what the next would do and cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery, PlanRow, RunRow
from app.delivery.run import Job
from app.delivery.workers import working
from app.invoices.models import Pending
from app.routing.channels import Channel
from app.staff import runs
from tests.delivery.town import Town
from tests.staff.test_needs import press
from tests.web.conftest import texts

PAGE = "/ansatt/kjoringer"
ROWS = "//table[caption='Kjøringene, den nyeste først']//tbody/tr"


@pytest.fixture
def town(session: Session, settings: Settings) -> Town:
    return Town(session, settings)


def add_run(session: Session, clock: Clock, worker: str = "elsewhere:1:1.0:1", **values: object) -> RunRow:
    row = RunRow(**{"worker": worker, "started_at": clock.now(), "counts": {}, **values})
    session.add(row)
    session.commit()
    return row


def test_each_run_says_what_it_did(session: Session, clock: Clock, caseworker: FlaskClient) -> None:
    add_run(session, clock, finished_at=clock.now() + dt.timedelta(minutes=3, seconds=30),
            counts={"planned": 12, "accepted": 11, "refused": 0, "held": 1, "stopped": False})  # fmt: skip
    (row,) = texts(caseworker.get(PAGE).text, ROWS)
    for words in ("Ferdig", "3 minutter", "12 fikk plan", "11 tatt imot", "1 holdes tilbake"):
        assert words in row.replace("\u00a0", " ")
    assert "neste måte" not in row, "what is nought is not told"


def test_a_run_is_going_stopped_or_broken_off(session: Session, clock: Clock) -> None:
    with working() as worker:
        add_run(session, clock, worker.name)
        assert runs.runs(session, clock.now(), 1)[0][0].state == "going"
    assert runs.runs(session, clock.now(), 1)[0][0].state == "broken", "its process works at it no more"
    row = add_run(session, clock)
    assert runs.runs(session, clock.now(), 1)[0][0].state == "going", "another machine's cannot be looked up"
    assert runs.runs(session, clock.now() + dt.timedelta(days=2), 1)[0][0].state == "broken"
    row.finished_at, row.counts = clock.now(), {"stopped": True}
    session.commit()
    assert runs.runs(session, clock.now(), 1)[0][0].state == "stopped"


def test_the_page_asks_anew_while_a_run_goes_on_and_can_be_told_not_to(
    session: Session, clock: Clock, caseworker: FlaskClient
) -> None:
    assert "Refresh" not in caseworker.get(PAGE).headers
    row = add_run(session, clock)
    answer = caseworker.get(PAGE)
    assert answer.headers["Refresh"] == "10; url=/ansatt/kjoringer?gang=1"
    assert "Stans oppdateringen" in answer.text
    stopped = caseworker.get(PAGE, query_string={"gang": 60})
    assert "Refresh" not in stopped.headers
    assert "Følg med på kjøringen" in stopped.text
    row.finished_at = clock.now()
    session.commit()
    assert "Refresh" not in caseworker.get(PAGE).headers


def test_a_run_under_way_says_how_far_it_is(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.delivery.run.TOLD_EVERY", 0.0)
    seen: list[dict[str, object]] = []
    for channel in (Channel.EFAKTURA, Channel.EMAIL):
        town.invoice(town.plan(channel))
    with town.desk() as desk:
        job = Job(desk, has_brakes=False)
        hear = job.desk.progress

        def look(done: int) -> None:
            hear(done)
            with Session(town.session.get_bind()) as other:
                seen.append(other.scalars(select(RunRow.counts)).one())

        job.desk = replace(job.desk, progress=look)
        job.run()
    assert [counts.get("done") for counts in seen] == [None, 1], "told with the commit that follows"
    row = town.session.scalars(select(RunRow)).one()
    assert row.finished_at is not None
    assert row.counts["accepted"] == 2


def test_what_is_ready_to_leave_is_counted_and_priced(
    town: Town, session: Session, settings: Settings, caseworker: FlaskClient
) -> None:
    for _number in range(2):
        town.invoice(town.plan(Channel.PAPER))
    town.invoice(town.plan(Channel.EMAIL))
    found = {one.channel: (one.count, one.cost_ore) for one in runs.due(session, settings)}
    assert found == {Channel.EMAIL: (1, 5), Channel.PAPER: (2, 4400)}
    assert "kr 44,05" in caseworker.get(PAGE).text.replace("\u00a0", " ")


def unplan(session: Session, town: Town, count: int) -> None:
    """Invoices that came in and have no plan yet."""
    for _number in range(count):
        invoice = town.invoice(town.plan(Channel.PAPER))
        session.add(
            Pending(invoice_id=invoice.id, resident_id=invoice.resident_id or 0, facts=1, due_on=invoice.due_on)
        )
    session.flush()
    session.query(Delivery).delete()
    session.query(PlanRow).delete()
    session.commit()


def test_a_trial_says_how_many_go_each_way_at_what_price_and_keeps_nothing(
    town: Town, session: Session, operator: FlaskClient
) -> None:
    unplan(session, town, 3)
    assert "3 fakturaer er uten plan." in operator.get(PAGE).text
    status, page = press(operator, PAGE, f"{PAGE}/prov")
    assert status == 200
    assert "Slik ville det gått nå" in page
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Pending)) == 3
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    assert session.scalar(select(func.count()).select_from(Attempt)) == 0


def test_too_many_are_a_job_for_the_command(
    town: Town, session: Session, operator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    unplan(session, town, 3)
    monkeypatch.setattr(runs, "MOST_TRIED", 2)
    assert "flask invoices route --dry-run" in operator.get(PAGE).text
    assert press(operator, PAGE, f"{PAGE}/prov")[0] == 302


def test_a_caseworker_sees_no_button_to_try(town: Town, session: Session, caseworker: FlaskClient) -> None:
    unplan(session, town, 1)
    assert "Vis hvordan" not in caseworker.get(PAGE).text


def test_a_long_history_is_paged(session: Session, clock: Clock, caseworker: FlaskClient) -> None:
    for _number in range(runs.PAGE + 1):
        add_run(session, clock, finished_at=clock.now())
    assert len(texts(caseworker.get(PAGE).text, ROWS)) == runs.PAGE
    assert len(texts(caseworker.get(PAGE, query_string={"side": 2}).text, ROWS)) == 1
    assert caseworker.get(PAGE, query_string={"side": 99}).status_code == 200
