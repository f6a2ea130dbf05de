"""Digipost's invoice data: with it the mailbox shows a button to pay by.

Source: digipost-data-types, ``invoice`` (due-date, sum in kroner, creditor-account of 11 digits, kid of at most 25).
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from lxml import etree

from app.channels.contract import Consignment
from app.core.clock import OSLO

NAMESPACE = "http://api.digipost.no/schema/datatypes"
DIGIPOST = "digipost"

_ACCOUNT = re.compile(r"[0-9]{11}")
_KID = re.compile(r"[0-9]{2,25}")


def payment_data(consignment: Consignment) -> bytes | None:
    """What Digipost needs to let a demand be paid, as XML; None for whatever is not a demand to be paid by KID there.

    Never for a notice, which nobody shall pay a second time, and never for another mailbox than Digipost.
    """
    account, kid = consignment.account or "", consignment.kid or ""
    is_demand = consignment.kind == consignment.witness_kind == "demand" and not consignment.pays_by_avtalegiro
    if not is_demand or consignment.recipient.mailbox_provider != DIGIPOST:
        return None
    if consignment.amount_ore <= 0 or not _ACCOUNT.fullmatch(account) or not _KID.fullmatch(kid):
        return None
    due_at = dt.datetime.combine(consignment.due_on, dt.time(), OSLO)
    default: Any = {None: NAMESPACE}
    invoice = etree.Element(f"{{{NAMESPACE}}}invoice", nsmap=default)
    for name, text in (
        ("due-date", due_at.isoformat()),
        ("sum", f"{Decimal(consignment.amount_ore) / 100:.2f}"),
        ("creditor-account", account),
        ("kid", kid),
    ):
        etree.SubElement(invoice, f"{{{NAMESPACE}}}{name}").text = text
    content: bytes = etree.tostring(invoice, xml_declaration=True, encoding="UTF-8")
    return content
