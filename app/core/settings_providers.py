"""The settings of what providers have in common, and of what they send to us."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator
from pydantic_settings import BaseSettings

SHORTEST_SECRET = 24


class ProviderSettings(BaseSettings):
    """Receipts by webhook."""

    eformidling_webhook_secret: str = ""

    @model_validator(mode="after")
    def _possible_providers(self) -> Self:
        """Impossible values stop the start."""
        if self.eformidling_webhook_secret and len(self.eformidling_webhook_secret) < SHORTEST_SECRET:
            raise ValueError(f"EFORMIDLING_WEBHOOK_SECRET must be at least {SHORTEST_SECRET} characters long")
        return self
