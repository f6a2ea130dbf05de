"""Only what is printed rightly on the yellow form is sent to it."""

from __future__ import annotations

import pytest
import typst

from app.channels.giro import giro_pages
from app.invoices.ehf import parse_invoice
from app.invoices.letter import Form, InvoiceView
from app.invoices.render import render_invoice
from tests.invoices.builders import ACCOUNT, KID, ehf

SLIP = f"H {KID} \\< 1250 00 \\< 5 \\> {ACCOUNT} \\<"
SHOWN = f"KID {KID} Konto {ACCOUNT[:4]}.{ACCOUNT[4:6]}.{ACCOUNT[6:]}"


def pdf(*pages: str) -> bytes:
    source = "\n#pagebreak()\n".join(page or "Vedlegg" for page in pages)
    made: bytes = typst.compile(source.encode(), format="pdf")
    return made


def letter(form: Form) -> bytes:
    return render_invoice(InvoiceView(parse_invoice(ehf(), "x.xml"), form, "nb", ("Kari",), ACCOUNT))


@pytest.mark.parametrize(
    ("pages", "slip", "payment"),
    [
        ((f"Faktura {SLIP}",), (1,), (1,)),
        (("Faktura", SLIP), (2,), (2,)),
        ((SLIP, "Spesifikasjon"), (1,), (1,)),
        ((SHOWN, "Spesifikasjon"), (), (1,)),
        ((SHOWN, SLIP), (2,), (2,)),
        (("Faktura", "Vedlegg"), (), ()),
        ((f"KID {KID}", f"Konto {ACCOUNT}"), (), ()),
        ((SLIP, *["Vedlegg"] * 40), (1,), (1,)),
        ((*["Vedlegg"] * 40, SLIP), (41,), (41,)),
    ],
)
def test_the_page_of_the_slip_is_found_by_its_code_line_or_by_what_it_shows(
    pages: tuple[str, ...], slip: tuple[int, ...], payment: tuple[int, ...]
) -> None:
    made = pdf(*pages)
    assert giro_pages(made, KID, ACCOUNT, "slip") == slip
    assert giro_pages(made, KID, ACCOUNT, "payment") == payment
    assert giro_pages(made, KID, ACCOUNT, "never") == ()


def test_the_slip_of_another_invoice_is_none_of_ours() -> None:
    assert giro_pages(pdf(SLIP), "2345676", ACCOUNT, "slip") == ()


def test_our_own_letter_shows_how_to_pay_but_has_no_slip_that_would_fit_the_form() -> None:
    made = letter(Form.DEMAND)
    assert giro_pages(made, KID, ACCOUNT, "slip") == ()
    assert giro_pages(made, KID, ACCOUNT, "payment") == (1,)
    assert giro_pages(letter(Form.NOTICE), KID, ACCOUNT, "payment") == ()


@pytest.mark.parametrize("damaged", [b"", b"%PDF-1.7", b"MZ", pdf(SLIP)[:400]])
def test_what_cannot_be_read_has_no_giro_page(damaged: bytes) -> None:
    assert giro_pages(damaged, KID, ACCOUNT, "slip") == ()
