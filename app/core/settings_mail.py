"""The settings of mail: how it leaves, and where what comes back is collected."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from app.core.settings_providers import ProviderSettings

KEY = "{key}"


class MailSettings(ProviderSettings):
    """Sending by Flask-Mail's names; bounces from a Maildir, and from an IMAP box when one is named."""

    mail_server: str = ""
    mail_port: int = 587
    mail_use_tls: bool = True
    mail_use_ssl: bool = False
    mail_username: str = ""
    mail_password: str = ""
    mail_default_sender: str = "Strand kommune <faktura@example.com>"
    mail_timeout: float = 20.0
    mail_ca_file: Path | None = None
    mail_return_path: str = ""

    bounce_maildir: Path = Path()
    bounce_imap_server: str = ""
    bounce_imap_port: int = 993
    bounce_imap_use_ssl: bool = True
    bounce_imap_username: str = ""
    bounce_imap_password: str = ""
    bounce_imap_folder: str = "INBOX"
    bounce_imap_handled: str = "Handled"
    bounce_imap_unmatched: str = "Unmatched"
    bounce_soft_limit: int = Field(3, ge=0)

    @model_validator(mode="after")
    def _possible_mail(self) -> Self:
        """Impossible combinations stop the start."""
        if self.mail_use_ssl and self.mail_use_tls:
            raise ValueError("MAIL_USE_SSL and MAIL_USE_TLS cannot both be on: choose one")
        if self.mail_return_path and self.mail_return_path.partition("@")[0].count(KEY) != 1:
            raise ValueError("MAIL_RETURN_PATH must hold {key} once, before the @: returned+{key}@example.com")
        if self.bounce_imap_server and not (self.bounce_imap_username and self.bounce_imap_password):
            raise ValueError("set BOUNCE_IMAP_USERNAME and BOUNCE_IMAP_PASSWORD: BOUNCE_IMAP_SERVER needs them")
        places = (self.bounce_imap_folder, self.bounce_imap_handled, self.bounce_imap_unmatched)
        if len(set(places)) < len(places):
            raise ValueError("BOUNCE_IMAP_FOLDER, BOUNCE_IMAP_HANDLED and BOUNCE_IMAP_UNMATCHED must be three folders")
        return self
