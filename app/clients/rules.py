"""What an answer means for what was handed over: a table beside its source, and the one function that reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.clients.http import Answered, CallFailed, NotSent


class Verdict(StrEnum):
    """What came of handing something over; the words of `app.channels.contract.Outcome`."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: answers from ``lowest`` to ``highest`` status, with this provider ``code`` (None: any).

    ``needs_alarm``: our own fault, or somebody must look. ``source``: where it is written, or whose judgement it is.
    """

    lowest: int
    highest: int
    code: str | None
    verdict: Verdict
    needs_alarm: bool
    source: str

    def fits(self, status: int, code: str | None) -> bool:
        """Whether the row is about this answer."""
        return self.lowest <= status <= self.highest and self.code in {None, code}


def rule(status: int, verdict: Verdict, source: str, *, code: str | None = None, needs_alarm: bool = False) -> Rule:
    """A row about a single status."""
    return Rule(status, status, code, verdict, needs_alarm, source)


OURS = "our judgement: only a documented refusal of this recipient leads on"
# After a provider's own rows. A 5xx may come after the message was taken, so it is asked about before it is resent.
GENERAL = (
    Rule(100, 299, None, Verdict.UNCERTAIN, True, "our judgement: a success nobody documented"),
    Rule(300, 399, None, Verdict.UNAVAILABLE, True, "our judgement: the service has moved, and we never follow"),
    Rule(401, 401, None, Verdict.UNAVAILABLE, True, OURS),
    Rule(403, 403, None, Verdict.UNAVAILABLE, True, OURS),
    Rule(408, 408, None, Verdict.UNCERTAIN, False, "RFC 9110 §15.5.9: the server gave up waiting"),
    Rule(429, 429, None, Verdict.UNAVAILABLE, False, "RFC 6585 §4"),
    Rule(400, 499, None, Verdict.UNAVAILABLE, True, OURS),
    Rule(500, 599, None, Verdict.UNCERTAIN, False, "our judgement: taken or not, the status does not say"),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what delivery needs beside it. ``detail`` is a status, a code or a short fact."""

    verdict: Verdict
    detail: str
    needs_alarm: bool = False
    retry_after: dt.timedelta | None = None


def judge(rules: Sequence[Rule], answered: Answered, code: str | None = None) -> Judgement:
    """What *answered* means by the first row that fits: the provider's *rules*, then `GENERAL`."""
    row = next((row for row in (*rules, *GENERAL) if row.fits(answered.status, code)), GENERAL[-1])
    seconds = answered.retry_after_seconds if row.verdict is Verdict.UNAVAILABLE else None
    return Judgement(
        row.verdict,
        f"{answered.status} {code}" if code else str(answered.status),
        row.needs_alarm,
        dt.timedelta(seconds=seconds) if seconds is not None else None,
    )


def judge_failure(failure: CallFailed) -> Judgement:
    """What a call without an answer means for something that was to be handed over."""
    verdict = Verdict.UNAVAILABLE if isinstance(failure, NotSent) else Verdict.UNCERTAIN
    return Judgement(verdict, failure.detail, failure.needs_alarm)
