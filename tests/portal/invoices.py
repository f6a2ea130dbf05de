"""Invoices for the tests of the pages, with a PDF of their own and a way that they went."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery, Part, State
from app.invoices.documents import document_store, store
from app.invoices.models import Batch, Document, Invoice
from app.residents.models import Resident
from app.routing.channels import Channel, Kind
from tests.invoices.builders import KID


def add_invoice(
    session: Session,
    resident: Resident,
    clock: Clock,
    number: int,
    *,
    kid: str = KID,
    pdf: Document | None = None,
    kind: Kind = Kind.DEMAND,
    due_in: int = 30,
) -> Invoice:
    """An invoice of *resident*'s, committed; its EHF file is empty."""
    now = clock.now()
    batch = Batch(source="inbox", started_at=now, finished_at=now, invoice_count=1)
    digest = hashlib.sha256(f"{resident.id}/{number}".encode()).digest()
    xml = Document(sha256=digest, size=0, media_type="application/xml", stored_at=now)
    session.add_all((batch, xml))
    session.flush()
    invoice = Invoice(
        public_id=f"00000000-0000-4000-9000-{resident.id * 1000 + number:012d}",
        batch_id=batch.id,
        source="946485764",
        number=f"F{resident.id}-{number}",
        kind=kind,
        resident_id=resident.id,
        category="default",
        issued_on=clock.today() - dt.timedelta(days=1000 - number),
        due_on=clock.today() + dt.timedelta(days=due_in),
        amount_ore=123_450,
        kid=kid,
        kid_key=kid,
        account="12345678911",
        content_sha256=digest,
        xml_document_id=xml.id,
        pdf_document_id=pdf.id if pdf else None,
        imported_at=now,
    )
    session.add(invoice)
    session.commit()
    return invoice


def add_pdf(session: Session, settings: Settings, clock: Clock, content: bytes) -> Document:
    """A document under DOCUMENTS_URL, committed."""
    document = store(session, document_store(settings.documents_url), content, "application/pdf", clock.now())
    session.commit()
    return document


def send(session: Session, invoice: Invoice, clock: Clock, channel: Channel, document: Document | None = None) -> None:
    """Let the invoice have left by *channel*, and arrived."""
    now = clock.now()
    delivery = Delivery(
        invoice_id=invoice.id,
        part=Part.DOCUMENT,
        state=State.DELIVERED,
        channel=channel,
        next_try_at=now,
        changed_at=now,
    )
    session.add(delivery)
    session.flush()
    session.add(
        Attempt(
            delivery_id=delivery.id,
            channel=channel,
            key=f"key-{invoice.id}",
            number=1,
            is_notice=False,
            document_id=document.id if document else None,
            opened_at=now,
            closed_at=now,
            outcome=Outcome.ACCEPTED,
        )
    )
    session.commit()
