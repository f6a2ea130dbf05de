"""Every provider in every situation: nothing is lost, nothing leaves twice, and the page tells it as it is."""

from __future__ import annotations

import pytest

from tests.delivery.town import Town
from tests.providers.page import PAGE, _looked_up, _matrix, asked, page, played
from tests.providers.places import PROVIDERS, Provider
from tests.providers.registers import REGISTERS, Register
from tests.providers.situations import LOST, STATUSES, Situation

STALE = "docs/providers.md no longer says what the program does: make providers"
OURS = (Situation.UNAUTHORIZED, Situation.FORBIDDEN)
SURELY_NOT_TAKEN = (*OURS, Situation.TOO_MANY, Situation.CONNECT_TIMEOUT)


def section(title: str) -> str:
    """What the page says under *title*."""
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(f"# {title}\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.title)
def test_no_situation_loses_an_invoice_or_asks_for_the_money_twice(provider: Provider, town: Town) -> None:
    cells = played(provider, town)
    assert {name: cell.takings for name, cell in cells.items() if cell.takings != _due(cell.end)} == {}
    for situation, cell in cells.items():
        assert not cell.end.startswith(("waits", "in transit")), (situation, cell)
        assert situation not in SURELY_NOT_TAKEN or cell.answer == "unavailable", situation
        assert situation not in OURS or cell.alarms == 1, "our own fault is told, and never leads on"
        assert situation not in LOST or cell.answer == "uncertain", "what may have been taken is asked about"
        assert situation not in (Situation.ACCEPTED, Situation.SLOW) or (cell.answer, cell.alarms) == ("accepted", 0)
    assert "taken back" in cells[Situation.LATE_REFUSAL].seen
    assert _matrix(cells) in section(provider.title), STALE


def _due(end: str) -> int:
    """One, unless it has come to rest where nobody is asked to pay: held for a person, or to be planned anew."""
    return 0 if end.startswith(("held", "planned")) else 1


@pytest.mark.parametrize("register", REGISTERS, ids=lambda register: register.title)
def test_a_register_that_does_not_answer_never_says_no(register: Register, town: Town) -> None:
    look_ups = asked(register, town)
    for situation, one in look_ups.items():
        is_answered = situation in (Situation.ACCEPTED, Situation.REFUSED)
        assert (one.answer != "unknown") == is_answered, situation
        assert " no" not in one.answer or situation is Situation.REFUSED or "reservation" in one.answer, situation
        assert bool(one.seen) != is_answered, situation
        assert one.needs_alarm or situation not in OURS, situation
        assert not one.needs_alarm or situation in STATUSES, situation
    assert _looked_up(look_ups) in section(register.title), STALE


def test_the_page_has_every_provider_register_and_rule_table() -> None:
    def made(cells_by_title: dict[str, str]) -> list[str]:
        return [line for line in cells_by_title["page"].splitlines() if line.startswith(("#", "| answer", "| at"))]

    empty = page({one.title: {} for one in PROVIDERS}, {one.title: {} for one in REGISTERS})
    written = PAGE.read_text(encoding="utf-8")
    assert made({"page": empty}) == made({"page": written}), STALE
    rules = [line for line in empty.splitlines() if line.startswith("| ") and "---" not in line]
    assert [line for line in rules if line not in written] == [], STALE
