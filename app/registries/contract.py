"""What the refresh asks of a register, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.registries.models import Register
from app.routing.channels import Answer


@dataclass(frozen=True, slots=True)
class Target:
    """One resident to ask about, with what the registers know people by. repr shows the id alone."""

    resident_id: int
    national_id: str | None = field(default=None, repr=False)
    name: str = field(default="", repr=False)
    postal_code: str = field(default="", repr=False)
    address_line: str = field(default="", repr=False)
    mobile: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """What one register says about one resident. ``reference``: the eFaktura identifier, or whose the mailbox is."""

    register: Register
    answer: Answer
    reference: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking about some residents; whoever is not in ``said`` is unknown.

    ``calls``: made; ``answered_calls``: with an answer that could be used. ``failure``: the last one, without personal
    data; ``needs_alarm``: no later run can help until somebody repairs something.
    """

    said: Mapping[int, Sequence[Said]]
    calls: int
    answered_calls: int
    failure: str | None = None
    needs_alarm: bool = False


class Registry(Protocol):
    """One outside register. ``registers``: the answers that it gives; ``chunk``: how many residents it is asked about
    at a time. `ask` never raises for what the register does, and is called from several threads."""

    @property
    def provider(self) -> str: ...
    @property
    def registers(self) -> tuple[Register, ...]: ...
    @property
    def chunk(self) -> int: ...

    def ask(self, targets: Sequence[Target]) -> Reply:
        """Ask about at most ``chunk`` residents."""
        ...
