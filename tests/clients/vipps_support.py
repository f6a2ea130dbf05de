"""A Vipps that answers as told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx

from app.clients.vipps import Vipps
from app.clients.vipps_contract import VippsInvoice
from tests.clients.fakes import Told, answer, outside

MOBILE = "+4740040040"
INVOICE_ID = "orgno-no.946485764.8f0a3bb2-7d3a-5c47-9c1c-2b0a6c1f1d11"
PROBLEMS = "https://vipps.no/invoice/v1/problems"
TOKEN = answer(200, {"access_token": "access-1", "expires_in": "3600"})
RECIPIENT = answer(200, {"recipientToken": "recipient-1"})
TOKENS, INVOICES = "/vipps-isp/v1/recipients/tokens", f"/vipps-isp/v1/invoices/{INVOICE_ID}"


def problem(status: int, kind: str) -> httpx.Response:
    return answer(status, {"error": {"type": f"{PROBLEMS}/{kind}", "title": "Problem", "detail": "4740040040"}})


def vipps(**replies: Any) -> tuple[Vipps, Told]:
    """A Vipps that answers as told under ``access``, ``tokens`` and ``invoices``."""
    paths = {"access": "/accesstoken/get", "tokens": TOKENS, "invoices": "/vipps-isp/v1/invoices"}
    way, told = outside({paths[name]: reply for name, reply in {"access": TOKEN, **replies}.items()})
    return Vipps(way, "https://vipps.test", client_id="us", client_secret="secret", subscription_key="sub"), told


def invoice(**fields: Any) -> VippsInvoice:
    usual: dict[str, Any] = {
        "invoice_id": INVOICE_ID,
        "kid": "1234567897",
        "account": "12345678911",
        "amount_ore": 154334,
        "due_on": dt.date(2026, 12, 21),
        "subject": "Faktura 1",
        "issuer_name": "Strand kommune",
        "document_url": "https://us.test/presentasjon/x",
    }
    return VippsInvoice(**{**usual, **fields})


def shown(state: str = "pending", **fields: Any) -> dict[str, Any]:
    return {
        "paymentInformation": {"type": "kid", "value": "1234567897", "account": "12345678911"},
        "due": "2026-12-21T11:00:00Z",
        "amount": 154334,
        "status": {"state": state, "etag": "old"},
        "etag": "etag-1",
        **fields,
    }
