"""A bank's address for an invoice: signed, for 16 months, always the same PDF, and nobody's name in it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.clock import Clock
from app.core.links import presentation_links, presentation_signer
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery, Part, PlanRow, State
from app.invoices.intake import import_invoices
from app.invoices.models import Invoice
from app.residents.models import Resident
from app.routing.channels import Channel
from tests.invoices.builders import attachment, ehf, pdf

Sent = Callable[..., Invoice]


@pytest.fixture
def sent(session: Session, settings: Settings, clock: Clock, tmp_path: Path) -> Sent:
    """Imports an invoice and writes down that a bank was handed it."""

    def make(
        channel: Channel = Channel.EFAKTURA,
        outcome: Outcome | None = Outcome.ACCEPTED,
        is_notice: bool = False,
        own_pdf: bool = False,
    ) -> Invoice:
        now = clock.now()
        session.add(Resident(customer_number="100001", name="Kari Nordmann", created_at=now, updated_at=now))
        session.commit()
        path = tmp_path / "F-1.xml"
        path.write_bytes(ehf(attachments=attachment(pdf(3)) if own_pdf else ""))
        import_invoices(session, [path], settings, clock)
        invoice = session.scalars(select(Invoice)).one()
        plan = PlanRow(
            policy="test", resident_facts=1, invoice_facts=0, day_facts=0, claim=None, route=[channel.value],
            passed_over={}, hold=None, is_notice=is_notice, is_waiting=False, is_open_ended=False,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        delivery = Delivery(
            invoice_id=invoice.id, part=Part.DOCUMENT, plan_id=plan.id, channel=channel, next_try_at=now,
            state=State.IN_TRANSIT, is_notice=is_notice, changed_at=now,
        )  # fmt: skip
        session.add(delivery)
        session.flush()
        session.add(
            Attempt(delivery_id=delivery.id, channel=channel, key="k", number=1, is_notice=is_notice,
                    opened_at=now, outcome=outcome)
        )  # fmt: skip
        session.commit()
        return invoice

    return make


def address(settings: Settings, invoice: Invoice) -> str:
    return presentation_links(settings)(invoice.public_id).removeprefix(settings.base_url)


def words(content: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.UNCERTAIN, None])
def test_the_bank_gets_the_invoice_without_a_cookie_even_while_it_is_handed_over(
    client: FlaskClient, settings: Settings, sent: Sent, outcome: Outcome | None
) -> None:
    answer = client.get(address(settings, sent(outcome=outcome)))
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert "F-1" in words(answer.data)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'inline; filename="faktura.pdf"'


def test_it_is_the_same_document_however_often_and_whatever_changes(
    client: FlaskClient, session: Session, settings: Settings, sent: Sent
) -> None:
    invoice = sent()
    first = client.get(address(settings, invoice)).data
    session.scalars(select(Resident)).one().name = "Kari Hansen"
    session.commit()
    assert client.get(address(settings, invoice)).data == first
    assert session.scalars(select(Attempt).execution_options(populate_existing=True)).one().document_id is not None


def test_the_accounting_system_s_own_pdf_is_shown_as_it_is(client: FlaskClient, settings: Settings, sent: Sent) -> None:
    assert len(PdfReader(io.BytesIO(client.get(address(settings, sent(own_pdf=True))).data)).pages) == 3


def test_a_notice_never_shows_the_slip_of_the_accounting_system(
    client: FlaskClient, settings: Settings, sent: Sent
) -> None:
    content = client.get(address(settings, sent(own_pdf=True, is_notice=True))).data
    assert "AvtaleGiro" in words(content)


@pytest.mark.parametrize("values", [{"channel": Channel.EMAIL}, {"channel": Channel.VIPPS, "outcome": Outcome.REFUSED}])
def test_what_no_bank_was_handed_is_not_shown(
    client: FlaskClient, settings: Settings, sent: Sent, values: dict[str, object]
) -> None:
    assert client.get(address(settings, sent(**values))).status_code == 404


def test_a_link_that_is_not_ours_or_for_another_purpose_or_of_nothing_is_not_found(
    client: FlaskClient, settings: Settings, sent: Sent
) -> None:
    invoice = sent()
    path = address(settings, invoice)
    signer = presentation_signer(settings)
    other = type(signer)(signer.keys, "unsubscribe", signer.lifetime).sign({"invoice": invoice.public_id})
    gone = signer.sign({"invoice": "00000000-0000-0000-0000-000000000000"})
    good = path.rpartition("/")[2]
    # In the middle of the signature: of the last letter not every bit counts.
    changed = good[:-20] + ("a" if good[-20] != "a" else "b") + good[-19:]
    for token in (changed, "x", "x" * 3000, other, gone, signer.sign({"a": 1})):
        answer = client.get(f"/presentasjon/{token}")
        assert (answer.status_code, answer.mimetype) == (404, "text/html"), token


def test_a_link_lives_for_sixteen_months_and_then_says_so(client: FlaskClient, settings: Settings, sent: Sent) -> None:
    path = address(settings, sent())
    with time_machine.travel("2028-03-24T12:00:00+01:00"):
        assert client.get(path).status_code == 200
    with time_machine.travel("2028-12-24T12:00:00+01:00"):
        assert client.get(path).status_code == 410


def test_the_address_holds_nothing_personal(settings: Settings, sent: Sent) -> None:
    invoice = sent()
    payload = presentation_signer(settings).read(address(settings, invoice).rpartition("/")[2])
    assert payload == {"invoice": invoice.public_id}
