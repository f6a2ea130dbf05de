"""The bytes of an AvtaleGiro claim file: 80 characters a record in ISO-8859-1, each ended by CR LF.

Positions: AvtaleGiro system specification 3.3 §2.2 (1-based; money in whole øre; dates DDMMYY).
"""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from netsgiro import NETS_ID, AssignmentType, ServiceCode
from netsgiro.records import (
    AssignmentEnd,
    AssignmentStart,
    Record,
    TransactionAmountItem1,
    TransactionAmountItem2,
    TransactionSpecification,
    TransmissionEnd,
    TransmissionStart,
)

from app.core.latin1 import to_latin1

RECORD_LENGTH = 80
REFERENCE_LENGTH = 25
MOST_ASSIGNMENTS = 10

_COLUMN = 40
_MOST_LINES = 42
_SEVEN_DIGITS = 10**7


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim (type 02: we notify, 21: the bank does) or cancellation (93), its texts already in ISO-8859-1.

    ``lines``: at most 42 of 80 characters, only with type 21.
    """

    type: str
    kid: str
    due_on: dt.date
    amount_ore: int
    payer_name: str
    reference: str
    lines: tuple[str, ...] = ()


@dataclass(slots=True)
class Assignment:
    """What goes to one credit account: claims, or cancellations. ``number``: seven digits."""

    number: str
    account: str
    is_cancellation: bool
    claims: list[Claim] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Specification:
    """The text of the bank's notice, and whether something had to be cut off."""

    lines: tuple[str, ...]
    is_cut: bool


def assignment_number(running_number: int, index: int) -> str:
    """Seven digits for the *index*-th assignment (0 to 9) of one file; repeats after a million files, never sooner.

    The bank wants it unique for twelve months and a day per recipient agreement.
    """
    return f"{(running_number * MOST_ASSIGNMENTS + index) % _SEVEN_DIGITS:07d}"


def foreign_reference(number: str) -> str:
    """What the payer sees on the statement: the invoice number, or its last 25 characters when it is longer."""
    return to_latin1(number).strip()[-REFERENCE_LENGTH:].strip()


def specification(lines: Sequence[str]) -> Specification:
    """*lines* in ISO-8859-1, wrapped at 80 characters, at most 42 of them; empty lines stay as blank ones."""
    wrapped = [part for line in lines for part in textwrap.wrap(to_latin1(line), 2 * _COLUMN) or [""]]
    return Specification(tuple(wrapped[:_MOST_LINES]), len(wrapped) > _MOST_LINES)


def file_lines(sender: str, running_number: int, assignments: Sequence[Assignment]) -> list[bytes]:
    """The whole transmission as lines of 82 bytes. *sender*: eight digits.

    Raises ValueError when a record would not be 80 characters long: nothing of such a file may leave.
    """
    number = f"{running_number % _SEVEN_DIGITS:07d}"
    start = TransmissionStart(ServiceCode.NONE, number, sender, NETS_ID)
    lines = [_line(start)]
    for assignment in assignments:
        lines.extend(_assignment_lines(assignment))
    claims = [claim for assignment in assignments for claim in assignment.claims]
    end = TransmissionEnd(
        ServiceCode.NONE,
        num_transactions=len(claims),
        num_records=len(lines) + 1,
        total_amount=sum(claim.amount_ore for claim in claims),
        nets_date=min(claim.due_on for claim in claims),
    )
    lines.append(_line(end))
    return lines


def _assignment_lines(assignment: Assignment) -> list[bytes]:
    kind = AssignmentType.AVTALEGIRO_CANCELLATIONS if assignment.is_cancellation else AssignmentType.TRANSACTIONS
    start = AssignmentStart(ServiceCode.AVTALEGIRO, kind, assignment.number, assignment.account)
    bodies = chain.from_iterable(
        _claim_records(number, claim) for number, claim in enumerate(assignment.claims, start=1)
    )
    lines = [_line(start), *map(_line, bodies)]
    end = AssignmentEnd(
        ServiceCode.AVTALEGIRO,
        kind,
        num_transactions=len(assignment.claims),
        num_records=len(lines) + 1,
        total_amount=sum(claim.amount_ore for claim in assignment.claims),
        nets_date_1=min(claim.due_on for claim in assignment.claims),
        nets_date_2=max(claim.due_on for claim in assignment.claims),
    )
    lines.append(_line(end))
    return lines


def _claim_records(number: int, claim: Claim) -> Iterator[Record]:
    frame: dict[str, Any] = {
        "service_code": ServiceCode.AVTALEGIRO,
        "transaction_type": claim.type,
        "transaction_number": number,
    }
    yield TransactionAmountItem1(**frame, nets_date=claim.due_on, amount=claim.amount_ore, kid=claim.kid)
    yield TransactionAmountItem2(**frame, reference=claim.reference, payer_name=claim.payer_name)
    for line_number, line in enumerate(claim.lines, start=1):
        for column_number, text in enumerate((line[:_COLUMN], line[_COLUMN:]), start=1):
            yield TransactionSpecification(**frame, line_number=line_number, column_number=column_number, text=text)


def _line(record: Record) -> bytes:
    text: str = record.to_ocr()
    if len(text) != RECORD_LENGTH:
        raise ValueError(f"a record of {len(text)} characters: {type(record).__name__}")
    return text.encode("latin-1") + b"\r\n"
