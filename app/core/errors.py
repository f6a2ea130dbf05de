"""The few kinds of failure the rest of the code can tell apart."""

from __future__ import annotations

from typing import ClassVar


class AppError(Exception):
    """Something a user or operator can act on.

    ``status`` is what the web layer answers with, ``exit_code`` what a command ends with
    (1: something needs a person, 2: wrong use).
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1


class SettingsInvalid(AppError):
    """The settings cannot be used; the text says which and what to do."""

    exit_code = 2


class FileRejected(AppError):
    """A whole file cannot be used. Nothing of it was stored.

    ``source`` is the file's name, ``row`` the line or record (1-based) and ``field`` the column, where known.
    """

    def __init__(self, source: str, reason: str, *, row: int | None = None, field: str | None = None) -> None:
        self.source, self.reason, self.row, self.field = source, reason, row, field
        place = ", ".join([source, *([f"row {row}"] if row else []), *([field] if field else [])])
        super().__init__(f"{place}: {reason}")


class NotFound(AppError):
    """There is no such invoice, resident or file."""

    status = 404


class NotPossible(AppError):
    """The thing exists, but its state forbids what was asked."""

    status = 409
