"""A gateway that answers as told, and whom it is asked about."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.clients.efaktura import Efaktura
from app.clients.efaktura_contract import (
    PaymentType,
    Transaction,
)
from app.core.ids import derived_id
from tests.clients.fakes import Told, outside

NUMBER, OTHER = "20914695016", "22885399316"
ISSUER = "946485764"
SHIPMENT = str(derived_id("shipment"))
IDS = [str(derived_id("transaction", number)) for number in range(3)]
ACCOUNT = "12345678911"


def transaction(transaction_id: str = IDS[0], **fields: Any) -> Transaction:
    usual: dict[str, Any] = {
        "transaction_id": transaction_id,
        "payment_type": PaymentType.EFAKTURA,
        "efaktura_identifier": "EF000000000000001",
        "invoice_number": "F-1",
        "kid": "1234567897",
        "account": ACCOUNT,
        "amount_ore": 154334,
        "due_on": dt.date(2026, 12, 21),
        "presentation_url": "https://us.test/presentasjon/x",
        "issuer_name": "Strand kommune",
    }
    return Transaction(**{**usual, **fields})


def gateway(path: str, replies: Any) -> tuple[Efaktura, Told]:
    way, told = outside({path: replies})
    return Efaktura(way, "https://gateway.test", ISSUER), told
