"""What counts as a PDF that can be sent."""

from __future__ import annotations

import pytest

from app.invoices.attachments import Attachment, choose_pdf
from app.invoices.pdf import MAX_PAGES, PdfUnreadable, check_pdf
from tests.invoices.builders import pdf


def test_a_real_pdf_tells_its_pages() -> None:
    assert check_pdf(pdf(3)).page_count == 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is no PDF"),
        (b"Base64 content example", "the file is no PDF"),
        (b"%PDF-1.7\n", "the PDF is damaged"),
        (b"%PDF-1.7\n" + b"\x00" * 5000 + b"%%EOF", "the PDF is damaged"),
        (pdf()[:300], "the PDF is damaged"),
        (pdf().replace(b"/Kids", b"/Kidz"), "the PDF"),
        (pdf(password="hemmelig"), "the PDF is encrypted"),
        (pdf(MAX_PAGES + 1), "the PDF has no page, or more than"),
        (pdf(0), "the PDF"),
    ],
    ids=["empty", "text", "header only", "zeros", "cut off", "no pages", "encrypted", "too many pages", "zero pages"],
)
def test_what_no_person_or_print_house_could_open_is_told_apart(data: bytes, reason: str) -> None:
    with pytest.raises(PdfUnreadable, match=reason):
        check_pdf(data)


def test_a_page_tree_that_bites_its_tail_is_damaged() -> None:
    looped = pdf(2).replace(b"/Parent 1 0 R", b"/Kids [1 0 R]")
    with pytest.raises(PdfUnreadable):
        check_pdf(looped.replace(b"/Type /Page\n", b"/Type /Pages\n"))


def test_the_invoice_is_chosen_before_its_appendices() -> None:
    def of(reference: str, name: str, media: str = "application/pdf") -> Attachment:
        return Attachment(reference, "", name, media, b"")

    sheet, named, numbered = of("Bilag", "timer.pdf"), of("1", "Faktura.pdf"), of("77", "dok-77.pdf")
    assert choose_pdf([sheet, named, numbered], "77") is numbered
    assert choose_pdf([sheet, named], "77") is named
    assert choose_pdf([sheet], "77") is sheet
    assert choose_pdf([of("1", "timer.csv", "text/csv")], "77") is None
