"""What ID-porten demands of a log-in request and of a token request; source: identity.md §1.2 and §1.3."""

from __future__ import annotations

import base64
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

CLIENT_FILE = "idporten-client.json"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ["RS256", "RS384", "RS512"]
LEVELS = ("idporten-loa-substantial", "idporten-loa-high")
SCOPE = {"openid", "profile"}
LONGEST_ASSERTION = 120
CLOCK_LEEWAY = 10

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_STATE = re.compile(r"[\x20-\x7e]{1,500}")


class Refused(Exception):
    """An OAuth error: its code, and what is wrong in words that hold nothing personal."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


@dataclass(frozen=True, slots=True)
class Client:
    """The one client that our side registered by writing ``SANDBOX_DIR/idporten-client.json``."""

    client_id: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    backchannel_logout_uri: str
    keys: tuple[Mapping[str, Any], ...]


def read_client(directory: Path) -> Client | None:
    """The registered client, or None before anyone has registered."""
    try:
        found = json.loads((directory / CLIENT_FILE).read_bytes())
    except FileNotFoundError:
        return None
    return Client(
        found["client_id"],
        tuple(found["redirect_uris"]),
        tuple(found["post_logout_redirect_uris"]),
        found["backchannel_logout_uri"],
        tuple(found["keys"]),
    )


def check_log_in(asked: Mapping[str, str]) -> None:
    """Every rule of the log-in request but client and redirect_uri. Raises `Refused`."""
    rules = {
        "response_type must be code": asked.get("response_type") == "code",
        "scope must be openid profile": set(asked.get("scope", "").split()) == SCOPE,
        "code_challenge_method must be S256": asked.get("code_challenge_method") == "S256",
        "code_challenge is missing or wrong": bool(_CHALLENGE.fullmatch(asked.get("code_challenge", ""))),
        "state is missing or wrong": bool(_STATE.fullmatch(asked.get("state", ""))),
        "nonce is missing": bool(asked.get("nonce")),
        "acr_values names an unknown level": set(asked.get("acr_values", LEVELS[0]).split()) <= set(LEVELS),
        "response_mode must be query": asked.get("response_mode", "query") == "query",
    }
    broken = [rule for rule, is_kept in rules.items() if not is_kept]
    if broken:
        raise Refused("invalid_request", "; ".join(broken))


def check_client(form: Mapping[str, str], client: Client, issuer: str, now: float) -> str:
    """The ``jti`` of a right client assertion. Raises `Refused`."""
    if form.get("client_id") != client.client_id:
        raise Refused("invalid_client", "client_id is required in the form, and must be the assertion's")
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in form:
        raise Refused("invalid_client", "this client authenticates by private_key_jwt alone")
    try:
        keys = KeySet.import_key_set({"keys": [dict(key) for key in client.keys]})
        token = jwt.decode(form.get("client_assertion", ""), keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError, KeyError) as error:
        raise Refused("invalid_client", f"unknown key or wrong signature: {type(error).__name__}") from None
    if "kid" not in token.header or "x5c" in token.header:
        raise Refused("invalid_client", "a client with a registered key must use kid")
    return _check_claims(dict(token.claims), client, issuer, now)


def _check_claims(claims: Mapping[str, Any], client: Client, issuer: str, now: float) -> str:
    issued, expires, identifier = (claims.get(name) for name in ("iat", "exp", "jti"))
    rules = {
        "iss and sub must be the client_id": claims.get("iss") == claims.get("sub") == client.client_id,
        "aud must be the issuer, and nothing else": claims.get("aud") == issuer,
        "jti is required": isinstance(identifier, str) and len(identifier) >= 16,
        "iat and exp are required": isinstance(issued, int) and isinstance(expires, int),
    }
    broken = [rule for rule, is_kept in rules.items() if not is_kept]
    if not broken and isinstance(issued, int) and isinstance(expires, int):
        is_now = issued - CLOCK_LEEWAY <= now < expires
        if not is_now or expires - issued > LONGEST_ASSERTION:
            broken.append(f"the assertion is not of now, or lives longer than {LONGEST_ASSERTION} seconds")
    if broken:
        raise Refused("invalid_client", "; ".join(broken))
    return str(identifier)


def check_verifier(verifier: str, challenge: str) -> None:
    """PKCE with S256. Raises `Refused`."""
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(made, challenge):
        raise Refused("invalid_grant", "code_verifier is missing or wrong")
