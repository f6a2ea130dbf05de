"""What an EHF file means."""

from __future__ import annotations

import datetime as dt

import pytest

from app.invoices.ehf import parse_invoice
from app.invoices.problems import InvoiceUnreadable
from app.routing.channels import Kind
from tests.invoices.builders import ACCOUNT, KID, SUPPLIER, attachment, ehf, line, means


def problems(data: bytes) -> dict[str | None, str]:
    with pytest.raises(InvoiceUnreadable) as caught:
        parse_invoice(data, "bad.xml")
    return {problem.field: problem.reason for problem in caught.value.problems}


def test_a_whole_invoice_is_read() -> None:
    parsed = parse_invoice(ehf(cost="barnehage", note="Takk for samarbeidet"), "x.xml")
    head = parsed.head
    assert (head.kind, head.source, head.number) == (Kind.DEMAND, SUPPLIER, "F-1")
    assert (head.issued_on, head.due_on) == (dt.date(2026, 11, 20), dt.date(2026, 12, 20))
    assert (head.amount_ore, head.kid, head.account) == (125000, KID, ACCOUNT)
    assert (head.buyer_reference, head.accounting_cost) == ("100001", "barnehage")
    assert parsed.buyer.name == "Kari Nordmann"
    assert parsed.buyer.address_lines == ("Strandgata 1",)
    assert parsed.notes == ("Takk for samarbeidet",)
    assert parsed.lines[0]._asdict() == {
        "name": "Vann og avløp",
        "description": "",
        "quantity": "2",
        "unit": "EA",
        "unit_price": "500",
        "base_quantity": "",
        "amount": "1000.00",
        "vat_percent": "25",
    }
    assert parsed.taxes[0] == ("25", "1000.00", "250.00")
    assert parsed.totals.including_tax == "1250.00"


def test_a_credit_note_names_its_invoice_and_needs_neither_due_date_nor_kid() -> None:
    head = parse_invoice(ehf("K-1", root="CreditNote", original="F-1", payment=""), "x.xml").head
    assert (head.kind, head.original_number) == (Kind.CREDIT_NOTE, "F-1")
    assert head.due_on == head.issued_on
    assert (head.kid, head.amount_ore) == ("", 125000)


@pytest.mark.parametrize("amount", ["0", "-10.00"])
def test_an_invoice_with_nothing_to_pay_is_information(amount: str) -> None:
    assert parse_invoice(ehf(amount=amount, due=""), "x.xml").head.kind is Kind.INFORMATION


@pytest.mark.parametrize(("text", "ore"), [("802", 80200), ("1543.34", 154334), ("0.1", 10), ("-3.9", -390)])
def test_kroner_become_whole_ore_exactly(text: str, ore: int) -> None:
    assert parse_invoice(ehf(amount=text), "x.xml").head.amount_ore == ore


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"amount": "10.005"}, "PayableAmount", "the amount has more than two decimals"),
        ({"amount": "9" * 19}, "PayableAmount", "the amount is too large"),
        ({"currency": "EUR"}, "DocumentCurrencyCode", "the currency is not NOK"),
        ({"issued": "1999-12-31"}, "IssueDate", "the date lies outside 2000-01-01-2099-12-31"),
        ({"due": "2100-01-01"}, "DueDate", "the date lies outside 2000-01-01-2099-12-31"),
        ({"due": "2026-11-19"}, "DueDate", "the due date lies before the day of issue"),
        ({"due": ""}, "DueDate", "the date is missing or does not exist"),
        ({"number": "N" * 101}, "ID", "the value is longer than 100 characters"),
        ({"number": " "}, "ID", "the value is missing"),
        (
            {"supplier": "123456789"},
            "AccountingSupplierParty",
            "the supplier has no right Norwegian organisation number",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_with_field_and_reason(values: dict[str, str], field: str, reason: str) -> None:
    assert problems(ehf(**values)) == {field: reason}


def test_every_problem_of_a_file_is_told_at_once() -> None:
    assert set(problems(ehf(amount="1.234", currency="SEK", due="2026-01-01"))) == {
        "PayableAmount",
        "DocumentCurrencyCode",
    }


def test_the_due_date_may_stand_with_the_payment_or_its_terms() -> None:
    terms = "<cac:PaymentTerms><cbc:PaymentDueDate>2026-12-24</cbc:PaymentDueDate></cac:PaymentTerms>"
    assert parse_invoice(ehf(due="", payment=means(due="2026-12-23")), "x").head.due_on == dt.date(2026, 12, 23)
    assert parse_invoice(ehf(due="", terms=terms), "x").head.due_on == dt.date(2026, 12, 24)
    assert parse_invoice(ehf(due="2026-12-20Z"), "x").head.due_on == dt.date(2026, 12, 20)


@pytest.mark.parametrize(
    "payment",
    [
        means(code="48", kid="", account="") + means(),
        means(kid="1234567890") + means(),
        means(kid="") + means(),
        means(account="") + means(),
        means() + means(code="48"),
        means(kid="123 456 7897", account="8601 11 17947"),
    ],
    ids=["card first", "wrong KID first", "no KID first", "no account first", "bank before card", "with blanks"],
)
def test_of_several_ways_to_pay_the_one_that_fits_a_giro_is_taken(payment: str) -> None:
    head = parse_invoice(ehf(payment=payment), "x.xml").head
    assert (head.kid, head.account) == (KID, ACCOUNT)


def test_only_a_legal_entity_has_an_organisation_number_as_buyer() -> None:
    endpoint = b'<cbc:EndpointID schemeID="0192">987654325</cbc:EndpointID><cac:PartyIdentification>'
    person = ehf().replace(b"<cac:PartyIdentification>", endpoint)
    assert parse_invoice(person, "x.xml").head.buyer_organisation == ""
    assert parse_invoice(ehf(buyer_company="987654325"), "x.xml").head.buyer_organisation == "987654325"


def test_the_supplier_number_is_also_found_as_vat_number_or_endpoint() -> None:
    legal = f'<cac:PartyLegalEntity><cbc:CompanyID schemeID="0192">{SUPPLIER}</cbc:CompanyID></cac:PartyLegalEntity>'
    vat = (
        f"<cac:PartyTaxScheme><cbc:CompanyID>NO{SUPPLIER}MVA</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID>"
        "</cac:TaxScheme></cac:PartyTaxScheme>"
    )
    assert parse_invoice(ehf().replace(legal.encode(), vat.encode()), "x.xml").head.source == SUPPLIER


def test_what_is_only_shown_is_kept_as_written() -> None:
    parsed = parse_invoice(ehf(lines=line(price="0.4153", amount="10.005")), "x.xml")
    assert (parsed.lines[0].unit_price, parsed.lines[0].amount) == ("0.4153", "10.005")


def test_embedded_documents_are_read_and_broken_base64_is_none() -> None:
    broken = attachment(b"x").replace("eA==", "eA=====!")
    parsed = parse_invoice(ehf(attachments=attachment(b"%PDF-", reference="Bilag") + broken), "x.xml")
    assert [found.content for found in parsed.attachments] == [b"%PDF-", None]
    assert parsed.attachments[0].reference == "Bilag"
