"""Which KID and account a payer should use, when a file names none, one or several ways to pay."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.kid import KidInvalid, check_kid
from app.invoices.fields import MeansTexts

# UNCL4461: credit transfer, payment to bank account, SEPA credit transfer, online payment service, giro.
TRANSFER_CODES = frozenset({"30", "31", "42", "50", "58", "68"})

NOTHING = MeansTexts("", "", "", "")


def choose(means: Sequence[MeansTexts]) -> MeansTexts:
    """The way to pay that fits a giro best: account and right KID, then account and KID, then account, then KID.

    Among equals a transfer by bank goes before card or cash, and the file's own order decides the rest.
    """
    return min(means, key=_rank, default=NOTHING) if len(means) != 1 else means[0]


def _rank(means: MeansTexts) -> tuple[bool, bool, bool, bool]:
    return (not means.account, not means.kid, not _has_right_kid(means), means.code not in TRANSFER_CODES)


def _has_right_kid(means: MeansTexts) -> bool:
    try:
        check_kid(means.kid)
    except KidInvalid:
        return False
    return True
