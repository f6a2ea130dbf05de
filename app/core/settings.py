"""One frozen, typed settings object, built from the environment and checked at start.

Source of every name and default: docs/settings.md. Development runs with no environment at all.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from app.core.categories import Category, CategoryTable, read_categories
from app.core.errors import SettingsInvalid
from app.core.settings_staff import StaffSettings
from app.core.settings_values import CHANNELS, Durations, Leads, Names, Offsets, Prices, RoutingOrder


class Environment(StrEnum):
    """Where the program runs. Only ``production`` reaches real residents."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


# What the sandbox takes as account and integration at SvarUt.
MADE_UP = UUID("5a7db0c0-0000-4000-8000-000000000001")


class Settings(StaffSettings):
    """Every setting of the product. Unknown names in ``.env`` stop the start."""

    model_config = SettingsConfigDict(env_file=".env", frozen=True, extra="forbid", env_ignore_empty=True)

    environment: Environment = Environment.DEVELOPMENT
    instance_dir: Path = Path("instance")
    database_url: str = ""
    documents_url: str = ""
    inbox_dir: Path = Path()
    outbox_dir: Path = Path()
    sandbox_dir: Path = Path()
    base_url: str = "http://127.0.0.1:8000"
    today: dt.date | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # The municipality
    municipality_name: str = "Strand kommune"
    organisation_number: str = "946485764"
    municipality_address: str = "Postboks 115, 4126 Jørpeland"
    contact_phone: str = "51 74 30 00"
    contact_email: str = "postmottak@example.com"
    contact_hours: str = "9–14"
    accessibility_statement_url: str = ""
    default_language: Literal["nb", "nn", "en"] = "nn"

    # Routing
    routing_order: RoutingOrder = CHANNELS
    letter_lead_days: int = Field(14, ge=0, le=60)
    channel_lead_days: Leads = Field({"efaktura": 5, "vipps": 3, "mailbox": 3, "email": 1, "paper": 0})
    vipps_max_days: int = 365
    reservation_closes_email: bool = True
    email_requires_confirmation: bool = False
    categories_file: Path | None = None
    channel_price_ore: Prices = Field(
        {"avtalegiro": 150, "efaktura": 300, "vipps": 350, "mailbox": 450, "email": 5, "paper": 2200}
    )

    # AvtaleGiro
    avtalegiro_lead_days: int = Field(10, ge=4, le=60)
    avtalegiro_kid_fixed: str = ""
    avtalegiro_notice: Literal["document", "bank"] = "document"
    avtalegiro_data_sender: str = "00000001"

    # Delivery
    retry_waits: Durations | None = None
    claim_lease: Durations = (dt.timedelta(minutes=5),)
    email_settle_days: int | None = None
    seats: int = Field(4, ge=1, le=64)
    paper_brake: float = Field(1.5, gt=1)
    paper_brake_share: float = Field(0.4, gt=0, le=1)
    refusal_brake: float = Field(3.0, gt=1)
    refusal_brake_share: float = Field(0.05, gt=0, le=1)
    brake_minimum: int = 200
    allowed_recipients: Names = ()
    mailbox_provider: Literal["eformidling", "svarut"] = "eformidling"
    print_provider: Literal["batch", "eformidling", "svarut"] = "batch"

    # Intake
    max_file_bytes: int = 20_000_000

    # National ids
    national_id_synthetic: bool | None = None
    national_id_accepts_2032_rule: bool | None = None
    national_id_offsets: Offsets = ("80",)

    # Outside services
    sandbox: bool | None = None
    sandbox_url: str = ""
    maskinporten_issuer: str = "https://maskinporten.no/"
    maskinporten_client_id: str = "fakturaportalen"
    maskinporten_key_id: str = "fakturaportalen-1"
    krr_url: str = "https://kontaktregisteret.no"
    efaktura_url: str = "https://efaktura-gateway.sandbox"
    efaktura_token: str = ""
    vipps_url: str = "https://invoice-api.vipps.no"
    vipps_client_id: str = ""
    vipps_client_secret: str = ""
    vipps_subscription_key: str = ""
    eformidling_url: str = "http://localhost:9093"
    eformidling_user: str = ""
    eformidling_password: str = ""
    svarut_url: str = "https://svarut.ks.no/api"
    svarut_account: UUID | None = None
    svarut_integration_id: UUID | None = None
    svarut_integration_password: str = ""
    svarut_giro_form: Literal["slip", "payment", "never"] = "slip"

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)

    @model_validator(mode="before")
    @classmethod
    def _places(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Everything the program writes lies under INSTANCE_DIR, unless another setting says so."""
        instance = Path(values.get("instance_dir") or "instance").absolute()
        values["instance_dir"] = instance
        values["database_url"] = values.get("database_url") or f"sqlite:///{instance / 'fakturaportalen.db'}"
        values["documents_url"] = values.get("documents_url") or str(instance / "documents")
        for name in ("inbox", "outbox", "sandbox"):
            values[f"{name}_dir"] = Path(values.get(f"{name}_dir") or instance / name).absolute()
        values["bounce_maildir"] = Path(values.get("bounce_maildir") or values["inbox_dir"] / "bounces").absolute()
        is_production = values.get("environment") == Environment.PRODUCTION
        is_development = values.get("environment", Environment.DEVELOPMENT) == Environment.DEVELOPMENT
        values.setdefault("sandbox", not is_production)
        if not is_production:
            values.setdefault("svarut_account", MADE_UP)
            values.setdefault("svarut_integration_id", MADE_UP)
        values.setdefault("national_id_synthetic", not is_production)
        values.setdefault("national_id_accepts_2032_rule", not is_production)
        values.setdefault("email_settle_days", 0 if is_development else 2)
        values.setdefault("retry_waits", "0" if is_development else "5m,30m,2h,6h")
        return values

    @model_validator(mode="after")
    def _possible(self) -> Self:
        """Impossible combinations stop the start."""
        unknown = (set(self.channel_lead_days) | set(self.channel_price_ore)) - set(CHANNELS)
        if unknown:
            raise ValueError(f"unknown channel in CHANNEL_LEAD_DAYS or CHANNEL_PRICE_ORE: {', '.join(sorted(unknown))}")
        if self.sandbox_url and not self.sandbox:
            raise ValueError("SANDBOX_URL is where a process of stand-ins answers: set SANDBOX on, or take it away")
        if self.environment is Environment.PRODUCTION:
            self._fit_for_production()
        return self

    def _fit_for_production(self) -> None:
        if self.sandbox:
            raise ValueError("SANDBOX must be off in production: no stand-in may answer for a real service")
        if self.today:
            raise ValueError("TODAY must be unset in production: the real date counts")
        if self.database_url.startswith("sqlite"):
            raise ValueError("DATABASE_URL must be PostgreSQL in production: postgresql+psycopg://…")
        if not self.base_url.startswith("https://"):
            raise ValueError("BASE_URL must begin with https:// in production: links and log-ins lead there")
        needed = {
            "EFAKTURA_TOKEN": self.efaktura_token,
            "VIPPS_CLIENT_ID": self.vipps_client_id,
            "VIPPS_CLIENT_SECRET": self.vipps_client_secret,
            "VIPPS_SUBSCRIPTION_KEY": self.vipps_subscription_key,
        }
        providers = {self.mailbox_provider, self.print_provider}
        if "eformidling" in providers:
            needed |= {"EFORMIDLING_USER": self.eformidling_user, "EFORMIDLING_PASSWORD": self.eformidling_password}
        if "svarut" in providers:
            needed |= {
                "SVARUT_ACCOUNT": str(self.svarut_account or ""),
                "SVARUT_INTEGRATION_ID": str(self.svarut_integration_id or ""),
                "SVARUT_INTEGRATION_PASSWORD": self.svarut_integration_password,
            }
        needed |= {"MAIL_SERVER": self.mail_server, "SMS_URL": self.sms_url, **self.staff_needs}
        missing = [name for name, value in needed.items() if not value]
        if missing:
            raise ValueError(f"set {', '.join(missing)}: production needs them")

    @property
    def keys_dir(self) -> Path:
        """Where the keys lie: outside the database and its backups."""
        return self.instance_dir / "keys"

    @property
    def lease(self) -> dt.timedelta:
        """How long a claim of work is believed when its process cannot be looked up."""
        return self.claim_lease[0]

    @property
    def categories(self) -> CategoryTable:
        """The invoice categories in force."""
        return read_categories(self.categories_file)

    def category(self, key: str | None) -> Category:
        """The row for *key*, or the default row."""
        return self.categories.row(key)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises `SettingsInvalid` with a sentence for each thing that is wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        sentences = [_sentence(dict(fault)) for fault in error.errors(include_input=False, include_url=False)]
        raise SettingsInvalid("; ".join(sentences)) from None


def _sentence(fault: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in fault["loc"]).upper()
    if fault["type"] == "extra_forbidden":
        return f"{name} is no setting of this program: see docs/settings.md for the names"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}" if name else message
