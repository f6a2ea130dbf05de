"""Whether bytes are a PDF that a person and a print house can open. Nothing inside it is ever run."""

from __future__ import annotations

import io
import logging
from typing import NamedTuple

from pypdf import PdfReader
from pypdf.errors import PyPdfError

MAX_PAGES = 200
MAX_PDF_BYTES = 20_000_000

# pypdf tells of small faults through this logger; a broken file gets its own sentence in the report.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


class PdfFacts(NamedTuple):
    """What is known of a readable PDF."""

    page_count: int


class PdfUnreadable(Exception):
    """Not a PDF that can be sent; the text says why and holds nothing from the file."""


def check_pdf(data: bytes) -> PdfFacts:
    """The facts of a readable PDF; raises `PdfUnreadable`.

    Reads the cross-reference table and the page tree, never page content, scripts or launch actions.
    """
    if b"%PDF-" not in data[:1024]:
        raise PdfUnreadable("the file is no PDF")
    if len(data) > MAX_PDF_BYTES:
        raise PdfUnreadable(f"the PDF is larger than {MAX_PDF_BYTES} bytes")
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise PdfUnreadable("the PDF is encrypted")
        page_count = len(reader.pages)
        if 0 < page_count <= MAX_PAGES:
            _touch_pages(reader)
    except PdfUnreadable:
        raise
    # pypdf raises whatever its parser stumbles over, and a broken file may be broken in any way.
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, RecursionError) as error:
        raise PdfUnreadable(f"the PDF is damaged ({type(error).__name__})") from None
    if not 0 < page_count <= MAX_PAGES:
        raise PdfUnreadable(f"the PDF has no page, or more than {MAX_PAGES}")
    return PdfFacts(page_count)


def _touch_pages(reader: PdfReader) -> None:
    """A page tree that counts pages it does not have shows only when the first and the last are fetched."""
    for page in (reader.pages[0], reader.pages[-1]):
        if not page.mediabox.width or not page.mediabox.height:
            raise PdfUnreadable("the PDF has a page without size")
