"""The public Norwegian sample invoices. Both carry a KID with a wrong check digit, and text instead of a PDF."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.invoices.models import IntakeFault, Pending
from app.invoices.queries import invoice_by_number
from app.routing.facts import InvoiceFacts
from tests.invoices.counting import Take, counts

SAMPLES = Path("/work/shared/data/ehf")
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public sample files are not on this machine")


@pytest.mark.parametrize(
    ("name", "number", "amount_ore", "due_on"),
    [
        ("OpenPEPPOL_Norwegian-example-1.xml", "TOSL108", 80200, dt.date(2013, 7, 20)),
        ("forward-billing-nettleie-consumer.xml", "0997462625", 154334, dt.date(2019, 5, 12)),
    ],
)
def test_a_sample_imports_with_its_figures_and_is_held_for_its_wrong_kid(
    session: Session, take: Take, name: str, number: str, amount_ore: int, due_on: dt.date
) -> None:
    report = take(SAMPLES / name)
    assert counts(report)[:3] == (1, 1, 0)
    assert {found.field for found in report.rejected} == {
        "PaymentID",
        "EmbeddedDocumentBinaryObject",
        "AccountingCustomerParty",
    }
    invoice = invoice_by_number(session, number)
    assert (invoice.amount_ore, invoice.due_on, invoice.account) == (amount_ore, due_on, "86011117947")
    assert (invoice.kid, invoice.kid_key, invoice.pdf_document_id) == ("0003434323213231", None, None)
    assert invoice.fault is IntakeFault.UNKNOWN_BUYER
    assert InvoiceFacts.from_bits(session.get_one(Pending, invoice.id).facts).has_wrong_kid
