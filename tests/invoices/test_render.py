"""The invoice letter."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import page
import pytest
from pypdf import PdfReader

from app.invoices.ehf import parse_invoice
from app.invoices.letter import Form, InvoiceView, letter_data
from app.invoices.letter_texts import LANGUAGES, MESSAGES, letter_texts
from app.invoices.render import render_invoice
from tests.invoices.builders import ACCOUNT, KID, ehf, line, means

RECIPIENT = ("Kari Nordmann", "Strandgata 1", "4100 Jørpeland")


def view(form: Form = Form.DEMAND, language: str = "nb", data: bytes | None = None) -> InvoiceView:
    invoice = parse_invoice(data or ehf(note="Gjelder 3. termin"), "x.xml")
    return InvoiceView(invoice, form, language, RECIPIENT, ACCOUNT, "51 74 30 00", "post@example.com")


def words(pdf: bytes) -> str:
    text = "\n".join(found.extract_text() for found in PdfReader(io.BytesIO(pdf)).pages)
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def failures(pdf: bytes, profile: str) -> list[str]:
    """What page-validation finds, but for one thing that it finds wrongly."""
    report = page.validate_pdf_bytes(pdf, profile=profile)
    found = [failure.rule_id for failure in report.failures]
    assert report.is_compliant == (not found)
    # When compressed data happen to end in a carriage return, page-validation 0.11 takes it with the line feed after
    # it for the line end before "endstream", and the stream for one byte too short. So lengths are measured here.
    wrongly = "PDFA3A-STREAM-LENGTH-001" if has_right_stream_lengths(pdf) else ""
    return [rule for rule in found if rule != wrongly]


def has_right_stream_lengths(pdf: bytes) -> bool:
    streams = list(re.finditer(rb"<</Length (\d+)[^\n]*>>\nstream\n", pdf))
    assert len(streams) == len(re.findall(rb"\nendstream\nendobj\n", pdf))
    return all(pdf[found.end() + int(found[1]) :].startswith(b"\nendstream\nendobj\n") for found in streams)


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("profile", ["ua1", "3a"])
def test_every_letter_is_accessible_and_fit_for_archives(form: Form, language: str, profile: str) -> None:
    assert failures(render_invoice(view(form, language)), profile) == []


def test_a_demand_shows_all_that_is_needed_to_pay_it() -> None:
    text = words(render_invoice(view()))
    for shown in (KID, "8601 11 17947", "1 250,00", "20. desember 2026", "Slik betaler du", *RECIPIENT, "F-1"):
        assert shown in text


def test_a_notice_shows_nothing_that_could_be_paid_a_second_time() -> None:
    text = words(render_invoice(view(Form.NOTICE)))
    digits = re.sub(r"\s", "", text)
    assert KID not in digits
    assert ACCOUNT not in digits
    assert "Slik betaler du" not in text
    assert "Trekkes automatisk med AvtaleGiro" in text
    assert "1 250,00" in text


@pytest.mark.parametrize("form", [Form.NOTICE, Form.INFORMATION])
def test_payment_data_of_the_file_reach_only_a_demand(form: Form) -> None:
    data = str(letter_data(replace(view(form, data=ehf(payment=means(code="31"))))))
    assert KID not in data
    assert ACCOUNT not in data


def test_a_credit_note_asks_for_nothing_and_names_its_invoice() -> None:
    text = words(render_invoice(view(Form.INFORMATION, data=ehf("K-1", root="CreditNote", original="F-1"))))
    for shown in ("Kreditnota", "Gjelder faktura", "F-1", "Du skal ikke betale noe", "Kreditert beløp"):
        assert shown in text
    assert "Slik betaler du" not in text


def test_what_the_municipality_owes_is_shown_as_in_the_readers_favour() -> None:
    text = words(render_invoice(view(Form.INFORMATION, data=ehf(amount="-75.50"))))
    assert "Til gode" in text
    assert "kr 75,50" in text


@pytest.mark.parametrize(
    ("language", "title", "date", "amount"),
    [
        ("nb", "Slik betaler du", "20. desember 2026", "1 250,00"),
        ("nn", "Kva fakturaen gjeld", "20. desember 2026", "1 250,00"),
        ("en", "How to pay", "20 December 2026", "1,250.00"),
    ],
)
def test_the_letter_speaks_the_readers_language(language: str, title: str, date: str, amount: str) -> None:
    text = words(render_invoice(view(language=language)))
    assert title in text
    assert date in text
    assert amount in text


@pytest.mark.parametrize("language", ["nn", "en"])
def test_every_word_of_the_letter_is_translated_with_its_placeholders(language: str) -> None:
    texts = letter_texts(language)
    assert set(texts) == set(MESSAGES)
    for key, text in texts.items():
        assert text.strip()
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", MESSAGES[key])
    assert sum(texts[key] != MESSAGES[key] for key in MESSAGES) > len(MESSAGES) // 4


def test_an_unknown_language_gives_bokmaal() -> None:
    assert letter_texts("se") is MESSAGES


def test_equal_invoices_give_equal_bytes() -> None:
    assert render_invoice(view()) == render_invoice(view())
    assert render_invoice(view()) != render_invoice(view(data=ehf(amount="1250.01")))


def test_a_long_invoice_runs_over_pages_with_its_payment_part_last() -> None:
    many = "".join(line(f"Linje nummer {number}") for number in range(90))
    pdf = render_invoice(view(data=ehf(lines=many)))
    pages = [found.extract_text() for found in PdfReader(io.BytesIO(pdf)).pages]
    assert len(pages) >= 3
    assert [KID in text for text in pages] == [False] * (len(pages) - 1) + [True]
    assert "Linje nummer 0" in pages[0]
    assert all("Beskrivelse" in text for text in pages[:-1])
    assert failures(pdf, "ua1") == []
    assert failures(pdf, "3a") == []


def test_markup_in_a_file_is_text_in_the_letter() -> None:
    text = words(render_invoice(view(data=ehf(lines=line('#panic("x") *fet* $x$ @preview/y:1 \\\\ &lt;b&gt;')))))
    assert '#panic("x") *fet* $x$' in text


def test_more_vat_rates_and_reductions_are_all_shown() -> None:
    rate = (
        "<cac:TaxSubtotal><cbc:TaxableAmount currencyID='NOK'>-25</cbc:TaxableAmount><cbc:TaxAmount currencyID='NOK'>0"
    )
    second = (
        f"{rate}</cbc:TaxAmount><cac:TaxCategory><cbc:ID>E</cbc:ID><cbc:Percent>0</cbc:Percent><cac:TaxScheme><cbc:ID>VAT"
        "</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>"
    )
    data = ehf().decode().replace("</cac:TaxTotal>", second)
    data = data.replace(
        "<cbc:PayableAmount", "<cbc:PrepaidAmount currencyID='NOK'>100</cbc:PrepaidAmount><cbc:PayableAmount"
    )
    totals = dict(letter_data(view(data=data.encode()))["totals"])
    assert totals["Mva. 0 % av −25,00"] == "0,00"
    assert totals["Allerede betalt"] == "−100,00"
    assert totals["Sum med mva."].replace("\u00a0", " ") == "1 250,00"
