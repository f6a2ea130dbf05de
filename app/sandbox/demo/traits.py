"""What kinds of residents there are: a scripted cast that every world begins with, and the shares of all others."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Mailbox = Literal["digipost", "e-boks"]


class KidStyle(StrEnum):
    """What the resident's KID is built from, and which KID their mandate was signed with."""

    CUSTOMER = "customer"  # the same KID on every invoice, so the mandate's is always equal to it
    INVOICE = "invoice"  # a KID an invoice; the mandate has the one of the resident's first invoice here
    EARLIER = "earlier"  # a KID an invoice; the mandate has that of an old invoice: only positions 1-9 agree


class Where(StrEnum):
    """What the register's postal address is worth."""

    HERE = "here"
    ABROAD = "abroad"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Traits:
    """The facts about one resident; a resident with none of them gets letters."""

    is_organisation: bool = False
    is_identified: bool = True
    takes_efaktura: bool = False
    blocks_us: bool = False
    mandate: Literal["J", "N"] | None = None
    has_mandate_ended: bool = False
    kid_style: KidStyle = KidStyle.INVOICE
    has_mod11_kid: bool = False
    takes_vipps: bool = False
    mailbox: Mailbox | None = None
    is_reserved: bool = False
    is_in_krr: bool = True
    is_krr_stale: bool = False
    has_mobile: bool = False
    has_bad_mobile: bool = False
    has_email: bool = False
    has_bad_email: bool = False
    shares_email: bool = False
    protection: Literal["none", "confidential", "strictly_confidential"] = "none"
    is_deceased: bool = False
    address: Where = Where.HERE
    language: Literal["nb", "nn", "en"] = "nb"


CUSTOMER, INVOICE, EARLIER = KidStyle.CUSTOMER, KidStyle.INVOICE, KidStyle.EARLIER
CAST: tuple[Traits, ...] = (
    Traits(takes_efaktura=True, has_mobile=True, has_email=True),
    Traits(mandate="J", kid_style=CUSTOMER),
    Traits(mandate="N", kid_style=CUSTOMER),
    Traits(mandate="J", kid_style=CUSTOMER, takes_efaktura=True),
    Traits(mandate="N", kid_style=CUSTOMER, takes_efaktura=True, has_email=True),
    Traits(mandate="J", kid_style=INVOICE, mailbox="digipost"),
    Traits(mandate="J", kid_style=EARLIER, has_email=True),
    Traits(mandate="N", kid_style=INVOICE, has_mandate_ended=True, has_email=True),
    Traits(takes_vipps=True, has_mobile=True),
    Traits(takes_vipps=True),
    Traits(mailbox="digipost"),
    Traits(mailbox="e-boks", language="nn"),
    Traits(mailbox="digipost", is_reserved=True, has_email=True),
    Traits(is_reserved=True, takes_efaktura=True),
    Traits(is_in_krr=False, has_email=True),
    Traits(is_krr_stale=True, has_email=True, language="en"),
    Traits(has_email=True),
    Traits(has_email=True, shares_email=True),
    Traits(),
    Traits(is_deceased=True, takes_efaktura=True),
    Traits(protection="confidential", has_email=True),
    Traits(protection="strictly_confidential"),
    Traits(address=Where.NOWHERE),
    Traits(address=Where.NOWHERE, has_email=True),
    Traits(address=Where.ABROAD, is_in_krr=False),
    Traits(is_identified=False, is_in_krr=False),
    Traits(is_identified=False, takes_efaktura=True, has_mobile=True),
    Traits(takes_efaktura=True, blocks_us=True, mailbox="digipost"),
    Traits(has_bad_mobile=True, takes_vipps=True),
    Traits(has_bad_email=True),
    Traits(is_organisation=True, is_in_krr=False, has_email=True),
    Traits(is_organisation=True, is_in_krr=False),
    Traits(is_organisation=True, is_in_krr=False, mandate="N", kid_style=CUSTOMER),
)


def traits(number: int, dice: random.Random) -> Traits:
    """Resident *number*'s traits: of the cast first, then by the shares below (of all residents)."""
    if number < len(CAST):
        return CAST[number]
    roll = dice.random
    if roll() < 0.04:
        return Traits(
            is_organisation=True,
            is_in_krr=False,
            has_email=roll() < 0.75,
            has_mobile=roll() < 0.3,
            mandate="N" if roll() < 0.05 else None,
            kid_style=CUSTOMER,
        )
    is_in_krr, is_reserved = roll() < 0.93, roll() < 0.04
    mandates: tuple[Literal["J", "N"] | None, ...] = (None, "J", "N")
    mandate = dice.choices(mandates, (88, 7, 5))[0]
    return Traits(
        is_identified=roll() < 0.985,
        takes_efaktura=roll() < 0.45,
        blocks_us=roll() < 0.01,
        mandate=mandate,
        has_mandate_ended=mandate is not None and roll() < 0.04,
        kid_style=_kid_style(mandate is not None, dice),
        has_mod11_kid=roll() < 0.05,
        takes_vipps=roll() < 0.35,
        mailbox=dice.choices((None, "digipost", "e-boks"), (62, 24, 14))[0] if is_in_krr else None,
        is_reserved=is_in_krr and is_reserved,
        is_in_krr=is_in_krr,
        is_krr_stale=is_in_krr and roll() < 0.03,
        has_mobile=roll() < 0.8,
        has_bad_mobile=roll() < 0.005,
        has_email=roll() < 0.6,
        has_bad_email=roll() < 0.004,
        shares_email=roll() < 0.01,
        protection=dice.choices(("none", "confidential", "strictly_confidential"), (9930, 50, 20))[0],
        is_deceased=roll() < 0.008,
        address=dice.choices((Where.HERE, Where.ABROAD, Where.NOWHERE), (9850, 100, 50))[0],
        language=dice.choices(("nb", "nn", "en"), (84, 12, 4))[0],
    )


def _kid_style(has_mandate: bool, dice: random.Random) -> KidStyle:
    """Who pays by mandate mostly has one KID for good; most others get one an invoice."""
    if has_mandate:
        return dice.choices((CUSTOMER, INVOICE, EARLIER), (70, 20, 10))[0]
    return dice.choices((CUSTOMER, INVOICE), (30, 70))[0]
