"""The municipality's own OpenID provider by Authlib, in the shape of Entra ID; other providers by settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.links import address
from app.core.oidc import KeyJWT, StrictApp, kept_client, make_client
from app.core.settings import Settings
from app.staff.access import Role
from app.staff.oidc_key import CALLBACK, StaffKey, register_with_stand_in, staff_key

# What the stand-in calls its one tenant.
STAND_IN = "/sandbox/entra/5a7db0c0-0000-4000-8000-0000000000e1/v2.0"
LONGEST_SUBJECT = 100


class NoRole(Exception):
    """Somebody of the municipality without a role here: ``role``; or the claim did not fit into the token:
    ``overage``."""


class StaffKeyJWT(KeyJWT):
    """As Entra ID wants it: the token endpoint as ``aud``, the certificate's thumbprint.

    Source: Microsoft's page "Microsoft identity platform application authentication certificate credentials".
    """

    seconds = 300

    def __init__(self, key: StaffKey) -> None:
        thumbprint = {"x5t#S256": key.thumbprint} if key.thumbprint else {}
        super().__init__(key.key, {"typ": "JWT", "kid": key.key_id, **thumbprint})

    def wanted(self, token_endpoint: str, now: int) -> dict[str, Any]:
        """The token endpoint, and no use before now."""
        return {"aud": token_endpoint, "nbf": now}


def issuer_of(settings: Settings) -> str:
    """Who logs the municipality's people in: the setting, else the stand-in on this site."""
    return settings.staff_issuer.rstrip("/") or address(settings, STAND_IN)


def provider() -> StrictApp:
    """The client, made when first needed. Raises `SettingsInvalid` when its key cannot be used."""
    return kept_client("staff", _make)


def _make(settings: Settings) -> StrictApp:
    key = staff_key(settings) if settings.staff_key_id else None
    secret = register_with_stand_in(settings, key) if _is_stand_in(settings) else settings.staff_client_secret
    method = StaffKeyJWT(key) if key else None
    return make_client(
        "staff", issuer_of(settings), settings.staff_client_id, key.key if key else secret, method=method
    )


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
