"""ID-porten by Authlib, with what Authlib 1.9 leaves open closed; source: identity.md §1 and its traps in §1.6."""

from __future__ import annotations

import secrets
import time
from typing import Any

from authlib.common.urls import add_params_to_qs
from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, current_app
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.core.oidc import ALGORITHM, StrictApp
from app.core.settings import Settings
from app.portal.idporten_key import client_key

PRODUCTION_ISSUER = "https://idporten.no"
ASSERTION_SECONDS = 60
LEVELS = {
    "substantial": ("idporten-loa-substantial", "idporten-loa-high"),
    "high": ("idporten-loa-high",),
}


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


def issuer_of(settings: Settings) -> str:
    """Who logs residents in: the setting, else the stand-in on this site, else ID-porten's production."""
    own = f"{settings.base_url.rstrip('/')}/sandbox/idporten" if settings.sandbox else PRODUCTION_ISSUER
    return settings.idporten_issuer.rstrip("/") or own


def idporten() -> StrictApp:
    """The client, made when first needed. Raises `SettingsInvalid` when its key cannot be used."""
    found: StrictApp | None = current_app.extensions.get("idporten")
    if found is None:
        found = _make(current_app)
        current_app.extensions["idporten"] = found
    return found


def _make(app: Flask) -> StrictApp:
    settings: Settings = app.config["SETTINGS"]
    issuer, key = issuer_of(settings), client_key(settings)
    client: StrictApp = OAuth(app).register(
        "idporten",
        client_cls=StrictApp,
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
