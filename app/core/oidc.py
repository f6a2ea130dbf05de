"""An OpenID client by Authlib, with what Authlib 1.9 leaves open closed; source: identity.md §1.6.

Authlib brings `requests`, which stays inside log-in: everything else calls out by httpx.
"""

from __future__ import annotations

import time
from typing import Any

from authlib.integrations.flask_client import FlaskOAuth2App
from authlib.integrations.requests_client import OAuth2Session
from flask import current_app
from requests.adapters import BaseAdapter

from app.core.settings import Settings

ALGORITHM = "RS256"
LEEWAY_SECONDS = 10
TIMEOUT_SECONDS = 10.0
KEYS_REST_SECONDS = 30.0


class IssuerMismatch(Exception):
    """The metadata or the answer names another issuer than the setting."""


class BoundedSession(OAuth2Session):  # type: ignore[misc]  # Authlib has no types
    """Never waits without end, never follows elsewhere, and reaches the stand-in in this process."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, default_timeout=TIMEOUT_SECONDS, **options)
        adapter: BaseAdapter | None = current_app.config["LOG_IN_ADAPTER"]
        if adapter is not None:
            settings: Settings = current_app.config["SETTINGS"]
            self.mount(f"{settings.base_url.rstrip('/')}/sandbox/", adapter)

    def request(self, *arguments: Any, **options: Any) -> Any:
        """As requests does, but a redirect is an answer."""
        return super().request(*arguments, **{**options, "allow_redirects": False})


class StrictApp(FlaskOAuth2App):  # type: ignore[misc]
    """Authlib's client, which believes the metadata only when it names the issuer that the settings name."""

    client_cls = BoundedSession
    issuer = ""
    _keys_asked_at = -KEYS_REST_SECONDS

    def load_server_metadata(self) -> dict[str, Any]:
        """The metadata, kept for the life of the process; one algorithm, whatever it says. Raises `IssuerMismatch`."""
        metadata: dict[str, Any] = super().load_server_metadata()
        if metadata.get("issuer") != self.issuer:
            self.server_metadata.clear()
            raise IssuerMismatch
        metadata["id_token_signing_alg_values_supported"] = [ALGORITHM]
        return metadata

    def fetch_jwk_set(self, force: bool = False) -> dict[str, Any]:
        """The provider's keys; asked for anew at most twice a minute, however many unknown keys strangers name."""
        is_rested = time.monotonic() - self._keys_asked_at >= KEYS_REST_SECONDS
        if force and is_rested:
            self._keys_asked_at = time.monotonic()
        found: dict[str, Any] = super().fetch_jwk_set(force=force and is_rested)
        return found
