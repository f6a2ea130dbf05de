"""The municipality's own OpenID provider by Authlib, in the shape of Entra ID; other providers by settings."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from authlib.common.urls import add_params_to_qs
from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, current_app
from joserfc import jwt

from app.core.oidc import ALGORITHM, StrictApp
from app.core.settings import Settings
from app.staff.access import Role
from app.staff.oidc_key import CALLBACK, StaffKey, address, register_with_stand_in, staff_key

# What the stand-in calls its one tenant.
STAND_IN = "/sandbox/entra/5a7db0c0-0000-4000-8000-0000000000e1/v2.0"
ASSERTION_SECONDS = 300
LONGEST_SUBJECT = 100


class NoRole(Exception):
    """Somebody of the municipality without a role here: ``role``; or the claim did not fit into the token:
    ``overage``."""


class StaffKeyJWT(PrivateKeyJWT):  # type: ignore[misc]  # Authlib has no types
    """``private_key_jwt`` as Entra ID wants it: the token endpoint as ``aud``, the certificate's thumbprint.

    Source: Microsoft's page "Microsoft identity platform application authentication certificate credentials".
    """

    name = "private_key_jwt"

    def __init__(self, key: StaffKey) -> None:
        super().__init__()
        self._key = key

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """One assertion, for one use within five minutes."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": auth.client_id,
            "sub": auth.client_id,
            "aud": token_endpoint,
            "iat": now,
            "nbf": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
        header: dict[str, Any] = {"alg": ALGORITHM, "typ": "JWT", "kid": self._key.key_id}
        if self._key.thumbprint:
            header["x5t#S256"] = self._key.thumbprint
        return jwt.encode(header, claims, self._key.key, algorithms=[ALGORITHM])

    def __call__(self, auth: Any, method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
        """The token request with the assertion, and with ``client_id``, which Entra ID demands beside it."""
        uri, headers, body = super().__call__(auth, method, uri, headers, body)
        if "client_id=" not in body:
            body = add_params_to_qs(body, [("client_id", auth.client_id)])
        headers["Content-Length"] = str(len(body))
        return uri, headers, body


def issuer_of(settings: Settings) -> str:
    """Who logs the municipality's people in: the setting, else the stand-in on this site."""
    return settings.staff_issuer.rstrip("/") or settings.base_url.rstrip("/") + STAND_IN


def provider() -> StrictApp:
    """The client, made when first needed. Raises `SettingsInvalid` when its key cannot be used."""
    found: StrictApp | None = current_app.extensions.get("staff_oidc")
    if found is None:
        found = _make(current_app)
        current_app.extensions["staff_oidc"] = found
    return found


def _make(app: Flask) -> StrictApp:
    settings: Settings = app.config["SETTINGS"]
    key = staff_key(settings) if settings.staff_key_id else None
    secret = register_with_stand_in(settings, key) if _is_stand_in(settings) else settings.staff_client_secret
    way = "private_key_jwt" if key else "client_secret_post"
    client: StrictApp = OAuth(app).register(
        "staff",
        client_cls=StrictApp,
        client_id=settings.staff_client_id,
        client_secret=key.key if key else secret,
        server_metadata_url=f"{issuer_of(settings)}/.well-known/openid-configuration",
        client_auth_methods=[StaffKeyJWT(key)] if key else None,
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": way,
        },
    )
    client.issuer = issuer_of(settings)
    return client


def _is_stand_in(settings: Settings) -> bool:
    return bool(settings.sandbox) and not settings.staff_issuer


def claims_options(settings: Settings) -> dict[str, Any]:
    """What the id_token must say. A fresh dict each time: Authlib empties parts of the one it is given."""
    return {
        "iss": {"essential": True, "value": issuer_of(settings)},
        "aud": {"essential": True, "value": settings.staff_client_id},
        "sub": {"essential": True},
        settings.staff_subject_claim: {"essential": True},
    }


def role_of(settings: Settings, person: Mapping[str, Any]) -> Role:
    """The highest role that the claim gives *person*. Raises `NoRole`.

    Entra ID leaves ``groups`` out when there are more than 200, and says so by ``_claim_names`` or ``hasgroups``.
    """
    given = person.get(settings.staff_claim)
    values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    roles = [Role(settings.staff_roles[value]) for value in values if value in settings.staff_roles]
    if roles:
        return max(roles, key=lambda role: role.rank)
    elsewhere = person.get("_claim_names")
    is_left_out = isinstance(elsewhere, dict) and settings.staff_claim in elsewhere
    is_overage = settings.staff_claim == "groups" and (is_left_out or bool(person.get("hasgroups")))
    raise NoRole("overage" if is_overage else "role")


def subject_of(settings: Settings, person: Mapping[str, Any]) -> str:
    """The provider's own id of *person*. Raises ValueError when it is none that can be kept."""
    found = str(person[settings.staff_subject_claim])
    if not found or len(found) > LONGEST_SUBJECT or not found.isprintable():
        raise ValueError("the subject cannot be kept")
    return found


def name_of(person: Mapping[str, Any]) -> str:
    """What *person* is called, as the provider says."""
    return str(person.get("name") or person.get("preferred_username") or person["sub"])[:120]


def callback(settings: Settings) -> str:
    """Where the provider leads back to."""
    return address(settings, CALLBACK)
