"""The settings of what providers have in common, and of what they send to us."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from app.core.settings_values import Calls, Seconds

SHORTEST_SECRET = 24
PHASES = ("connect", "read", "write", "total")
PROVIDERS = ("maskinporten", "krr", "efaktura", "vipps", "eformidling", "svarut")


class ProviderSettings(BaseSettings):
    """How hard a provider may be pressed, when it is left in peace, and the secret it calls us with."""

    calls_per_second: Calls = {"vipps": 300}
    call_timeouts: Seconds = {"connect": 5.0, "read": 30.0, "write": 30.0, "total": 120.0}
    breaker_failures: int = Field(10, ge=1)
    breaker_rest_seconds: float = Field(30.0, gt=0)
    eformidling_webhook_secret: str = ""
    digipost_payment_data: bool = False
    sms_url: str = ""
    sms_sender: str = Field("Strand", pattern=r"^[A-Za-z0-9 ]{1,11}$|^\+?[0-9]{3,15}$")
    avtalegiro_follow_up_days: int = Field(5, ge=1, le=90)
    avtalegiro_sftp_url: str = ""
    avtalegiro_sftp_host_key: str = ""
    avtalegiro_sftp_key_file: Path | None = None
    avtalegiro_sftp_password: str = ""

    @model_validator(mode="after")
    def _possible_providers(self) -> Self:
        """Impossible values stop the start."""
        if self.eformidling_webhook_secret and len(self.eformidling_webhook_secret) < SHORTEST_SECRET:
            raise ValueError(f"EFORMIDLING_WEBHOOK_SECRET must be at least {SHORTEST_SECRET} characters long")
        unknown = set(self.calls_per_second) - set(PROVIDERS)
        if unknown:
            raise ValueError(f"unknown provider in CALLS_PER_SECOND: {', '.join(sorted(unknown))}")
        strange = set(self.call_timeouts) - set(PHASES)
        if strange:
            raise ValueError(f"unknown phase in CALL_TIMEOUTS: {', '.join(sorted(strange))}")
        return self
