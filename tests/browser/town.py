"""The residents whose pages the browser opens: one with everything and a long name, one with nothing, some who walk."""

from __future__ import annotations

import dataclasses
from typing import Any

from playwright.sync_api import Page
from sqlalchemy.orm import Session

from app.core.audit import AuditEvent, record
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Delivery
from app.delivery.plans import PlanBook, key_of
from app.invoices.models import Closure
from app.registries.models import Register, RegistryAnswer
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactSource, Mandate, Resident
from app.routing.channels import Answer, Channel, Kind
from app.routing.facts import DayFacts, InvoiceFacts, ResidentFacts
from tests.portal.invoices import add_invoice, add_pdf, send
from tests.portal.people import add_resident, national_id

FULL, EMPTY = 1, 2
# How many codes one resident may ask for is limited, so each walk has a resident of its own.
WALKERS = tuple(range(3, 9))
LONG_NAME = "Marianne Alexandra Elisabeth Kristoffersen-Nordmannsplassen von Langenavnsberg fra Jørpelandsvågen"
LONG_EMAIL = "marianne.alexandra.elisabeth.kristoffersen.nordmannsplassen.den.eldre@et-langt-domene.example.com"
FIRST_INVOICE = f"00000000-0000-4000-9000-{1001:012d}"
# The least that a viewer takes for a PDF.
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def settle(session: Session, settings: Settings, clock: Clock) -> None:
    """Move them in."""
    full = add_resident(session, settings, clock, FULL)
    full.name, full.address_line_2 = LONG_NAME, "Gårdsnummer 12, bruksnummer 345, ved den gamle skysstasjonen"
    add_resident(session, settings, clock, EMPTY)
    _contacts(session, full, clock)
    _answers(session, full, clock)
    _invoices(session, settings, full, clock)
    _log(session, full, clock)
    pdf = add_pdf(session, settings, clock, PDF)
    for number in WALKERS:
        walker = add_resident(session, settings, clock, number)
        send(session, add_invoice(session, walker, clock, 1, pdf=pdf), clock, Channel.EMAIL, pdf)


def log_in(page: Page, address: str, person: str, path: str = "/min-side") -> None:
    """All the way through TestID as the person with this national id."""
    page.goto(f"{address}/logg-inn?til={path}")
    page.get_by_label("Eller skriv").fill(person)
    page.get_by_role("button", name="Logg inn").click()
    page.wait_for_load_state()


def _contacts(session: Session, resident: Resident, clock: Clock) -> None:
    for kind, value in ((ContactKind.MOBILE, "+4798765432"), (ContactKind.EMAIL, LONG_EMAIL)):
        register_contact(session, resident.id, kind, value, ContactSource.REGISTER, clock.now(), is_confirmed=False)
    session.commit()


def _answers(session: Session, resident: Resident, clock: Clock) -> None:
    said = {Register.EFAKTURA: Answer.NO, Register.VIPPS: Answer.NO, Register.MAILBOX: Answer.UNKNOWN}
    for register, answer in said.items():
        session.add(RegistryAnswer(resident_id=resident.id, register=register, answer=answer, asked_at=clock.now()))
    session.commit()


def _invoices(session: Session, settings: Settings, resident: Resident, clock: Clock) -> None:
    pdf = add_pdf(session, settings, clock, PDF)
    ways = [*Channel, None]
    for number in range(1, 46):
        kind = Kind.CREDIT_NOTE if number % 9 == 0 else Kind.DEMAND
        values: dict[str, Any] = {"kind": kind, "due_in": number * 7 - 150}
        invoice = add_invoice(session, resident, clock, number, pdf=pdf if number % 2 else None, **values)
        if number % 4 == 0:
            invoice.closed_at, invoice.closed_reason = clock.now(), list(Closure)[number // 4 % len(Closure)]
        way = ways[number % len(ways)]
        if way is not None:
            send(session, invoice, clock, way, pdf)
    invoice.number = "2026-" + "1234567890" * 4
    session.add(
        Mandate(account="12345678911", kid=invoice.kid, kid_key=invoice.kid, wants_notice=True,
                registered_at=clock.now(), updated_at=clock.now())
    )  # fmt: skip
    _plan(session, settings)
    session.commit()


def _plan(session: Session, settings: Settings) -> None:
    """Let the first invoice's way have passed others over."""
    book = PlanBook.of(session, settings)
    facts = dataclasses.replace(ResidentFacts.from_bits(0), has_postal_address=True)
    key = key_of(facts.as_bits(), InvoiceFacts().as_bits(), DayFacts(is_past_safe_day=True).as_bits())
    book.store([key])
    session.query(Delivery).filter(Delivery.invoice_id == 1).update({"plan_id": 1})


def _log(session: Session, resident: Resident, clock: Clock) -> None:
    for event in AuditEvent:
        for actor in (f"resident:{resident.public_id}", "ola.saksbehandler@strand.kommune.no"):
            subject = f"resident:{resident.public_id}"
            record(session, at=clock.now(), actor=actor, event=event, subject=subject)
    session.commit()


__all__ = ["EMPTY", "FIRST_INVOICE", "FULL", "PDF", "WALKERS", "log_in", "national_id", "settle"]
