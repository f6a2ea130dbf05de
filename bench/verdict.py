"""What the witnesses say after the kill test: how often every invoice asks for its money."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from app.sandbox.witness import REFERENCE_LENGTH, count_instance


def judge(report: Mapping[str, Any], instance: Path, engine: Engine, kills: int) -> dict[str, Any]:
    """The verdict of the witnesses: how often every invoice asks for its money, against how often it should."""
    witnesses, not_sent = count_instance(instance), set(report["not_sent"])
    with engine.connect() as connection:
        numbers = list(connection.execute(text("SELECT number FROM invoice ORDER BY id")).scalars())
        unreasoned = connection.execute(
            text("SELECT count(*) FROM delivery WHERE state = 'held' AND hold IS NULL")
        ).scalar_one()
    # A claim's reference keeps 25 characters, so numbers with the same end are counted together.
    groups: dict[str, list[str]] = {}
    for number in numbers:
        groups.setdefault(number[-REFERENCE_LENGTH:], []).append(number)
    lost: list[str] = []
    double: list[str] = []
    for end, members in groups.items():
        names = {*members, end}
        standing = [one for name in names for one in witnesses.standing.get(name, ())]
        asked = sum(one.kind in ("demand", "claim") for one in standing)
        wanted = sum(number not in not_sent for number in members)
        # What is held may have its claim at the bank, and lack only the notice: so more than one is double, not one.
        (lost if asked < wanted else double if asked > len(members) else []).append(end)
        if any(Counter(one.invoice for one in standing if one.kind == "notice")[number] > 1 for number in members):
            double.append(end)
    for name, ends in (("lost", lost), ("double", double)):
        if ends:
            print(f"{name}: {', '.join(ends[:20])}", file=sys.stderr)
    return {
        "invoices": len(numbers),
        "kills": kills,
        "lost": len(lost),
        "double": len(double),
        "held_without_reason": unreasoned,
        "balanced": report["balanced"],
    }
