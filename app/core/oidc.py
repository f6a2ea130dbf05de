"""An OpenID client by Authlib, with what Authlib 1.9 leaves open closed; source: identity.md §1.6.

Authlib brings `requests`, which stays inside log-in: everything else calls out by httpx.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from authlib.common.urls import add_params_to_qs
from authlib.integrations.base_client import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import current_app
from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import RSAKey
from requests.adapters import BaseAdapter

from app.core.client_keys import ALGORITHM
from app.core.settings import Settings

LEEWAY_SECONDS = 10
TIMEOUT_SECONDS = 10.0
KEYS_REST_SECONDS = 30.0


class IssuerMismatch(Exception):
    """The metadata or the answer names another issuer than the setting."""


class LogInRefused(Exception):
    """The answer of the provider lets nobody in; ``reason`` is the rule it broke, never personal."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeyJWT(PrivateKeyJWT):  # type: ignore[misc]  # Authlib has no types
    """``private_key_jwt`` under *key*, with *header* beside ``alg`` and ``kid``.

    Authlib's own lives an hour, has no ``kid`` and no ``client_id`` in the form, and gives every assertion the same
    ``jti`` when claims are passed to it.
    """

    name = "private_key_jwt"
    seconds: ClassVar[int]

    def __init__(self, key: RSAKey, header: Mapping[str, str]) -> None:
        super().__init__()
        self._key, self._header = key, {"alg": ALGORITHM, **header}

    def wanted(self, token_endpoint: str, now: int) -> dict[str, Any]:
        """What this provider wants beside the claims that every one wants; ``aud`` at least."""
        raise NotImplementedError

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """One assertion, for one use within ``seconds``."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": auth.client_id,
            "sub": auth.client_id,
            "iat": now,
            "exp": now + self.seconds,
            "jti": secrets.token_urlsafe(24),
            **self.wanted(token_endpoint, now),
        }
        return jwt.encode(self._header, claims, self._key, algorithms=[ALGORITHM])

    def __call__(self, auth: Any, method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
        """The token request with the assertion, and with ``client_id``, which providers demand beside it."""
        uri, headers, body = super().__call__(auth, method, uri, headers, body)
        if "client_id=" not in body:
            body = add_params_to_qs(body, [("client_id", auth.client_id)])
        headers["Content-Length"] = str(len(body))
        return uri, headers, body


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


def kept_client(name: str, make: Callable[[Settings], StrictApp]) -> StrictApp:
    """The client *name* of this application, made from its settings when first needed; raises what *make* raises."""
    extension = f"{name}_oidc"
    found: StrictApp | None = current_app.extensions.get(extension)
    if found is None:
        found = make(current_app.config["SETTINGS"])
        current_app.extensions[extension] = found
    return found


def make_client(
    name: str, issuer: str, client_id: str, secret: RSAKey | str, *, method: KeyJWT | None = None
) -> StrictApp:
    """A client of *issuer*. *method*: how it signs with its key, the *secret*; none: a secret in the form."""
    client: StrictApp = OAuth(current_app).register(
        name,
        client_cls=StrictApp,
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_auth_methods=[method] if method else None,
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": method.name if method else "client_secret_post",
        },
    )
    client.issuer = issuer
    return client


def believed(client: StrictApp, claims_options: dict[str, Any]) -> Mapping[str, Any]:
    """The claims of the id_token that the reader came back for: signed, for us, now, and asked for by this browser.

    Raises `LogInRefused`, and what `requests` raises when the provider is not reached.
    """
    try:
        token = client.authorize_access_token(leeway=LEEWAY_SECONDS, claims_options=claims_options)
    except MismatchingStateError:
        raise LogInRefused("state") from None
    except OAuthError as error:
        raise LogInRefused("aborted" if error.error == "access_denied" else "provider") from None
    except (MissingClaimError, InvalidClaimError) as error:
        raise LogInRefused(str(error.claim)) from None
    except (JoseError, IssuerMismatch, ValueError) as error:
        raise LogInRefused(type(error).__name__) from None
    person: Mapping[str, Any] | None = token.get("userinfo")
    if person is None:
        raise LogInRefused("no_id_token")
    return person
