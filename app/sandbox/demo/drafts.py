"""Invoices before they are written: whom they are for, what they ask, and the everyday kind."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from app.sandbox.demo.checks import account_number, norwegian_iban
from app.sandbox.demo.fees import Fee, Line, some_fee, total_ore
from app.sandbox.demo.residents import Resident, Town, kid_of, serial_of
from app.sandbox.people import chance

ISSUER = "946485764"
ACCOUNT = account_number("3290070012")


class Document(StrEnum):
    """Which PDF comes with an invoice; most come without."""

    NONE = "none"
    BESIDE = "beside"
    EMBEDDED = "embedded"
    BROKEN_BESIDE = "broken beside"
    BROKEN_EMBEDDED = "broken embedded"
    SPREADSHEET = "spreadsheet"


@dataclass(frozen=True)
class Draft:
    """One invoice or, where ``credits`` names an invoice, one credit note. Amounts in øre with VAT.

    ``customer_number`` may be one that nobody has, ``kid`` may be wrong: that is what some are for.
    """

    index: int
    number: str
    buyer: Resident
    customer_number: str
    issued_on: dt.date
    due_on: dt.date
    kid: str
    account: str
    fee: Fee
    lines: tuple[Line, ...]
    document: Document = Document.NONE
    prepaid_ore: int = 0
    credits: str = ""
    is_payable: bool = False  # ordinary enough that a payment for it may come
    story: str = "everyday"

    @cached_property
    def amount_ore(self) -> int:
        """What is to be paid (credit note: what is credited)."""
        return total_ore(self.lines) - self.prepaid_ore


def everyday(town: Town, index: int, buyer: Resident | None = None) -> Draft:
    """Invoice *index* of the ordinary kind, for the resident whose turn it is unless *buyer* is given.

    One resident's invoices fall due on different days, so that nearly all twins come from their own story.
    """
    whose = buyer or town.resident(index % town.residents)
    dice = chance(town.seed, "invoice", index)
    fee, lines = some_fee(dice, is_organisation=whose.traits.is_organisation)
    turn = index // town.residents
    days = 51 + index % 9 if buyer else 16 + (whose.number * 11 + turn * 7) % 30
    return Draft(
        index=index,
        number=number_of(town, index),
        buyer=whose,
        customer_number=whose.customer_number,
        issued_on=town.today - dt.timedelta(days=dice.randint(0, 5)),
        due_on=town.today + dt.timedelta(days=days),
        kid=kid_of(whose, serial_of(town.today, index)),
        account=norwegian_iban(ACCOUNT) if dice.random() < 0.03 else ACCOUNT,
        fee=fee,
        lines=lines,
        document=dice.choices((Document.NONE, Document.BESIDE, Document.EMBEDDED), (89, 6, 5))[0],
        is_payable=True,
    )


def number_of(town: Town, index: int) -> str:
    """The invoice number: year, day of the year and a running number, so that a later day brings new invoices."""
    return f"{town.today:%y%j}{index + 1:07d}"
