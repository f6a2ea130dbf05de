"""Commits a piece of work, and does it again when someone else changed the same rows in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

Result = TypeVar("Result")

_TRIES = 3


def commit(session: Session, work: Callable[[], Result]) -> Result:
    """The result of *work*, committed. *work* may run several times, each time on what the database says then.

    Raises IntegrityError when it clashes three times in a row; the transaction is rolled back.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            result = work()
            session.commit()
        except IntegrityError:
            session.rollback()
            if not tries_left:
                raise
        except BaseException:
            session.rollback()
            raise
        else:
            return result
    raise AssertionError("the last try returns or raises")
