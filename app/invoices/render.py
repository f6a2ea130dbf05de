"""Sets the invoice letter as an accessible PDF (PDF/UA-1 and PDF/A-3a in one file) with typst."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from typing import cast

import typst

from app.invoices.letter import InvoiceView, letter_data

TEMPLATE = Path(__file__).parent.parent.parent / "templates" / "invoices" / "invoice.typ"

# typst's compiler keeps its work between letters, and one compiler must not be used by two threads at once.
_local = threading.local()


def render_invoice(view: InvoiceView) -> bytes:
    """The letter as PDF. Equal views give equal bytes, on any day, so that it can be stored by its hash.

    No fonts of the machine and no network are used. Do not fork after the first call: the child would hang
    (typst 0.15 keeps threads of its own).
    """
    noon = dt.datetime.combine(view.invoice.head.issued_on, dt.time(12), dt.UTC)
    data = json.dumps(letter_data(view), ensure_ascii=False)
    pdf = _compiler().compile(
        format="pdf",
        sys_inputs={"data": data},
        pdf_standards=["ua-1", "a-3a"],
        timestamp=noon,
    )
    return cast(bytes, pdf)


def _compiler() -> typst.Compiler:
    compiler = getattr(_local, "compiler", None)
    if compiler is None:
        fonts = typst.Fonts(include_system_fonts=False)
        compiler = typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=fonts)
        _local.compiler = compiler
    return compiler
