"""Documents: the right form of letter for each, kept as sent, and one that is damaged costs only its own invoice."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from pypdf import PdfReader
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.letters import InvoiceLetters
from app.delivery.models import Attempt, Delivery, Part
from app.delivery.parcels import Parcel, load
from app.invoices.models import Document, Invoice
from app.routing.channels import Channel, Kind


@pytest.fixture
def parcels(app: Flask, runner: FlaskCliRunner, session: Session) -> list[Parcel]:
    """The documents of a made-up municipality, planned."""
    for command in (
        ["demo", "--residents", "40", "--invoices", "40", "--seed", "7"],
        ["residents", "import"], ["mandates", "import"], ["invoices", "import"], ["invoices", "route"],
    ):  # fmt: skip
        assert runner.invoke(args=command).exit_code in (0, 1)
    ids = session.scalars(select(Delivery.id).where(Delivery.part == Part.DOCUMENT, Delivery.channel.is_not(None)))
    return load(session, ids.all())


@pytest.fixture
def letters(settings: Settings, clock: Clock) -> Iterator[InvoiceLetters]:
    """The maker of letters."""
    made = InvoiceLetters(settings, clock)
    yield made
    made.close()


def text_of(pdf: bytes) -> str:
    """What stands in a PDF, on one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def without_own_pdf(parcels: list[Parcel]) -> Parcel:
    """A demand whose letter is set by us."""
    own = (one for one in parcels if one.invoice.pdf_document_id is None and one.plan.claim is None)
    return next(one for one in own if one.invoice.kind is Kind.DEMAND)


def test_a_demand_shows_how_to_pay_and_a_notice_of_the_same_invoice_does_not(
    parcels: list[Parcel], letters: InvoiceLetters, session: Session
) -> None:
    parcel = without_own_pdf(parcels)
    parcel.resident.language = "nb"  # type: ignore[union-attr]
    parcel.delivery.is_notice = False
    demand = letters.make(session, [parcel])[parcel.delivery.id]
    parcel.delivery.is_notice = True
    notice = letters.make(session, [parcel])[parcel.delivery.id]
    assert parcel.invoice.kid is not None
    assert parcel.invoice.kid in text_of(demand.pdf).replace("\u00a0", "")
    assert parcel.invoice.kid not in text_of(notice.pdf).replace("\u00a0", "")
    assert "Trekkes automatisk" in text_of(notice.pdf)


def test_a_credit_note_asks_for_nothing(parcels: list[Parcel], letters: InvoiceLetters, session: Session) -> None:
    parcel = without_own_pdf(parcels)
    parcel.invoice.kind = Kind.CREDIT_NOTE
    parcel.resident.language = "nb"  # type: ignore[union-attr]
    letter = letters.make(session, [parcel])[parcel.delivery.id]
    assert "Slik betaler du" not in text_of(letter.pdf)


def test_the_accounting_systems_own_pdf_is_sent_as_it_is_but_never_as_a_notice(
    parcels: list[Parcel], letters: InvoiceLetters, session: Session
) -> None:
    parcel = next(one for one in parcels if one.invoice.pdf_document_id is not None)
    parcel.delivery.is_notice = False
    own = letters.make(session, [parcel])[parcel.delivery.id]
    assert own.document_id == parcel.invoice.pdf_document_id
    parcel.delivery.is_notice = True
    notice = letters.make(session, [parcel])[parcel.delivery.id]
    assert notice.document_id != parcel.invoice.pdf_document_id


def test_what_was_set_is_kept_and_the_same_letter_is_kept_once(
    parcels: list[Parcel], letters: InvoiceLetters, session: Session
) -> None:
    parcel = without_own_pdf(parcels)
    first = letters.make(session, [parcel])[parcel.delivery.id]
    session.commit()
    again = letters.make(session, [parcel])[parcel.delivery.id]
    assert (again.document_id, again.pdf) == (first.document_id, first.pdf)
    assert session.get_one(Document, first.document_id).sha256.hex() == first.sha256


def test_a_letter_made_again_after_a_failure_has_the_address_of_whoever_moved_meanwhile(
    parcels: list[Parcel], letters: InvoiceLetters, session: Session, clock: Clock
) -> None:
    parcel = without_own_pdf(parcels)
    resident, now = parcel.resident, clock.now()
    assert resident is not None
    old = letters.make(session, [parcel])[parcel.delivery.id]
    parcel.delivery.channel = Channel.PAPER
    parcel.attempt = Attempt(
        delivery_id=parcel.delivery.id, channel=Channel.PAPER, key="k", number=1, is_notice=parcel.delivery.is_notice,
        document_id=old.document_id, opened_at=now, outcome=Outcome.UNAVAILABLE,
    )  # fmt: skip
    resident.updated_at = now - dt.timedelta(hours=1)
    assert letters.make(session, [parcel])[parcel.delivery.id].document_id == old.document_id
    resident.address_line_1, resident.updated_at = "Nyveien 99", now + dt.timedelta(hours=1)
    assert "Nyveien 99" in text_of(letters.make(session, [parcel])[parcel.delivery.id].pdf)


def test_a_damaged_document_costs_only_its_own_invoice(
    parcels: list[Parcel], letters: InvoiceLetters, session: Session, settings: Settings
) -> None:
    own = next(one for one in parcels if one.invoice.pdf_document_id is not None and not one.delivery.is_notice)
    document = session.get_one(Document, own.invoice.pdf_document_id)
    name = document.sha256.hex()
    (Path(settings.documents_url) / name[:2] / name).write_bytes(b"something else")
    made = letters.make(session, parcels)
    assert made.keys() == {one.delivery.id for one in parcels} - {own.delivery.id}


def test_an_invoice_without_a_document_waits_and_the_others_are_sent(
    parcels: list[Parcel], runner: FlaskCliRunner, session: Session
) -> None:
    """Its XML is gone from the pack, so nothing can be set."""
    lost = without_own_pdf([one for one in parcels if one.delivery.channel in ("email", "paper")])
    session.execute(update(Invoice).where(Invoice.id == lost.invoice.id).values(number="NOT-IN-THE-PACK"))
    session.commit()
    done = runner.invoke(args=["invoices", "run", "--no-brakes"])
    assert done.exit_code == 1
    query = select(Invoice.number, Delivery.state).join(Delivery).where(Delivery.part == Part.DOCUMENT)
    states = {row[0]: row[1] for row in session.execute(query)}
    waiting = {number for number, state in states.items() if state == "waiting"}
    assert waiting == {"NOT-IN-THE-PACK"}
