"""What needs a person: found by reason and age, settled one or many at a time, and harmless when pressed twice."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Attempt, Brake, BrakeKind, Delivery, State
from app.invoices.models import Closure, Invoice
from app.routing.channels import Channel, Reason
from app.staff import needs as queries
from app.staff.access import Role
from app.staff.needs import Pile
from tests.delivery.town import Town
from tests.portal.people import hidden
from tests.staff.people import OIDS
from tests.web.conftest import texts

WRONG_KID = "/ansatt/trenger-deg/holdt/wrong_kid"


@pytest.fixture
def town(session: Session, settings: Settings) -> Town:
    return Town(session, settings)


def held(town: Town, count: int = 1, reason: Reason = Reason.WRONG_KID) -> list[Invoice]:
    """Invoices held for *reason*."""
    plan = town.plan(hold=reason)
    return [town.invoice(plan) for _ in range(count)]


def press(client: FlaskClient, page: str, path: str = "", **form: object) -> tuple[int, str]:
    """Send the form of *page*; the status, and what the reader sees then."""
    token = hidden(client.get(page).text, "csrf_token")
    answer = client.post(path or page, data={"csrf_token": token, **form})
    return answer.status_code, (
        client.get(answer.headers["Location"]).text if answer.status_code == 302 else answer.text
    )


def test_piles_are_counted_by_reason_and_age(town: Town, session: Session, clock: Clock) -> None:
    first, *_rest = held(town, 3)
    held(town, 1, Reason.DECEASED)
    now = clock.now()
    session.execute(
        update(Delivery).where(Delivery.invoice_id == first.id).values(changed_at=now - dt.timedelta(days=9))
    )
    session.commit()
    found = queries.piles(session, Pile.HELD, now)
    assert [(count.key, count.count, count.old) for count in found] == [
        (Reason.WRONG_KID, 3, 1),
        (Reason.DECEASED, 1, 0),
    ]
    assert (now - found[0].oldest_at).days == 9


def test_an_invoice_whose_two_parts_are_held_counts_once(town: Town, session: Session, clock: Clock) -> None:
    invoice = town.invoice(town.plan(Channel.EMAIL, claim="02"))
    session.execute(update(Delivery).values(state=State.HELD, hold=Reason.HELD_BY_STAFF))
    session.commit()
    assert [count.count for count in queries.piles(session, Pile.HELD, clock.now())] == [1]
    (row,) = queries.listing(session, Pile.HELD, Reason.HELD_BY_STAFF, clock.now()).rows
    assert row.public_id == invoice.public_id


def test_a_long_pile_is_paged_by_key_and_every_invoice_is_on_one_page(
    town: Town, session: Session, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 3)
    numbers = [invoice.number for invoice in held(town, 8)]
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = queries.listing(session, Pile.HELD, Reason.WRONG_KID, clock.now(), after)
        seen += [row.number for row in page.rows]
        after = page.next_after
        assert len(page.rows) <= 3
    assert seen == numbers


@pytest.mark.parametrize("after", ["x", "99999999999999999999.a", "1.nobody", "-1.a", "1764000000000000"])
def test_a_page_that_is_none_begins_somewhere_and_breaks_nothing(
    town: Town, caseworker: FlaskClient, after: str
) -> None:
    held(town)
    assert caseworker.get(WRONG_KID, query_string={"etter": after}).status_code == 200


def test_what_a_provider_did_not_take_and_what_is_never_answered_have_piles(
    town: Town, session: Session, clock: Clock
) -> None:
    retried, quiet, fresh = (town.invoice() for _ in range(3))
    now = clock.now()
    session.execute(update(Delivery).where(Delivery.invoice_id == retried.id).values(tries=2))
    for invoice, days in ((quiet, 8), (fresh, 6)):
        session.execute(
            update(Delivery)
            .where(Delivery.invoice_id == invoice.id)
            .values(state=State.IN_TRANSIT, changed_at=now - dt.timedelta(days=days), channel=Channel.MAILBOX)
        )
    session.commit()
    assert [(one.key, one.count) for one in queries.piles(session, Pile.RETRIED, now)] == [(Channel.EFAKTURA, 1)]
    assert [(one.key, one.count) for one in queries.piles(session, Pile.QUIET, now)] == [(Channel.MAILBOX, 1)]


def test_chosen_invoices_are_released_with_a_reason_and_the_rest_is_left(
    town: Town, session: Session, caseworker: FlaskClient
) -> None:
    first, second = held(town, 2)
    form = {"invoice": first.public_id, "action": "release", "reason": "KID er rettet i regnskapet"}
    status, page = press(caseworker, WRONG_KID, **form)
    assert status == 302
    assert "1 faktura er sluppet løs." in page
    assert town.part(second).state is State.HELD
    assert town.part(first).state is State.WAITING
    event = session.scalars(select(AuditRecord).where(AuditRecord.event == AuditEvent.INVOICE_RELEASED)).one()
    assert (event.actor, event.reason) == (f"staff:{OIDS[Role.CASEWORKER]}", "KID er rettet i regnskapet")
    status, page = press(caseworker, WRONG_KID, **form)
    assert "Dette gjaldt ikke lenger for " + first.number in page
    events = session.scalars(select(AuditRecord).where(AuditRecord.event == AuditEvent.INVOICE_RELEASED)).all()
    assert len(events) == 1, "pressing twice is harmless"


def test_all_on_the_page_are_taken_without_a_script(town: Town, caseworker: FlaskClient) -> None:
    invoices = held(town, 3)
    shown = [invoice.public_id for invoice in invoices]
    status, page = press(caseworker, WRONG_KID, shown=shown, everything="y", action="release", reason="Alle er rettet")
    assert status == 302
    assert "3 fakturaer er sluppet løs." in page


def test_cancelling_asks_once_more_and_says_it_cannot_be_undone(
    town: Town, session: Session, caseworker: FlaskClient
) -> None:
    (invoice,) = held(town)
    form = {"invoice": invoice.public_id, "action": "cancel", "reason": "Sendt ved en feil"}
    status, page = press(caseworker, WRONG_KID, **form)
    assert status == 200
    assert "Dette kan ikke gjøres om" in page
    assert invoice.number in page
    session.rollback()
    assert session.get_one(Invoice, invoice.id, populate_existing=True).closed_at is None
    status, page = press(caseworker, WRONG_KID, confirmed="1", **form)
    assert "1 faktura er trukket tilbake." in page
    session.rollback()
    assert session.get_one(Invoice, invoice.id, populate_existing=True).closed_reason is Closure.CANCELLED


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"action": "release", "reason": "a"}, "Kryss av for minst én faktura"),
        ({"invoice": "x", "action": "release", "reason": "  "}, "Skriv en begrunnelse"),
        ({"invoice": "x", "reason": "a"}, "Velg hva som skal skje"),
        ({"invoice": "x", "action": "burn", "reason": "a"}, "Feil:"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_done(
    town: Town, caseworker: FlaskClient, form: dict[str, str], sentence: str
) -> None:
    (invoice,) = held(town)
    status, page = press(caseworker, WRONG_KID, **form)
    assert status == 422
    assert sentence in page
    assert town.part(invoice).state is State.HELD


def test_a_waiting_invoice_can_be_held(town: Town, session: Session, caseworker: FlaskClient) -> None:
    invoice = town.invoice()
    session.execute(update(Delivery).values(tries=1))
    session.commit()
    page = "/ansatt/trenger-deg/venter/efaktura"
    status, shown = press(caseworker, page, invoice=invoice.public_id, action="hold", reason="Feil beløp")
    assert status == 302
    assert "1 faktura holdes tilbake." in shown
    assert town.part(invoice).hold is Reason.HELD_BY_STAFF


def test_a_mail_sent_twice_can_be_found_to_have_arrived(town: Town, session: Session, caseworker: FlaskClient) -> None:
    (invoice,) = held(town, reason=Reason.SENT_TWICE)
    page = "/ansatt/trenger-deg/holdt/sent_twice"
    form = {"invoice": invoice.public_id, "action": "arrived", "reason": "Står i loggen til e-postserveren"}
    status, _shown = press(caseworker, page, **form)
    assert status == 302
    assert town.part(invoice).state is State.DELIVERED


@pytest.mark.parametrize("path", ["holdt/nonsense", "venter/nonsense", "stille/wrong_kid", "annet/paper"])
def test_a_pile_that_is_none_is_not_found(caseworker: FlaskClient, path: str) -> None:
    assert caseworker.get(f"/ansatt/trenger-deg/{path}").status_code == 404


def pull(session: Session, kind: BrakeKind = BrakeKind.PAPER) -> Brake:
    brake = Brake(kind=kind, channel=Channel.PAPER, pulled_at=dt.datetime.now(dt.UTC), share=0.62, usual_share=0.31)
    session.add(brake)
    session.commit()
    return brake


def test_the_paper_brake_is_released_by_an_operator_who_sees_the_figures(
    town: Town, session: Session, operator: FlaskClient
) -> None:
    town.invoice(town.plan(Channel.PAPER))
    brake = pull(session)
    page = operator.get("/ansatt/trenger-deg").text.replace("\u00a0", " ")
    assert "62 % går som brev. Det vanlige er 31 %." in page
    assert "1 faktura venter bak bremsen." in page
    later = pull(session, BrakeKind.REFUSAL)
    form = {"brake": brake.id, "reason": "Ny faktura til alle hytteeiere"}
    status, shown = press(operator, "/ansatt/trenger-deg", "/ansatt/trenger-deg/bremser", **form)
    assert status == 302
    assert "Bremsen er sluppet." in shown
    session.expire_all()
    assert (brake.released_by, brake.release_reason) == (f"staff:{OIDS[Role.OPERATOR]}", form["reason"])
    assert later.released_at is None, "what was pulled after the page was shown is not released unseen"
    _status, shown = press(operator, "/ansatt/trenger-deg", "/ansatt/trenger-deg/bremser", **form)
    assert "Bremsen var alt sluppet." in shown


def test_a_brake_is_not_released_without_a_reason(session: Session, operator: FlaskClient) -> None:
    brake = pull(session)
    status, page = press(operator, "/ansatt/trenger-deg", "/ansatt/trenger-deg/bremser", brake=brake.id)
    assert status == 422
    assert "Skriv en begrunnelse" in page
    session.expire_all()
    assert brake.released_at is None


def test_a_caseworker_sees_the_brake_and_not_the_button(session: Session, caseworker: FlaskClient) -> None:
    pull(session)
    page = caseworker.get("/ansatt/trenger-deg").text
    assert "En driftsansvarlig kan slippe bremsen." in page
    assert "Slipp bremsen" not in page


def test_attempts_that_nobody_knows_the_end_of_are_shown_by_channel_and_code(
    town: Town, session: Session, caseworker: FlaskClient, clock: Clock
) -> None:
    part = town.part(town.invoice())
    for number, (outcome, detail) in enumerate(
        [(None, None), (Outcome.UNCERTAIN, "timeout"), (Outcome.UNAVAILABLE, "401"), (Outcome.ACCEPTED, None)]
    ):
        session.add(
            Attempt(delivery_id=part.id, channel=Channel.VIPPS, key=str(number), number=number, is_notice=False,
                    opened_at=clock.now(), outcome=outcome, detail=detail)
        )  # fmt: skip
    session.commit()
    rows = texts(caseworker.get("/ansatt/trenger-deg").text, "//table[caption='Forsøk som ikke er avgjort']//tbody/tr")
    assert len(rows) == 3
    assert any("401" in row for row in rows)


def test_unpaid_claims_are_listed_and_looking_is_on_record(
    town: Town, session: Session, caseworker: FlaskClient, app: Flask
) -> None:
    invoice = town.invoice(town.plan(claim="02"), due_on=dt.date(2026, 11, 1))
    part = session.scalars(select(Delivery).where(Delivery.invoice_id == invoice.id)).one()
    part.state = State.DELIVERED
    session.add(
        Attempt(delivery_id=part.id, channel=Channel.AVTALEGIRO, key="c", number=1, is_notice=False,
                opened_at=part.changed_at, outcome=Outcome.ACCEPTED)
    )  # fmt: skip
    session.commit()
    assert "1 trekk er ikke betalt" in caseworker.get("/ansatt/trenger-deg").text
    page = caseworker.get("/ansatt/trenger-deg/avtalegiro").text
    assert invoice.number in page
    events = session.scalars(select(AuditRecord.event)).all()
    assert events.count(AuditEvent.FOLLOW_UP_VIEWED) == 1


def test_every_pile_is_read_by_its_own_index(town: Town, session: Session, settings: Settings, clock: Clock) -> None:
    """What waits for a person is few rows among very many: a statement that reads them all would not do."""
    held(town)
    asked: list[tuple[str, Any]] = []

    def see(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", see)
    now = clock.now()
    for pile, key in ((Pile.HELD, Reason.WRONG_KID), (Pile.RETRIED, Channel.EMAIL), (Pile.QUIET, Channel.EMAIL)):
        queries.piles(session, pile, now)
        queries.listing(session, pile, key, now)
    queries.open_attempts(session)
    queries.follow_up(session, settings, clock.today())
    event.remove(session.get_bind(), "before_cursor_execute", see)
    indexes = ["held", "held", "retried", "retried", "in_transit", "in_transit", "unsettled", "open_due"]
    assert len(asked) == len(indexes)
    for (statement, parameters), index in zip(asked, indexes, strict=True):
        plan = plan_of(session, statement, parameters)
        if session.get_bind().dialect.name == "postgresql":
            assert f"_{index}" in plan, statement
        # SQLite may take the index on the state instead, but reads no table from end to end.
        assert not re.search(r"SCAN (delivery|attempt|invoice)(?! USING)", plan), plan


def plan_of(session: Session, statement: str, parameters: Any) -> str:
    """How the database means to read; PostgreSQL is kept from reading a small table whole."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    else:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
    return "\n".join(str(row) for row in rows)
