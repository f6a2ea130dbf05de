"""Moments in claims, counted from when the claim is made: tests are gathered long before the last of them runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FromNow:
    """So many *seconds* from now; negative: before."""

    seconds: int

    def __str__(self) -> str:
        return f"{self.seconds:+}s"


def settled(claims: Mapping[str, Any]) -> dict[str, Any]:
    """*claims* with every `FromNow` as seconds since 1970."""
    now = int(time.time())
    return {name: now + value.seconds if isinstance(value, FromNow) else value for name, value in claims.items()}
