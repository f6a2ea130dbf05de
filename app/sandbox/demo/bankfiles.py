"""Files as the bank sends them: AvtaleGiro mandates (FBO) and OCR giro payments, 80 characters a record.

Source: AvtaleGiro system specification 3.3 and OCR giro system manual, as summed up in channels.md §2.1.
"""

from __future__ import annotations

import datetime as dt
from enum import IntEnum, StrEnum
from typing import IO, Self

from app.sandbox.demo.checks import account_number

WIDTH = 80
BANK = "00008080"
PAYER = account_number("9999000001")
ENCODING = "iso-8859-1"
LINE_END = "\r\n"


class Registration(IntEnum):
    """What a mandate record says."""

    COMPLETE_LIST = 0
    NEW_OR_CHANGED = 1
    DELETED = 2


class Payment(StrEnum):
    """OCR transaction types used here."""

    GIRO = "10"
    TERMINAL = "13"
    COUNTER = "14"
    REVERSED = "18"
    WITH_TEXT = "21"


class BankFile:
    """One transmission with one assignment, written record by record; sums are known at the end.

    Use as a context manager: the end records are written when the block ends without an error.
    """

    def __init__(self, out: IO[str], *, customer: str, number: int, account: str, today: dt.date) -> None:
        self._out = out
        self._customer = customer
        self._number = number
        self._account = account
        self._today = today
        self.transactions = 0
        self._records = 0
        self._sum_ore = 0

    start = ""
    end = ""

    def __enter__(self) -> Self:
        self.write(f"NY000010{BANK}{self._number:07d}{self._customer:0>8}")
        self.write(f"{self.start}{self._number:07d}{self._account}")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            # Both counts include the record they stand in; the assignment's leaves out the file's first one.
            self.write(self._totals(self.end, self._records) + self._dates())
            self.write(self._totals("NY000089", self._records + 1) + f"{self._today:%d%m%y}")

    def write(self, record: str) -> None:
        """One record, filled with zeros; raises `ValueError` when it is too long."""
        if len(record) > WIDTH:
            raise ValueError(f"a record of {len(record)} characters")
        self._out.write(f"{record:0<{WIDTH}}{LINE_END}")
        self._records += 1

    def _totals(self, head: str, records: int) -> str:
        return f"{head}{self.transactions:08d}{records:08d}{self._sum_ore:017d}"

    def _dates(self) -> str:
        return ""


class MandateFile(BankFile):
    """AvtaleGiro mandates, service 21, assignment type 24."""

    start = "NY212420000000000"
    end = "NY212488"

    def mandate(self, kid: str, notify: str, registration: Registration) -> None:
        """One mandate; *notify* is J or N."""
        self.transactions += 1
        self.write(f"NY219470{self.transactions:07d}{registration:d}{kid:>25}{notify}")


class PaymentFile(BankFile):
    """OCR giro payments, service 09."""

    start = "NY090020001008566"
    end = "NY090088"

    def payment(self, kind: Payment, kid: str, amount_ore: int, text: str = "") -> None:
        """One payment of the day before; a reversed one takes *amount_ore* (whole øre, above 0) back."""
        self.transactions += 1
        number, head = f"{self.transactions:07d}", f"NY09{kind}"
        sign = "-" if kind is Payment.REVERSED else "0"
        self._sum_ore += -amount_ore if sign == "-" else amount_ore
        paid_on = self._today - dt.timedelta(days=1)
        place = f"{paid_on:%d%m%y}13{paid_on:%d}1{self.transactions % 100_000:05d}"
        self.write(f"{head}30{number}{place}{sign}{amount_ore:017d}{kid:>25}")
        self.write(f"{head}31{number}{self.transactions:010d}{self.transactions:09d}0000000{paid_on:%d%m%y}{PAYER}")
        if kind is Payment.WITH_TEXT:
            self.write(f"{head}32{number}{text[:40]:<40}")

    def _dates(self) -> str:
        """Nets date, earliest and latest: all payments are of one day."""
        day = f"{self._today - dt.timedelta(days=1):%d%m%y}"
        return day * 3
