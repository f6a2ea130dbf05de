"""Which pages of a letter belong on the yellow giro form."""

from __future__ import annotations

import io
import re
from contextlib import suppress

from pypdf import PdfReader
from pypdf.errors import PyPdfError

# A slip stands on the first page or one of the last; an annex of hundreds of pages is not read through.
MOST_LOOKED_AT = 6

_BLANK = re.compile(r"\s+")


def giro_pages(pdf: bytes, kid: str, account: str, form: str) -> tuple[int, ...]:
    """Page numbers from 1, none when the letter has no such page or cannot be read.

    *form*: ``slip``: each page with the code line of a giro slip (KID and account, each followed by its sign ``<``;
    source: Finans Norge, F60-1), since on the form anything else would be printed across its fields. ``payment``: the
    last page that shows both KID and account. ``never``.
    """
    if form == "never":
        return ()
    pages = _texts(pdf)
    if form == "payment":
        return tuple(number for number, text in pages.items() if kid in text and account in text)[-1:]
    return tuple(number for number, text in pages.items() if _has_code_line(text, kid, account))


def _has_code_line(text: str, kid: str, account: str) -> bool:
    return re.search(rf"{re.escape(kid)}<.*{re.escape(account)}<", text) is not None


def _texts(pdf: bytes) -> dict[int, str]:
    """The text of the pages that may have a slip, without blanks and the dots in account numbers, by page number."""
    # The library raises its own errors for damage it knows, and whatever Python raises for damage it does not.
    with suppress(PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError):
        pages = PdfReader(io.BytesIO(pdf)).pages
        numbers = {*range(1, len(pages) + 1)[:1], *range(1, len(pages) + 1)[1 - MOST_LOOKED_AT :]}
        return {number: _BLANK.sub("", pages[number - 1].extract_text()).replace(".", "") for number in sorted(numbers)}
    return {}
