"""What comes back from a call: an answer, or one of two failures that callers must tell apart.

The errors carry the provider's name and a short fact, never an address, a header or a body, which may hold national
ids.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any


class CallFailed(Exception):
    """A call without an answer. ``needs_alarm``: no later try can help until somebody repairs something."""

    def __init__(self, provider: str, detail: str, *, needs_alarm: bool = False) -> None:
        super().__init__(f"{provider}: {detail}")
        self.provider, self.detail, self.needs_alarm = provider, detail, needs_alarm


class NotSent(CallFailed):
    """Nothing of the request reached the provider: no connection, no free connection, a bad certificate."""


class AnswerLost(CallFailed):
    """The provider may have taken it: time-out or reset after sending began, or an answer that cannot be read."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the provider answered, whatever its status. repr hides the content."""

    provider: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def retry_after_seconds(self) -> float | None:
        """The header ``Retry-After``, given as seconds or as a date; None when absent or unreadable."""
        return _retry_after(self.headers.get("retry-after", ""))

    def json(self) -> Any:
        """The content as JSON. Raises `AnswerLost`, since what was meant is not known."""
        try:
            return json.loads(self.content)
        except ValueError:
            pass
        raise AnswerLost(self.provider, f"answered {self.status} with something that is not JSON")

    def json_object(self) -> dict[str, Any]:
        """The content as a JSON object. Raises `AnswerLost`."""
        value = self.json()
        if not isinstance(value, dict):
            raise AnswerLost(self.provider, f"answered {self.status} with something that is not a JSON object")
        return value


def _retry_after(value: str) -> float | None:
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
