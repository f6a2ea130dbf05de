"""Everything a plan depends on, as plain values and as bits.

The bits are what the database keeps and joins on; `ResidentFacts.from_bits` and `as_bits` are inverse. The layout
of the bits is stored data: fields may be added at the end, never moved.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Any, Self, get_type_hints

from app.routing.channels import Answer, Kind, Mandate


@cache
def _layout(cls: type) -> tuple[tuple[str, type, int, int], ...]:
    """Name, type, first bit and width of each field."""
    hints = get_type_hints(cls)
    layout, at = [], 0
    for item in fields(cls):
        kind = hints[item.name]
        width = 1 if kind is bool else (len(kind) - 1).bit_length()
        layout.append((item.name, kind, at, width))
        at += width
    return tuple(layout)


class Bits:
    """Frozen dataclasses of yes/no and small closed lists that fit in one whole number."""

    __slots__ = ()

    def as_bits(self) -> int:
        """The facts as one whole number (at most 31 bits)."""
        bits = 0
        for name, kind, at, _ in _layout(type(self)):
            value = getattr(self, name)
            bits |= (int(value) if kind is bool else list(kind).index(value)) << at  # type: ignore[call-overload]
        return bits

    @classmethod
    def from_bits(cls, bits: int) -> Self:
        """The facts that gave *bits*."""
        values: dict[str, Any] = {}
        for name, kind, at, width in _layout(cls):
            number = bits >> at & (1 << width) - 1
            values[name] = bool(number) if kind is bool else list(kind)[number]  # type: ignore[call-overload]
        return cls(**values)

    @classmethod
    def weight(cls, name: str, value: object = True) -> int:
        """What the field *name* with *value* adds to the bits: for building the number in SQL."""
        for field, kind, at, _ in _layout(cls):
            if field == name:
                return (int(bool(value)) if kind is bool else list(kind).index(value)) << at  # type: ignore[call-overload]
        raise KeyError(name)

    def as_words(self) -> dict[str, Any]:
        """Field by field, for people and JSON."""
        values = {name: getattr(self, name) for name, *_ in _layout(type(self))}
        return {name: value.value if isinstance(value, StrEnum) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class ResidentFacts(Bits):
    """What is known of the one who is invoiced."""

    is_organisation: bool = False
    is_deceased: bool = False
    has_protected_address: bool = False
    has_postal_address: bool = True
    has_national_id: bool = True
    has_mobile: bool = False
    has_email: bool = False
    has_confirmed_email: bool = False
    shares_efaktura_identifier: bool = False
    efaktura: Answer = Answer.NO
    vipps: Answer = Answer.NO
    mailbox: Answer = Answer.NO
    reserved: Answer = Answer.NO
    wants_letters: bool = False
    closed_efaktura: bool = False
    closed_vipps: bool = False
    closed_mailbox: bool = False
    closed_email: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceFacts(Bits):
    """What is known of the invoice, its day included."""

    kind: Kind = Kind.DEMAND
    has_buyer: bool = True
    has_wrong_kid: bool = False
    has_wrong_account: bool = False
    is_partly_credited: bool = False
    is_held_by_staff: bool = False
    is_released: bool = False  # a person has looked, and waived the gates
    allows_email: bool = True
    is_decision: bool = False
    may_ask_krr: bool = True
    mandate: Mandate = Mandate.NONE
    has_claim_already: bool = False
    has_lost_claim: bool = False
    refused_efaktura: bool = False
    refused_vipps: bool = False
    refused_mailbox: bool = False
    refused_email: bool = False
    refused_paper: bool = False


@dataclass(frozen=True, slots=True)
class DayFacts(Bits):
    """What follows from the due date and today alone."""

    is_too_late_for_claim: bool = False
    is_too_late_for_efaktura: bool = False
    is_too_late_for_vipps: bool = False
    is_too_early_for_vipps: bool = False
    is_too_late_for_mailbox: bool = False
    is_too_late_for_email: bool = False
    is_past_safe_day: bool = False
    is_efaktura_silent: bool = False  # the register answered nothing at all in this run
    is_vipps_silent: bool = False
    is_krr_silent: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All three together: equal facts give equal plans."""

    resident: ResidentFacts
    invoice: InvoiceFacts
    day: DayFacts
