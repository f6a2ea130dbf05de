"""ID-porten by Authlib, with what Authlib 1.9 leaves open closed; source: identity.md §1 and its traps in §1.6."""

from __future__ import annotations

from typing import Any

from joserfc.jwk import RSAKey

from app.core.links import address
from app.core.oidc import KeyJWT, StrictApp, kept_client, make_client
from app.core.settings import Settings
from app.portal.idporten_key import client_key

PRODUCTION_ISSUER = "https://idporten.no"
LEVELS = {
    "substantial": ("idporten-loa-substantial", "idporten-loa-high"),
    "high": ("idporten-loa-high",),
}


class IdportenKeyJWT(KeyJWT):
    """As ID-porten wants it: itself as ``aud``, where Authlib would send the token endpoint."""

    seconds = 60

    def __init__(self, issuer: str, key: RSAKey) -> None:
        super().__init__(key, {"kid": str(key.kid)})
        self._issuer = issuer

    def wanted(self, token_endpoint: str, now: int) -> dict[str, Any]:
        """The issuer."""
        return {"aud": self._issuer}


def issuer_of(settings: Settings) -> str:
    """Who logs residents in: the setting, else the stand-in on this site, else ID-porten's production."""
    own = address(settings, "/sandbox/idporten") if settings.sandbox else PRODUCTION_ISSUER
    return settings.idporten_issuer.rstrip("/") or own


def idporten() -> StrictApp:
    """The client, made when first needed. Raises `SettingsInvalid` when its key cannot be used."""
    return kept_client("idporten", _make)


def _make(settings: Settings) -> StrictApp:
    issuer, key = issuer_of(settings), client_key(settings)
    method = IdportenKeyJWT(issuer, key)
    return make_client("idporten", issuer, settings.idporten_client_id, key, method=method)


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
