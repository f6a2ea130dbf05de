"""What the registers said in one run, counted: for reports, and to tell a silent register from one without answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.registries.models import Register
from app.routing.channels import Answer

# From so many residents on, a register that knows nothing of any of them has not really answered.
ENOUGH_TO_TELL = 20


@dataclass(slots=True)
class Tally:
    """What one register said in one run. ``residents`` = ``yes`` + ``no`` + ``unknown``."""

    residents: int = 0
    yes: int = 0
    no: int = 0
    unknown: int = 0
    calls: int = 0
    answered_calls: int = 0

    def count(self, answer: Answer) -> None:
        """One resident more."""
        self.residents += 1
        self.yes += answer is Answer.YES
        self.no += answer is Answer.NO
        self.unknown += answer is Answer.UNKNOWN

    @property
    def is_silent(self) -> bool:
        """Whether the register was asked and said nothing at all."""
        if not self.calls:
            return False
        return not self.answered_calls or (self.residents >= ENOUGH_TO_TELL and self.unknown == self.residents)


@dataclass(frozen=True, slots=True)
class RegistryRun:
    """What a run came to. ``changed``: answers that differ from those before. ``failures``: the last failure by
    provider; ``alarms``: those of them that somebody must repair. Neither holds personal data."""

    tallies: Mapping[Register, Tally]
    changed: int
    failures: Mapping[str, str]
    alarms: Mapping[str, str]

    @property
    def silent(self) -> frozenset[Register]:
        """The registers that answered nothing at all though asked: what waits for them is held by the brake."""
        return frozenset(register for register, tally in self.tallies.items() if tally.is_silent)

    @property
    def calls(self) -> int:
        """Calls to registers; one that gives two answers counts once."""
        return sum(tally.calls for register, tally in self.tallies.items() if register is not Register.RESERVATION)

    @property
    def consumption(self) -> dict[str, dict[str, int]]:
        """What was asked of each provider: ``calls``, ``residents`` asked about, and for how many it had no answer.

        KRR answers about mailbox and reservation in one call.
        """
        asked = {"krr": Register.MAILBOX, "efaktura": Register.EFAKTURA, "vipps": Register.VIPPS}
        tallies = {provider: self.tallies[register] for provider, register in asked.items()}
        return {
            provider: {"calls": tally.calls, "residents": tally.residents, "unknown": tally.unknown}
            for provider, tally in tallies.items()
        }

    def as_json(self) -> dict[str, dict[str, int]]:
        """Counts by register, for reports."""
        return {
            register.value: {
                "asked": tally.residents,
                "yes": tally.yes,
                "no": tally.no,
                "unknown": tally.unknown,
                "calls": tally.calls,
            }
            for register, tally in self.tallies.items()
        }
