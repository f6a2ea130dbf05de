"""What Vipps checks of an invoice, keeps of it, and shows of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from app.sandbox.numbers import is_account, is_kid, is_organisation_number

PROBLEMS = "https://vipps.no/invoice/v1/problems"
MIME_TYPES = frozenset({"application/pdf", "text/html", "image/jpeg", "image/png", "image/jpg", "text/plain"})
TYPES = frozenset(
    {
        "invoice",
        "paymentReminder",
        "debtCollectionWarning",
        "debtCollectionNotice",
        "noticeOfLegalProceedings",
        "debtCollectionReminder",
        "creditNote",
    }
)
KEPT = ("paymentInformation", "invoiceType", "due", "amount", "minAmount", "subject", "issuerName", "issuerIconUrl")
LEAST_DAYS, MOST_DAYS = 3, 366


def wrong_id(invoice_id: str) -> str:
    """The problem with an invoice id, or ``""``."""
    if len(invoice_id.encode()) > 200:
        return "invalid-invoice-id-length"
    found = re.fullmatch(r"([a-zA-Z-]+)\.(\d+)\.([a-zA-Z0-9-]+)", invoice_id)
    if found is None:
        return "invalid-invoice-id-format"
    if found[1] != "orgno-no":
        return "invalid-invoice-id-issuer-ident-type"
    return "" if is_organisation_number(found[2]) else "invalid-invoice-id-issuer-ident-value"


def invalid(body: Mapping[str, Any], now: dt.datetime) -> str:
    """The first problem for which Vipps rejects the invoice afterwards, or ``""``."""
    payment = body.get("paymentInformation")
    payment = payment if isinstance(payment, dict) else {}
    amount, least = body.get("amount"), body.get("minAmount", 0)
    is_amount = type(amount) is int and type(least) is int
    checks = (
        ("invalid-payment-information-type", payment.get("type") not in {"kid", "message"}),
        ("invalid-payment-information-kid", payment.get("type") == "kid" and not is_kid(payment.get("value"))),
        ("missing-payment-information-message", not payment.get("value")),
        ("invalid-payment-information-account", not is_account(payment.get("account"))),
        ("invalid-invoice-type", body.get("invoiceType") not in TYPES),
        ("invalid-due-date", not _is_possible_due(body.get("due"), now)),
        ("amount-negative", not is_amount or amount <= 0),  # type: ignore[operator] # is_amount saw to it
        ("invalid-min-amount", not is_amount or least > amount),
        ("missing-subject", not body.get("subject")),
        ("input-validation-failed", len(str(body.get("issuerName", ""))) > 40),
    )
    return next((kind for kind, is_wrong in checks if is_wrong), "") or _documents_problem(
        body.get("commercialInvoice")
    )


def _is_possible_due(value: Any, now: dt.datetime) -> bool:
    """RFC 3339 with an offset, at least 3 days after the start of today and at most a year ahead."""
    try:
        due = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    if due.tzinfo is None:
        return False
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(hours=2)
    return midnight + dt.timedelta(days=LEAST_DAYS) <= due <= midnight + dt.timedelta(days=MOST_DAYS)


def _documents_problem(documents: Any) -> str:
    if not isinstance(documents, list) or not documents:
        return "invalid-commercial-invoice-url"
    for document in documents:
        address = urlsplit(str(document.get("url", "")) if isinstance(document, dict) else "")
        is_here = address.scheme == "http" and address.hostname in {"127.0.0.1", "localhost"}
        if not address.hostname or not (address.scheme == "https" or is_here):
            return "invalid-commercial-invoice-url"
        if document.get("mimeType") not in MIME_TYPES:
            return "invalid-commercial-invoice-mimetype"
    return ""


def kept(body: Mapping[str, Any], ident_type: str) -> dict[str, Any]:
    """What must be known to show the invoice again: no addresses of documents, nobody's number."""
    payload = {field: body[field] for field in KEPT if field in body}
    documents = body.get("commercialInvoice")
    if isinstance(documents, list):
        payload["mimeTypes"] = [one.get("mimeType") for one in documents if isinstance(one, dict)]
    return payload | {"identType": ident_type}


def etag(invoice_id: str, state: str) -> str:
    """The same for the same state."""
    digest = hashlib.sha256(f"{invoice_id}\0{state}".encode()).hexdigest()
    return f"{digest[:8]}-0000-0000-0000-{digest[8:20]}"


def shown(
    invoice_id: str, taken: Mapping[str, Any], state: str, problem: str | None, back: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The invoice as GET shows it (definition ``invoiceOut``); the recipient's number is masked wholly."""
    payload = dict(taken["payload"])
    mime_types, ident_type = payload.pop("mimeTypes", []), payload.pop("identType")
    changed_at, mark = (back or taken)["at"], etag(invoice_id, state)
    status: dict[str, Any] = {"lastModified": changed_at, "state": state, "etag": mark}
    if state == "rejected" and problem:
        status["problems"] = [{"type": f"{PROBLEMS}/{problem}", "title": problem.replace("-", " ").capitalize()}]
    return {
        "invoiceId": invoice_id,
        **payload,
        "recipient": {"identType": ident_type, "identValue": "*" * 11, "resolvedAt": taken["at"]},
        "providerId": {"identType": "orgno-no", "identValue": invoice_id.split(".")[1]},
        "commercialInvoice": [{"mimeType": mime_type} for mime_type in mime_types],
        "status": status,
        "created": taken["at"],
        "source": "vipps",
        "etag": mark,
    }
