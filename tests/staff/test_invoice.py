"""One invoice's page tells its whole way in words, and lets people do what is possible and nothing else."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery, Part, PlanRow, Receipt, State
from app.invoices.models import Closure, Invoice
from app.residents.models import Resident
from app.routing.channels import Channel, Kind, Reason
from app.routing.facts import InvoiceFacts, ResidentFacts
from tests.browser.town import PDF
from tests.portal.invoices import add_invoice, add_pdf, send
from tests.portal.people import add_resident, post

ROUTE = (Channel.MAILBOX, Channel.EMAIL, Channel.PAPER)


@pytest.fixture
def kari(session: Session, settings: Settings, clock: Clock) -> Resident:
    return add_resident(session, settings, clock, 1)


@pytest.fixture
def invoice(session: Session, clock: Clock, kari: Resident) -> Invoice:
    """One that waits to be sent to the digital mailbox, and has passed others over."""
    found = add_invoice(session, kari, clock, 1)
    plan = PlanRow(
        policy="test", resident_facts=ResidentFacts(has_email=True).as_bits(), invoice_facts=InvoiceFacts().as_bits(),
        day_facts=0, claim=None, route=[way.value for way in ROUTE],
        passed_over={"efaktura": Reason.NO_EFAKTURA.value, "vipps": Reason.NO_VIPPS.value}, hold=None,
        is_notice=False, is_waiting=False, is_open_ended=False,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    session.add(
        Delivery(invoice_id=found.id, part=Part.DOCUMENT, plan_id=plan.id, channel=Channel.MAILBOX,
                 state=State.WAITING, next_try_at=clock.now(), changed_at=clock.now())
    )  # fmt: skip
    session.commit()
    return found


def path(invoice: Invoice) -> str:
    return f"/ansatt/faktura/{invoice.public_id}"


def part(session: Session, invoice: Invoice) -> Delivery:
    session.rollback()
    query = select(Delivery).where(Delivery.invoice_id == invoice.id)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def actions(page: str) -> set[str]:
    """What the page lets people choose."""
    return set(re.findall(r'name="action"[^>]*value="([^"]*)"', page)) | set(
        re.findall(r'value="([^"]*)"[^>]*name="action"', page)
    )


def records(session: Session, event: AuditEvent) -> list[AuditRecord]:
    session.rollback()
    return list(session.scalars(select(AuditRecord).where(AuditRecord.event == event).order_by(AuditRecord.id)))


def test_the_plan_and_its_reasons_are_told_in_words(caseworker: FlaskClient, invoice: Invoice) -> None:
    page = caseworker.get(path(invoice)).text
    for words in ("kr 1 234,50".replace(" ", "\u00a0"), "Kari Nordmann 1", "Skal sendes", "Digital postkasse"):
        assert words in page.replace("&#160;", "\u00a0")
    assert "eFaktura" in page
    assert Reason.NO_VIPPS.value not in page
    assert "Har e-postadresse" in page


def test_attempts_receipts_and_people_are_in_the_timeline_in_order(
    caseworker: FlaskClient, session: Session, clock: Clock, invoice: Invoice
) -> None:
    now, document = clock.now(), part(session, invoice)
    session.add(
        Attempt(delivery_id=document.id, channel=Channel.MAILBOX, key="k1", number=1, is_notice=False, opened_at=now,
                closed_at=now, outcome=Outcome.ACCEPTED, provider_reference="r1", taken_back_at=now)
    )  # fmt: skip
    session.add(Receipt(channel=Channel.MAILBOX, provider_reference="r1", status="failed", received_at=now))
    session.commit()
    post(caseworker, path(invoice), action="hold", reason="Kunden har klaget")
    page = caseworker.get(path(invoice)).text
    table = page[page.index("Det som har hendt") :]
    places = [
        table.index(words)
        for words in ("Kom fra økonomisystemet", "Sendt", "Leverandøren melder: kom ikke fram", "Kunden har klaget")
    ]
    assert places == sorted(places)
    assert "Kom ikke fram likevel" in table


def test_opening_it_is_written_down_and_shown(caseworker: FlaskClient, session: Session, invoice: Invoice) -> None:
    caseworker.get(path(invoice))
    (row,) = records(session, AuditEvent.INVOICE_VIEWED)
    assert row.subject == f"invoice:{invoice.public_id}"
    assert row.actor.startswith("staff:")


def test_the_document_is_shown_and_opening_it_written_down(
    caseworker: FlaskClient, session: Session, settings: Settings, clock: Clock, kari: Resident
) -> None:
    pdf = add_pdf(session, settings, clock, PDF)
    found = add_invoice(session, kari, clock, 1, pdf=pdf)
    send(session, found, clock, Channel.EMAIL, pdf)
    answer = caseworker.get(f"{path(found)}/pdf")
    assert (answer.mimetype, answer.data) == ("application/pdf", PDF)
    assert len(records(session, AuditEvent.DOCUMENT_VIEWED)) == 1
    assert "Åpnet dokumentet" in caseworker.get(path(found)).text


def test_what_waits_can_be_held_sent_otherwise_or_cancelled(caseworker: FlaskClient, invoice: Invoice) -> None:
    assert actions(caseworker.get(path(invoice)).text) == {"hold", "email", "paper", "cancel"}


def test_what_is_held_can_be_released(caseworker: FlaskClient, session: Session, invoice: Invoice) -> None:
    post(caseworker, path(invoice), action="hold", reason="vent")
    assert part(session, invoice).state is State.HELD
    page = caseworker.get(path(invoice)).text
    assert {"release", "cancel"} <= actions(page)
    assert "hold" not in actions(page)
    answer = post(caseworker, path(invoice), action="release", reason="greit")
    assert answer.status_code == 302
    assert part(session, invoice).state is State.WAITING
    (row,) = records(session, AuditEvent.INVOICE_RELEASED)
    assert row.reason == "greit"


def test_another_channel_is_chosen_with_a_reason(caseworker: FlaskClient, session: Session, invoice: Invoice) -> None:
    assert post(caseworker, path(invoice), action="paper", reason="bad om brev").status_code == 302
    found = part(session, invoice)
    assert (found.channel, found.position, found.state) == (Channel.PAPER, 2, State.WAITING)
    (row,) = records(session, AuditEvent.INVOICE_SENT_AGAIN)
    assert row.reason == "bad om brev"


def test_without_a_reason_nothing_is_done(caseworker: FlaskClient, session: Session, invoice: Invoice) -> None:
    answer = post(caseworker, path(invoice), action="hold", reason="  ")
    assert answer.status_code == 422
    assert "Skriv en begrunnelse" in answer.text
    assert part(session, invoice).state is State.WAITING


@pytest.mark.parametrize("action", ["release", "vipps", "avtalegiro", "came_back", "arrived", "nonsense", ""])
def test_what_is_not_offered_cannot_be_sent(
    caseworker: FlaskClient, session: Session, invoice: Invoice, action: str
) -> None:
    assert post(caseworker, path(invoice), action=action, reason="x").status_code == 422
    assert part(session, invoice).channel is Channel.MAILBOX


def test_an_invoice_that_moved_on_meanwhile_is_left_alone_and_that_is_said(
    caseworker: FlaskClient, session: Session, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.staff.invoice_views.possible", lambda *_: [Channel.VIPPS])
    answer = post(caseworker, path(invoice), action="vipps", reason="x")
    assert "kan" in caseworker.get(answer.headers["Location"]).text
    assert part(session, invoice).channel is Channel.MAILBOX
    assert records(session, AuditEvent.INVOICE_SENT_AGAIN) == []


@pytest.mark.parametrize("channel", [Channel.EFAKTURA, Channel.VIPPS, Channel.MAILBOX])
def test_what_has_left_can_neither_be_sent_again_nor_cancelled(
    caseworker: FlaskClient, session: Session, clock: Clock, kari: Resident, channel: Channel
) -> None:
    found = add_invoice(session, kari, clock, 1)
    send(session, found, clock, channel)
    page = caseworker.get(path(found)).text
    assert actions(page) == set()
    assert "to krav" in page


def test_a_letter_that_left_can_be_reported_as_come_back(
    caseworker: FlaskClient, session: Session, clock: Clock, invoice: Invoice
) -> None:
    document = part(session, invoice)
    document.state, document.channel, document.position = State.DELIVERED, Channel.PAPER, 2
    now = clock.now()
    session.add(
        Attempt(delivery_id=document.id, channel=Channel.PAPER, key="k1", number=1, is_notice=False, opened_at=now,
                closed_at=now, outcome=Outcome.ACCEPTED)
    )  # fmt: skip
    session.commit()
    assert actions(caseworker.get(path(invoice)).text) == {"came_back"}
    post(caseworker, path(invoice), action="came_back", reason="konvolutten ligger her")
    assert (part(session, invoice).state, part(session, invoice).hold) == (State.HELD, Reason.NOTHING_LEFT)


def test_nothing_can_be_done_while_it_is_being_sent(
    caseworker: FlaskClient, session: Session, clock: Clock, invoice: Invoice
) -> None:
    document = part(session, invoice)
    document.state, document.worker, document.claimed_at = State.SENDING, "w", clock.now()
    session.commit()
    page = caseworker.get(path(invoice)).text
    assert actions(page) == set()
    assert "Den sendes akkurat nå" in page


@pytest.mark.parametrize("closure", list(Closure))
def test_what_is_owed_no_more_says_so(
    caseworker: FlaskClient, session: Session, clock: Clock, invoice: Invoice, closure: Closure
) -> None:
    invoice.closed_at, invoice.closed_reason = clock.now(), closure
    session.commit()
    page = caseworker.get(path(invoice)).text
    assert actions(page) == set()
    assert "ingenting skal betales" in page


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", list(Kind))
def test_every_state_and_kind_has_a_page(
    caseworker: FlaskClient, session: Session, invoice: Invoice, state: State, kind: Kind
) -> None:
    document = part(session, invoice)
    document.state, invoice.kind = state, kind
    document.worker = "w" if state is State.SENDING else None
    session.commit()
    assert caseworker.get(path(invoice)).status_code == 200


def test_an_invoice_of_nobody_known_has_a_page(caseworker: FlaskClient, session: Session, invoice: Invoice) -> None:
    invoice.resident_id, invoice.buyer_reference = None, "K-999"
    session.commit()
    page = caseworker.get(path(invoice)).text
    assert "Ukjent kunde" in page
    assert "K-999" in page


def test_an_invoice_that_is_not_there_is_not_found(caseworker: FlaskClient) -> None:
    assert caseworker.get("/ansatt/faktura/00000000-0000-4000-8000-00000000ffff").status_code == 404


def test_the_statistics_role_opens_no_invoice(statistician: FlaskClient, session: Session, invoice: Invoice) -> None:
    for address in (path(invoice), f"{path(invoice)}/pdf"):
        assert statistician.get(address).status_code == 403
    assert records(session, AuditEvent.INVOICE_VIEWED) == []
