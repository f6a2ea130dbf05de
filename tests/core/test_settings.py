"""Settings are checked at start, and documented by name."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from app.core.errors import SettingsInvalid
from app.core.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "environment": "production",
    "database_url": "postgresql+psycopg://db/fakturaportalen",
    "base_url": "https://faktura.strand.kommune.no",
    "efaktura_token": "g",
    "vipps_client_id": "a",
    "vipps_client_secret": "b",
    "vipps_subscription_key": "c",
    "eformidling_user": "d",
    "eformidling_password": "e",
    "mail_server": "smtp.example.com",
    "sms_url": "46elks://user:password@Strand/{to}",
    "staff_issuer": "https://login.microsoftonline.com/0f4a4f0e-0000-4000-8000-000000000001/v2.0",
    "staff_client_secret": "f",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without ``.env``."""
    monkeypatch.chdir(tmp_path)


def test_everything_lies_under_the_instance_folder_unless_said_otherwise(tmp_path: Path) -> None:
    settings = load_settings(instance_dir=tmp_path / "here", outbox_dir=tmp_path / "out")
    assert settings.database_url == f"sqlite:///{tmp_path}/here/fakturaportalen.db"
    assert settings.inbox_dir == tmp_path / "here" / "inbox"
    assert settings.outbox_dir == tmp_path / "out"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_WAITS", "5m, 2h")
    monkeypatch.setenv("CHANNEL_LEAD_DAYS", "efaktura=7,vipps=3")
    monkeypatch.setenv("ROUTING_ORDER", "efaktura,avtalegiro,mailbox,vipps,email,paper")
    settings = load_settings()
    assert settings.retry_waits == (dt.timedelta(minutes=5), dt.timedelta(hours=2))
    assert settings.channel_lead_days == {"efaktura": 7, "vipps": 3}
    assert settings.routing_order[2] == "mailbox"


def test_an_unknown_name_in_the_settings_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LETTER_LED_DAYS=10\n")
    with pytest.raises(SettingsInvalid, match="LETTER_LED_DAYS is no setting"):
        load_settings()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"sandbox": True}, "SANDBOX must be off in production"),
        ({"today": "2026-01-01"}, "TODAY must be unset in production"),
        ({"database_url": ""}, "DATABASE_URL must be PostgreSQL"),
        ({"base_url": "http://faktura.strand.kommune.no"}, "BASE_URL must begin with https://"),
        ({"efaktura_token": ""}, "set EFAKTURA_TOKEN"),
        ({"mail_server": "", "eformidling_user": ""}, "set EFORMIDLING_USER, MAIL_SERVER"),
        ({"print_provider": "svarut"}, "set SVARUT_ACCOUNT, SVARUT_INTEGRATION_ID, SVARUT_INTEGRATION_PASSWORD"),
        ({"mailbox_provider": "svarut", "print_provider": "svarut"}, "set SVARUT_ACCOUNT"),
        ({"sms_url": ""}, "set SMS_URL"),
        ({"calls_per_second": "pigeon=1"}, "unknown provider in CALLS_PER_SECOND"),
        ({"eformidling_webhook_secret": "short"}, "at least 24 characters"),
        ({"mail_return_path": "retur@example.com"}, "MAIL_RETURN_PATH must hold"),
        ({"bounce_imap_server": "imap.example.com"}, "set BOUNCE_IMAP_USERNAME"),
        ({"bounce_imap_handled": "INBOX"}, "three folders"),
        ({"svarut_account": "konto-1"}, "SVARUT_ACCOUNT: .*UUID"),
        ({"mail_use_ssl": True}, "MAIL_USE_SSL and MAIL_USE_TLS cannot both"),
        ({"routing_order": "paper,email,efaktura,avtalegiro,vipps,mailbox"}, "with paper last"),
        ({"channel_price_ore": "pigeon=3"}, "unknown channel"),
        ({"sandbox_url": "http://127.0.0.1:9099"}, "SANDBOX_URL is where a process of stand-ins answers"),
        ({"call_timeouts": "connect=5, patience=3"}, "unknown phase in CALL_TIMEOUTS: patience"),
        ({"call_timeouts": "read=0"}, "CALL_TIMEOUTS"),
    ],
)
def test_what_cannot_be_stops_the_start_with_what_to_do(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsInvalid, match=sentence):
        load_settings(**{**PRODUCTION, **values})


def test_production_starts_when_everything_is_given() -> None:
    settings = load_settings(**PRODUCTION)
    assert not settings.sandbox
    assert not settings.national_id_synthetic


def test_production_needs_the_credentials_of_the_chosen_providers_alone() -> None:
    settings = load_settings(
        **{**PRODUCTION, "eformidling_user": "", "eformidling_password": ""},
        mailbox_provider="svarut",
        svarut_account="5e5a2a52-3c5b-4d0a-9d8b-6f0f6a1f2c11",
        svarut_integration_id="5e5a2a52-3c5b-4d0a-9d8b-6f0f6a1f2c12",
        svarut_integration_password="f",
    )
    assert settings.mailbox_provider == "svarut"


def test_no_error_text_holds_a_secret() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        load_settings(**{**PRODUCTION, "mail_password": "hemmelig", "seats": "many"})
    assert "hemmelig" not in str(raised.value)


def test_the_settings_page_names_every_setting_and_no_other() -> None:
    named = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
