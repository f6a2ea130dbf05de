"""ID-porten by Authlib, with what Authlib 1.9 leaves open closed; source: identity.md §1 and its traps in §1.6."""

from __future__ import annotations

import secrets
import time
from typing import Any

from authlib.common.urls import add_params_to_qs
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, current_app
from joserfc import jwt
from joserfc.jwk import RSAKey
from requests.adapters import BaseAdapter

from app.core.settings import Settings
from app.portal.idporten_key import client_key

PRODUCTION_ISSUER = "https://idporten.no"
ALGORITHM = "RS256"
ASSERTION_SECONDS = 60
LEEWAY_SECONDS = 10
TIMEOUT_SECONDS = 10.0
KEYS_REST_SECONDS = 30.0
LEVELS = {
    "substantial": ("idporten-loa-substantial", "idporten-loa-high"),
    "high": ("idporten-loa-high",),
}


class IssuerMismatch(Exception):
    """The metadata or the answer names another issuer than the setting."""


class IdportenKeyJWT(PrivateKeyJWT):  # type: ignore[misc]  # Authlib has no types
    """``private_key_jwt`` as ID-porten wants it.

    Authlib's own sends the token endpoint as ``aud``, lives an hour, has no ``kid`` and no ``client_id`` in the form,
    and gives every assertion the same ``jti`` when claims are passed to it.
    """

    name = "private_key_jwt"

    def __init__(self, issuer: str, key: RSAKey) -> None:
        super().__init__()
        self._issuer, self._key = issuer, key

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """One assertion, for one use within a minute."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": auth.client_id,
            "sub": auth.client_id,
            "aud": self._issuer,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])

    def __call__(self, auth: Any, method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
        """The token request with the assertion, and with ``client_id``, which ID-porten demands beside it."""
        uri, headers, body = super().__call__(auth, method, uri, headers, body)
        if "client_id=" not in body:
            body = add_params_to_qs(body, [("client_id", auth.client_id)])
        headers["Content-Length"] = str(len(body))
        return uri, headers, body


class BoundedSession(OAuth2Session):  # type: ignore[misc]
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


class IdportenApp(FlaskOAuth2App):  # type: ignore[misc]
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


def issuer_of(settings: Settings) -> str:
    """Who logs residents in: the setting, else the stand-in on this site, else ID-porten's production."""
    own = f"{settings.base_url.rstrip('/')}/sandbox/idporten" if settings.sandbox else PRODUCTION_ISSUER
    return settings.idporten_issuer.rstrip("/") or own


def idporten() -> IdportenApp:
    """The client, made when first needed. Raises `SettingsInvalid` when its key cannot be used."""
    found: IdportenApp | None = current_app.extensions.get("idporten")
    if found is None:
        found = _make(current_app)
        current_app.extensions["idporten"] = found
    return found


def _make(app: Flask) -> IdportenApp:
    settings: Settings = app.config["SETTINGS"]
    issuer, key = issuer_of(settings), client_key(settings)
    client: IdportenApp = OAuth(app).register(
        "idporten",
        client_cls=IdportenApp,
        client_id=settings.idporten_client_id,
        client_secret=key,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_auth_methods=[IdportenKeyJWT(issuer, key)],
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "private_key_jwt",
        },
    )
    client.issuer = issuer
    return client


def claims_options(settings: Settings) -> dict[str, Any]:
    """What the id_token must say. A fresh dict each time: Authlib empties parts of the one it is given.

    Naming any claim switches Authlib's own check of ``iss`` off, so ``iss`` and ``aud`` are named too.
    """
    return {
        "iss": {"essential": True, "value": issuer_of(settings)},
        "aud": {"essential": True, "value": settings.idporten_client_id},
        "sub": {"essential": True},
        "sid": {"essential": True},
        "pid": {"essential": True},
        "acr": {"essential": True, "values": list(LEVELS[settings.idporten_level])},
    }
