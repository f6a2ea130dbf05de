"""The tokens that the ID-porten stand-in signs, in ID-porten's shape; source: identity.md §1.4 and §1.5."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt

from app.sandbox.idporten_store import IdportenStore
from app.sandbox.keys import SandboxKey

ID_TOKEN_LIFE, LOGOUT_TOKEN_LIFE = 120, 300
BACKCHANNEL_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class Tokens:
    """Signs for one *issuer*, with the key of the store."""

    def __init__(self, issuer: str, key: SandboxKey, store: IdportenStore) -> None:
        self._issuer, self._key, self._store = issuer, key, store

    def id_token(self, granted: Mapping[str, str]) -> str:
        """Who logged in; without ``pid`` when the population register does not know them."""
        claims = {
            **self._common(granted, granted["client_id"], ID_TOKEN_LIFE),
            "acr": granted["acr"],
            "amr": ["TestID"],
            "nonce": granted["nonce"],
            "locale": "nb",
            "auth_time": int(granted["auth_time"]),
        }
        return self._signed(claims | ({"pid": granted["pid"]} if granted["pid"] else {}), "JWT")

    def logout_token(self, person: Mapping[str, str], client_id: str) -> str:
        """That the session of *person* has ended."""
        events: dict[str, Any] = {BACKCHANNEL_EVENT: {}}
        claims = self._common(person, client_id, LOGOUT_TOKEN_LIFE) | {"events": events}
        return self._signed(claims, "logout+jwt")

    def _common(self, person: Mapping[str, str], client_id: str, life: int) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self._issuer,
            "aud": client_id,
            "sub": self._key.hidden("subject", client_id, person["pid"] or person["sid"]),
            "sid": person["sid"],
            "iat": now,
            "exp": now + life,
            "jti": secrets.token_urlsafe(16),
        }

    def _signed(self, claims: dict[str, Any], kind: str) -> str:
        key = self._store.key()
        return jwt.encode({"alg": "RS256", "typ": kind, "kid": key.kid}, claims, key, algorithms=["RS256"])
