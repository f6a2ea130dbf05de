"""Everything a plan depends on, as plain values and as bits.

The bits are what the database keeps and joins on; `ResidentFacts.from_bits` and `as_bits` are inverse. The layout
of the bits is stored data: fields may be added at the end, never moved.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, Self, get_type_hints

from app.routing.channels import Answer, Kind, Mandate, SentClaim

MOST_BITS = 24
"""No kind of facts may need more, so that three of them fit side by side in one 64-bit key."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where one fact lies in the number: its possible values in order, its first bit and how many it takes."""

    values: tuple[Any, ...]
    first: int
    width: int

    def bits(self, value: object) -> int:
        """What *value* adds to the number. Raises ValueError for a value the fact cannot have."""
        return self.values.index(value) << self.first

    def value(self, bits: int) -> Any:
        """The fact in the number *bits*. Raises IndexError when no value has that code."""
        return self.values[bits >> self.first & (1 << self.width) - 1]

    @property
    def mask(self) -> int:
        """All bits of this fact."""
        return (1 << self.width) - 1 << self.first


class Bits:
    """Frozen dataclasses of yes/no and small closed lists that fit in one whole number."""

    __slots__ = ()
    _layouts: ClassVar[dict[type, dict[str, Field]]] = {}

    @classmethod
    def layout(cls) -> dict[str, Field]:
        """The fields in the order of their bits."""
        if cls not in Bits._layouts:
            Bits._layouts[cls] = _layout(cls)
        return Bits._layouts[cls]

    def as_bits(self) -> int:
        """The facts as one whole number of at most `MOST_BITS` bits."""
        return sum(field.bits(getattr(self, name)) for name, field in self.layout().items())

    @classmethod
    def from_bits(cls, bits: int) -> Self:
        """The facts that gave *bits*."""
        return cls(*[field.value(bits) for field in cls.layout().values()])

    @classmethod
    def weight(cls, name: str, value: object = True) -> int:
        """What the field *name* with *value* adds to the bits: for building the number in SQL."""
        return cls.layout()[name].bits(value)

    @classmethod
    def mask(cls, *names: str) -> int:
        """All bits of the fields *names*: for clearing them in SQL."""
        return sum(cls.layout()[name].mask for name in names)

    def as_words(self) -> dict[str, Any]:
        """Field by field, for people and JSON."""
        values = {name: getattr(self, name) for name in self.layout()}
        return {name: value.value if isinstance(value, StrEnum) else value for name, value in values.items()}


def _layout(cls: Any) -> dict[str, Field]:
    hints = get_type_hints(cls)
    layout, first = {}, 0
    for item in fields(cls):
        values = (False, True) if hints[item.name] is bool else tuple(hints[item.name])
        layout[item.name] = Field(values, first, (len(values) - 1).bit_length())
        first += layout[item.name].width
    if first > MOST_BITS:
        raise TypeError(f"{cls.__name__} needs {first} bits; {MOST_BITS} is the most")
    return layout


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
    sent_claim: SentClaim = SentClaim.NONE  # this invoice's own claim, already with the bank


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
    is_too_early_for_claim: bool = False
    is_too_late_for_bank_notice: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All three together: equal facts give equal plans."""

    resident: ResidentFacts
    invoice: InvoiceFacts
    day: DayFacts
