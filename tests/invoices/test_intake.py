"""From files to rows: once, whole or not at all, and nothing lost."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.invoices.documents import document_store
from app.invoices.models import Batch, Document, IntakeFault, Invoice, Pending
from app.invoices.queries import invoice_by_number, invoice_pdf, invoice_xml, parsed_invoice
from app.residents.models import Resident, ResidentKind
from app.routing.channels import Kind
from app.routing.facts import InvoiceFacts
from tests.invoices.builders import KID, SUPPLIER, attachment, ehf, means, pdf
from tests.invoices.counting import Drop, Take, counts, rows


def test_an_invoice_becomes_a_row_and_waits_for_its_plan(
    session: Session, take: Take, drop: Drop, kari: Resident
) -> None:
    assert counts(take(drop(a_xml=ehf()))) == (1, 1, 0, 0)
    invoice = invoice_by_number(session, "F-1")
    assert (invoice.source, invoice.kind, invoice.resident_id) == (SUPPLIER, Kind.DEMAND, kari.id)
    assert (invoice.amount_ore, invoice.kid, invoice.kid_key, invoice.account) == (125000, KID, KID, "86011117947")
    assert (invoice.category, invoice.fault, invoice.pdf_document_id) == ("default", None, None)
    pending = session.get_one(Pending, invoice.id)
    assert pending.facts == InvoiceFacts().as_bits()
    assert (pending.resident_id, pending.kid_key, pending.is_replan) == (kari.id, KID, False)
    batch = session.scalars(select(Batch)).one()
    assert (batch.invoice_count, batch.rejected_count, batch.finished_at is not None) == (1, 0, True)


def test_the_same_files_again_change_nothing(session: Session, take: Take, drop: Drop, kari: Resident) -> None:
    folder = drop(a_xml=ehf("1"), b_xml=ehf("2"), b_pdf=pdf())
    take(folder)
    before = (rows(session, Invoice), rows(session, Pending), rows(session, Document))
    assert counts(take(folder)) == (2, 0, 2, 0)
    assert (rows(session, Invoice), rows(session, Pending), rows(session, Document)) == before


def test_the_same_content_laid_out_anew_is_unchanged_and_other_content_is_rejected(
    session: Session, take: Take, drop: Drop, kari: Resident
) -> None:
    take(drop(a_xml=ehf()))
    assert counts(take(drop(a_xml=ehf().replace(b"><", b">\n  <")))) == (1, 0, 1, 0)
    report = take(drop(a_xml=ehf(amount="1.00"), b_xml=ehf(), b_pdf=pdf()))
    assert counts(report) == (2, 0, 0, 2)
    assert {(found.source, found.field) for found in report.rejected} == {("a.xml", "ID"), ("b.xml", "ID")}
    assert "different content" in report.rejected[0].reason
    assert invoice_by_number(session, "F-1").amount_ore == 125000


def test_a_number_twice_in_one_chunk_counts_once(session: Session, take: Take, drop: Drop, kari: Resident) -> None:
    report = take(drop(a_xml=ehf(), b_xml=ehf() + b"\n", c_xml=ehf(amount="2.00")))
    assert counts(report) == (3, 1, 1, 1)
    assert rows(session, Invoice) == 1


def test_two_suppliers_may_use_the_same_number(session: Session, take: Take, drop: Drop, kari: Resident) -> None:
    assert counts(take(drop(a_xml=ehf(), b_xml=ehf(supplier="987654325")))) == (2, 2, 0, 0)
    assert invoice_by_number(session, "F-1", "987654325").source == "987654325"


@pytest.mark.parametrize(
    ("data", "fault", "field"),
    [
        (ehf(buyer="999"), IntakeFault.UNKNOWN_BUYER, "AccountingCustomerParty"),
        (ehf(buyer=""), IntakeFault.UNKNOWN_BUYER, "AccountingCustomerParty"),
        (ehf(payment=means(kid="1234567890")), IntakeFault.WRONG_KID, "PaymentID"),
        (ehf(payment=means(kid="")), IntakeFault.WRONG_KID, "PaymentID"),
        (ehf(payment=means(kid="9" * 60)), IntakeFault.WRONG_KID, "PaymentID"),
        (ehf(payment=means(account="86011117948")), IntakeFault.WRONG_ACCOUNT, "PayeeFinancialAccount"),
        (ehf(payment=means(account="DE89370400440532013000")), IntakeFault.WRONG_ACCOUNT, "PayeeFinancialAccount"),
    ],
)
def test_what_must_be_held_is_kept_and_reported(
    session: Session, take: Take, drop: Drop, kari: Resident, data: bytes, fault: IntakeFault, field: str
) -> None:
    report = take(drop(a_xml=data))
    assert counts(report) == (1, 1, 0, 1)
    assert report.rejected[0].field == field
    assert "kept and held" in report.rejected[0].reason
    invoice = invoice_by_number(session, "F-1")
    assert invoice.fault is fault
    facts = InvoiceFacts.from_bits(session.get_one(Pending, invoice.id).facts)
    assert facts.has_buyer is (fault is not IntakeFault.UNKNOWN_BUYER)
    assert facts.has_wrong_kid is (fault is IntakeFault.WRONG_KID)
    assert facts.has_wrong_account is (fault is IntakeFault.WRONG_ACCOUNT)


def test_a_credit_note_needs_no_kid_and_keeps_its_original(
    session: Session, take: Take, drop: Drop, kari: Resident
) -> None:
    assert counts(take(drop(a_xml=ehf("K-1", root="CreditNote", original="F-1", payment="")))) == (1, 1, 0, 0)
    note = invoice_by_number(session, "K-1")
    assert (note.kind, note.original_number, note.kid, note.fault) == (Kind.CREDIT_NOTE, "F-1", None, None)


def test_an_organisation_is_also_found_by_its_number(session: Session, take: Take, drop: Drop, clock: Clock) -> None:
    firm = Resident(
        customer_number="5", name="AS", kind=ResidentKind.ORGANISATION, organisation_number="987654325",
        created_at=clock.now(), updated_at=clock.now(),
    )  # fmt: skip
    session.add(firm)
    session.commit()
    take(drop(a_xml=ehf(buyer="", buyer_company="987654325")))
    assert invoice_by_number(session, "F-1").resident_id == firm.id


def test_a_national_id_as_customer_number_is_not_kept_in_clear(session: Session, take: Take, drop: Drop) -> None:
    report = take(drop(a_xml=ehf(buyer="15876500565")))
    assert invoice_by_number(session, "F-1").buyer_reference == "15876500565"  # no national id: wrong check digits
    take(drop(b_xml=ehf("F-2", buyer="13097248022")))
    assert invoice_by_number(session, "F-2").buyer_reference is None
    assert "13097248022" not in str(report)


def test_the_category_is_the_folder_else_a_known_accounting_cost(
    session: Session, take: Take, drop: Drop, kari: Resident
) -> None:
    take(drop(sosial__a_xml=ehf("1", cost="barnehage"), b_xml=ehf("2", cost="barnehage"), c_xml=ehf("3", cost="4711")))
    found = {number: invoice_by_number(session, number) for number in "123"}
    assert [found[number].category for number in "123"] == ["sosial", "barnehage", "default"]
    assert not InvoiceFacts.from_bits(session.get_one(Pending, found["1"].id).facts).allows_email


def test_a_pdf_is_taken_from_beside_or_inside_and_rubbish_is_dropped(
    session: Session, settings: Settings, take: Take, drop: Drop, kari: Resident
) -> None:
    inside, beside = pdf(2), pdf(3)
    report = take(
        drop(
            a_xml=ehf("1", attachments=attachment(inside)),
            b_xml=ehf("2", attachments=attachment(inside)),
            b_PDF=beside,
            c_xml=ehf("3", attachments=attachment(b"ikke en PDF")),
            d_xml=ehf("4"),
            d_pdf=b"%PDF-1.7 tull",
        )
    )
    documents = document_store(settings.documents_url)
    pdfs = [invoice_pdf(session, documents, invoice_by_number(session, number)) for number in "1234"]
    assert pdfs == [inside, beside, None, None]
    assert counts(report) == (4, 4, 0, 2)
    assert [found.source for found in report.rejected] == ["c.xml", "d.xml"]
    assert all("was dropped" in found.reason for found in report.rejected)


def test_the_file_comes_back_byte_for_byte(
    session: Session, settings: Settings, take: Take, drop: Drop, kari: Resident
) -> None:
    take(drop(a_xml=ehf("1"), b_xml=ehf("2")))
    documents = document_store(settings.documents_url)
    invoice = invoice_by_number(session, "2")
    assert invoice_xml(session, documents, invoice) == ehf("2")
    assert parsed_invoice(session, documents, invoice).head.number == "2"
