"""Looking many people up in one call, so that one bad entry never spoils the answers about the others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from app.clients.http import Answered, AnswerLost, CallFailed, NotSent

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Said = TypeVar("Said")

# Halving 1000 down to one bad entry takes 11 refusals. Many more without a success are not about an entry.
MOST_REFUSALS_IN_A_ROW = 25


class ChunkRefused(CallFailed):
    """The whole question was refused with a 4xx that one of its entries may be the cause of."""


@dataclass(frozen=True, slots=True)
class LookUp(Generic[Key, Said]):
    """What the register said, by key; who is not in it was not answered for.

    ``calls``: how many were made, ``answered_calls``: how many of them brought an answer that could be used.
    ``failure`` is the last failure, in words without personal data.
    """

    answers: Mapping[Key, Said] = field(repr=False)
    calls: int
    answered_calls: int
    failure: str | None = None
    needs_alarm: bool = False


def ask_in_halves(items: Sequence[Item], ask: Callable[[Sequence[Item]], Mapping[Key, Said]]) -> LookUp[Key, Said]:
    """Ask about all *items* at once; when that is refused, about each half, down to the entry at fault.

    *ask* raises `ChunkRefused` for a refusal of its entries and any other `CallFailed` for what splitting cannot help,
    which ends the asking: whoever is left is not answered for.
    """
    answers: dict[Key, Said] = {}
    calls = answered = refused_in_a_row = 0
    failure: CallFailed | None = None
    waiting = [items] if items else []
    while waiting:
        chunk, calls = waiting.pop(), calls + 1
        try:
            answers.update(ask(chunk))
        except ChunkRefused as refused:
            failure, refused_in_a_row = refused, refused_in_a_row + 1
            if refused_in_a_row > MOST_REFUSALS_IN_A_ROW:
                failure = NotSent(refused.provider, f"{refused.detail} to every question", needs_alarm=True)
                break
            if len(chunk) > 1:
                middle = len(chunk) // 2
                waiting += [chunk[middle:], chunk[:middle]]
        except CallFailed as failed:
            failure = failed
            break
        else:
            answered, refused_in_a_row = answered + 1, 0
    return LookUp(answers, calls, answered, str(failure) if failure else None, bool(failure and failure.needs_alarm))


def check_look_up(answered: Answered) -> None:
    """Raise what a look-up without success means: `ChunkRefused`, `NotSent` (with alarm for our own rights) or
    `AnswerLost`. An expired key must not look like a bad entry, or a thousand calls would follow."""
    if answered.is_success:
        return
    detail = f"answered {answered.status}"
    if answered.status in {401, 403, 404, 405} or answered.status < 400:
        raise NotSent(answered.provider, detail, needs_alarm=True)
    if answered.status in {408, 429} or answered.status >= 500:
        raise AnswerLost(answered.provider, detail)
    raise ChunkRefused(answered.provider, detail)
