"""An examined invoice as database rows: the invoice itself, and its place in the outbox of what needs a plan."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.core.categories import DEFAULT
from app.core.kid import KidPositions, fixed_part
from app.core.national_id import NationalIdFault, NationalIdInvalid, NationalIdRules, check_national_id
from app.core.settings import Settings
from app.invoices.examine import Candidate
from app.invoices.models import IntakeFault
from app.routing.channels import Kind
from app.routing.facts import InvoiceFacts

_ANY_NATIONAL_ID = NationalIdRules("refused", frozenset(), accepts_2032_rule=True)
_OTHER_POLICY = frozenset({NationalIdFault.SYNTHETIC_NOT_ALLOWED, NationalIdFault.REAL_NOT_ALLOWED})


@dataclass(frozen=True, slots=True)
class Buyers:
    """Who the buyers of one chunk are: resident ids by customer number and by organisation number."""

    by_customer_number: Mapping[str, int]
    by_organisation: Mapping[str, int]

    def of(self, candidate: Candidate) -> int | None:
        """The resident who is invoiced, or None when the register does not know them."""
        found = self.by_customer_number.get(candidate.head.buyer_reference)
        return found or self.by_organisation.get(candidate.head.buyer_organisation)


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes the rows of one import run."""

    batch_id: int
    settings: Settings
    positions: KidPositions | None
    now: dt.datetime

    @classmethod
    def of(cls, batch_id: int, settings: Settings, now: dt.datetime) -> RowMaker:
        """For the batch *batch_id*."""
        return cls(batch_id, settings, KidPositions.parse(settings.avtalegiro_kid_fixed), now)

    def invoice(
        self, candidate: Candidate, folder: str | None, resident_id: int | None, xml_id: int, pdf_id: int | None
    ) -> dict[str, Any]:
        """The row of ``invoice``; *folder* is the sub-folder that the file lay in."""
        return {
            "public_id": str(uuid.uuid4()),
            "batch_id": self.batch_id,
            "source": candidate.head.source,
            "number": candidate.head.number,
            "kind": candidate.head.kind,
            "resident_id": resident_id,
            "buyer_reference": _stored_reference(candidate.head.buyer_reference),
            "buyer_organisation": candidate.head.buyer_organisation or None,
            "category": self.category(folder, candidate.head.accounting_cost),
            "issued_on": candidate.head.issued_on,
            "due_on": candidate.head.due_on,
            "amount_ore": candidate.head.amount_ore,
            "kid": candidate.kid,
            "kid_key": self.kid_key(candidate),
            "account": candidate.account,
            "original_number": candidate.head.original_number[:100] or None,
            "fault": fault(candidate, resident_id),
            "content_sha256": candidate.digest,
            "xml_document_id": xml_id,
            "pdf_document_id": pdf_id,
            "imported_at": self.now,
        }

    def pending(self, candidate: Candidate, row: Mapping[str, Any], invoice_id: int) -> dict[str, Any]:
        """The row of ``pending`` for the invoice *row*."""
        category = self.settings.category(row["category"])
        return {
            "invoice_id": invoice_id,
            "resident_id": row["resident_id"] or 0,
            "facts": _facts(
                candidate.head.kind,
                row["resident_id"] is not None,
                candidate.has_wrong_kid,
                candidate.has_wrong_account,
                category.allows_email,
                category.is_decision,
                category.may_ask_krr,
            ),
            "due_on": candidate.head.due_on,
            "kid_key": row["kid_key"],
            "is_replan": False,
        }

    def category(self, folder: str | None, accounting_cost: str) -> str:
        """The sub-folder, else ``AccountingCost`` when the table knows it, else the default row's key."""
        if folder:
            return folder[:60]
        return accounting_cost if self.settings.categories.knows(accounting_cost) else DEFAULT

    def kid_key(self, candidate: Candidate) -> str | None:
        """The positions of the KID that must equal a mandate's; None without a right KID."""
        if candidate.kid is None or candidate.has_wrong_kid:
            return None
        return fixed_part(candidate.kid, self.positions)


def fault(candidate: Candidate, resident_id: int | None) -> IntakeFault | None:
    """The first thing for which the invoice must be held; the outbox row tells all of them apart."""
    if resident_id is None:
        return IntakeFault.UNKNOWN_BUYER
    if candidate.has_wrong_kid:
        return IntakeFault.WRONG_KID
    return IntakeFault.WRONG_ACCOUNT if candidate.has_wrong_account else None


@lru_cache(maxsize=256)
def _facts(
    kind: Kind,
    has_buyer: bool,
    has_wrong_kid: bool,
    has_wrong_account: bool,
    allows_email: bool,
    is_decision: bool,
    may_ask_krr: bool,
) -> int:
    return InvoiceFacts(
        kind=kind,
        has_buyer=has_buyer,
        has_wrong_kid=has_wrong_kid,
        has_wrong_account=has_wrong_account,
        allows_email=allows_email,
        is_decision=is_decision,
        may_ask_krr=may_ask_krr,
    ).as_bits()


def _stored_reference(reference: str) -> str | None:
    """The customer number, unless it cannot be one or is a national id, which this table must not hold in clear."""
    if not reference or len(reference) > 40:
        return None
    return None if len(reference) in (11, 12) and _is_national_id(reference) else reference


def _is_national_id(text: str) -> bool:
    try:
        check_national_id(text, _ANY_NATIONAL_ID)
    except NationalIdInvalid as error:
        return error.reason in _OTHER_POLICY
    return True
