"""Reading XML that a stranger may have written: no DTD, no entities, no network, bounded size and depth."""

from __future__ import annotations

import re
from typing import Any, cast

from lxml import etree

from app.invoices.problems import IntakeProblem, InvoiceUnreadable

_parser = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    remove_blank_text=True,
)
DTD_REASON = "the file has a document type declaration (DTD), which is refused: an invoice needs none"


def read_xml(data: bytes, source: str) -> Any:
    """The root element of *data*, without comments and blank text; raises `InvoiceUnreadable`.

    Entities are never expanded and nothing is fetched. libxml2's own limits stay on (2,048 levels, 10 MB a text,
    entity amplification); what remains is held to the schema's shape by `app.invoices.schema`.
    """
    if not data:
        raise InvoiceUnreadable(IntakeProblem(source, None, None, "the file is empty"))
    try:
        root = etree.fromstring(data, _parser)
    except etree.XMLSyntaxError as error:
        raise InvoiceUnreadable(IntakeProblem(source, error.lineno or None, None, _reason(data, error))) from None
    # Before anything walks the tree: an entity reference left in it would be a node of another kind.
    if cast(Any, root.getroottree().docinfo).doctype:
        raise InvoiceUnreadable(IntakeProblem(source, None, None, DTD_REASON))
    return root


def _reason(data: bytes, error: etree.XMLSyntaxError) -> str:
    if _has_doctype(data):
        return DTD_REASON
    code = cast(Any, error).code
    if code == _codes.ERR_DOCUMENT_EMPTY:
        return "the file is not XML"
    if code in _ENCODING_ERRORS:
        return "the bytes are not in the encoding that the file declares"
    if code == _RESOURCE_LIMIT:
        return "elements lie too deep, or one text is too large (libxml2's own limits)"
    if code in _TRUNCATION_ERRORS or not data.rstrip(b" \t\r\n\0").endswith(b">"):
        return "the file ends too early: it is cut off"
    # libxml2 quotes names from the file in its messages, and a name may hold anything.
    return f"the file is not well-formed XML (libxml2 error {code})"


def _has_doctype(data: bytes) -> bool:
    start = data[:4096].replace(b"\0", b"")
    return re.search(rb"<!(DOCTYPE|ENTITY)", start) is not None


_codes = etree.ErrorTypes
_RESOURCE_LIMIT = 114  # XML_ERR_RESOURCE_LIMIT of libxml2 2.13, which lxml has no name for
_ENCODING_ERRORS = frozenset(
    {
        _codes.ERR_INVALID_ENCODING,
        _codes.ERR_INVALID_CHAR,
        _codes.ERR_UNKNOWN_ENCODING,
        _codes.ERR_UNSUPPORTED_ENCODING,
        _codes.I18N_CONV_FAILED,
        _codes.I18N_NO_HANDLER,
    }
)
_TRUNCATION_ERRORS = frozenset(
    {
        _codes.ERR_TAG_NOT_FINISHED,
        _codes.ERR_DOCUMENT_END,
        _codes.ERR_GT_REQUIRED,
        _codes.ERR_LTSLASH_REQUIRED,
        _codes.ERR_ATTRIBUTE_NOT_FINISHED,
        _codes.ERR_CDATA_NOT_FINISHED,
        _codes.ERR_COMMENT_NOT_FINISHED,
    }
)
