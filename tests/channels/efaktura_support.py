"""Consignments for eFaktura, whole but for what a test is about."""

from __future__ import annotations

from typing import Any

from tests.channels.consignments import consignment

IDENTIFIER = "EF000000000000001"


def made(number: str = "20260001", **values: Any) -> Any:
    usual = {"recipient_efaktura_identifier": IDENTIFIER, "presentation_url": "https://us.test/presentasjon/x"}
    return consignment(number, **{**usual, **values})
