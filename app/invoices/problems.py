"""What can be wrong with a file that comes in, as values that a report can hold."""

from __future__ import annotations

from typing import NamedTuple

from app.core.errors import AppError


class IntakeProblem(NamedTuple):
    """One thing wrong: the file's name, the line in it (1-based, None when it is no matter of a line), the field, why.

    ``reason`` is a plain English sentence for operators and holds no value from the file: a value could be a
    national id.
    """

    source: str
    row: int | None
    field: str | None
    reason: str


class InvoiceUnreadable(AppError):
    """A file is no invoice we can use; nothing of it was stored. ``problems`` has at least one entry."""

    def __init__(self, *problems: IntakeProblem) -> None:
        self.problems = problems
        super().__init__("; ".join(_sentence(problem) for problem in problems))


def _sentence(problem: IntakeProblem) -> str:
    place = [
        problem.source,
        *([f"row {problem.row}"] if problem.row else []),
        *([problem.field] if problem.field else []),
    ]
    return f"{', '.join(place)}: {problem.reason}"
