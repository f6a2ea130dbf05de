"""Made-up consignments, whole but for what a test is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from app.channels.contract import Address, Consignment, Recipient
from app.core.ids import derived_id

DUE_ON = dt.date(2026, 12, 21)
# Made up; both pass mod11.
ACCOUNT = "12345678911"
OTHER_ACCOUNT = "86011117947"
# A synthetic number: eighty is added to its month.
NATIONAL_ID = "13857410038"

ADDRESS = Address("Kari Nordmann", "Fjordgata 3", "", "4100", "JØRPELAND", "NO")
RECIPIENT = Recipient("10017", "Kari Nordmann", "nb", ADDRESS, NATIONAL_ID, "+4790000017", "kari@example.com")


def consignment(number: str = "20260001", **values: Any) -> Consignment:
    """A demand of 1 543,34 kr to Kari; *values* replace fields, and ``recipient_…`` fields of the recipient."""
    of_recipient = {name[10:]: values.pop(name) for name in list(values) if name.startswith("recipient_")}
    usual: dict[str, Any] = {
        "key": str(derived_id("test", number)),
        "number": number,
        "kind": "demand",
        "witness_kind": "demand",
        "recipient": replace(RECIPIENT, **of_recipient),
        "amount_ore": 154334,
        "due_on": DUE_ON,
        "kid": "1234567897",
        "account": ACCOUNT,
        "subject": "Faktura frå Strand kommune",
        "issuer_name": "Strand kommune",
        "pdf": b"",
    }
    return Consignment(**{**usual, **values})
