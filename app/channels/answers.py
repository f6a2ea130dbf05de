"""A client's judgement, said in the words of the channel contract."""

from __future__ import annotations

from app.channels.contract import Outcome, Result
from app.clients.rules import Judgement

LONGEST_DETAIL = 200


def result(judgement: Judgement, provider_reference: str | None = None) -> Result:
    """The `Result` of *judgement*; the reference is kept only where something was taken, or may have been."""
    return Result(
        outcome=Outcome(judgement.verdict.value),
        provider_reference=provider_reference,
        detail=judgement.detail[:LONGEST_DETAIL],
        needs_alarm=judgement.needs_alarm,
        retry_after=judgement.retry_after,
    )
