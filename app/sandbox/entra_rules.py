"""What Entra ID demands of a log-in request and of a token request; source: Microsoft's pages on its v2.0 endpoints."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.sandbox.idporten_rules import ASSERTION_TYPE, Refused

CLIENT_FILE = "entra-client.json"
ALGORITHMS = ["RS256", "PS256"]
LONGEST_ASSERTION = 600
CLOCK_LEEWAY = 10

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class EntraClient:
    """The one app registration, written by our side as ``SANDBOX_DIR/entra-client.json``."""

    client_id: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    secret_sha256: str
    keys: tuple[Mapping[str, Any], ...]
    thumbprint: str | None


def read_client(directory: Path) -> EntraClient | None:
    """The registered client, or None before anyone has registered."""
    try:
        found = json.loads((directory / CLIENT_FILE).read_bytes())
    except FileNotFoundError:
        return None
    return EntraClient(
        found["client_id"],
        tuple(found["redirect_uris"]),
        tuple(found["post_logout_redirect_uris"]),
        found["secret_sha256"],
        tuple(found["keys"]),
        found["thumbprint"],
    )


def check_log_in(asked: Mapping[str, str]) -> None:
    """Every rule of the log-in request but client and redirect_uri. Raises `Refused`."""
    rules = {
        "response_type must be code": asked.get("response_type") == "code",
        "scope must hold openid": "openid" in asked.get("scope", "").split(),
        "code_challenge_method must be S256": asked.get("code_challenge_method") == "S256",
        "code_challenge is missing or wrong": bool(_CHALLENGE.fullmatch(asked.get("code_challenge", ""))),
        "state is missing": bool(asked.get("state")),
        "nonce is missing": bool(asked.get("nonce")),
        "response_mode must be query": asked.get("response_mode", "query") == "query",
    }
    broken = [rule for rule, is_kept in rules.items() if not is_kept]
    if broken:
        raise Refused("invalid_request", "; ".join(broken))


def check_proof(form: Mapping[str, str], client: EntraClient, token_endpoint: str, now: float) -> str:
    """That the client is who it says: by its secret, or by an assertion, whose ``jti`` this gives. Raises `Refused`."""
    if form.get("client_id") != client.client_id:
        raise Refused("invalid_client", "client_id is missing or unknown")
    if "client_assertion" in form:
        return _check_assertion(form, client, token_endpoint, now)
    given = hashlib.sha256(form.get("client_secret", "").encode()).hexdigest()
    if client.keys or not hmac.compare_digest(given, client.secret_sha256):
        raise Refused("invalid_client", "the secret is wrong, or a key is registered instead")
    return ""


def _check_assertion(form: Mapping[str, str], client: EntraClient, token_endpoint: str, now: float) -> str:
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in form:
        raise Refused("invalid_client", "one way of proof at a time")
    try:
        keys = KeySet.import_key_set({"keys": [dict(key) for key in client.keys]})
        token = jwt.decode(form["client_assertion"], keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError, KeyError) as error:
        raise Refused("invalid_client", f"unknown key or wrong signature: {type(error).__name__}") from None
    claims, expires = token.claims, token.claims.get("exp")
    rules = {
        "x5t#S256 must be the registered certificate's": token.header.get("x5t#S256") == client.thumbprint,
        "iss and sub must be the client_id": claims.get("iss") == claims.get("sub") == client.client_id,
        "aud must be the token endpoint": claims.get("aud") == token_endpoint,
        "jti is required": isinstance(claims.get("jti"), str),
        "exp must be within ten minutes": isinstance(expires, int) and now < expires <= now + LONGEST_ASSERTION,
        "nbf must be past": isinstance(claims.get("nbf"), int) and claims["nbf"] <= now + CLOCK_LEEWAY,
    }
    broken = [rule for rule, is_kept in rules.items() if not is_kept]
    if broken:
        raise Refused("invalid_client", "; ".join(broken))
    return str(claims["jti"])
