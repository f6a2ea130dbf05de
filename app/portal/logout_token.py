"""Reads the token by which ID-porten says that a session has ended; source: identity.md §1.5, OIDC Back-Channel 1.0.

The token may hold a national id in ``sub``: neither it nor its content is ever logged.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.core.client_keys import ALGORITHM
from app.core.dialect import insert_ignoring
from app.core.oidc import LEEWAY_SECONDS, StrictApp
from app.core.sessions import provider_hash
from app.portal.models import SpentLogoutToken

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPES = ("logout+jwt", "application/logout+jwt")
LONGEST_LIFE = 3600


class LogoutTokenInvalid(ValueError):
    """Not a log-out token of our provider's for us; says which rule it breaks, and nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """Which of the provider's sessions ended, and the token's own id until it is too old."""

    sid: str
    jti: str
    expires_at: dt.datetime


def read_logout_token(client: StrictApp, text: str, now: dt.datetime) -> LogoutToken:
    """The meaning of *text* at the real moment *now*. Raises `LogoutTokenInvalid`."""
    try:
        try:
            token = _decoded(text, client.fetch_jwk_set())
        except InvalidKeyIdError:
            token = _decoded(text, client.fetch_jwk_set(force=True))
    except (JoseError, ValueError) as error:
        raise LogoutTokenInvalid(type(error).__name__) from None
    if str(token.header.get("typ", "")).lower() not in TYPES:
        raise LogoutTokenInvalid("typ")
    return _checked(dict(token.claims), client.issuer, client.client_id, now)


def spend(session: Session, issuer: str, token: LogoutToken, now: dt.datetime) -> bool:
    """Mark *token* as used, in the caller's transaction; whether this was the first time."""
    session.execute(delete(SpentLogoutToken).where(SpentLogoutToken.expires_at < now))
    mark = insert_ignoring(session, SpentLogoutToken).values(
        token_hash=provider_hash(issuer, token.jti), expires_at=token.expires_at
    )
    return session.execute(mark.returning(SpentLogoutToken.expires_at)).one_or_none() is not None


def _decoded(text: str, keys: dict[str, Any]) -> jwt.Token:
    # ID-porten puts x5c into the header, which says nothing more than kid.
    registry = JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
    return jwt.decode(text, KeySet.import_key_set(keys), registry=registry)  # type: ignore[arg-type]


def _checked(claims: dict[str, Any], issuer: str, client_id: str, now: dt.datetime) -> LogoutToken:
    issued, expires, moment = claims.get("iat"), claims.get("exp"), now.timestamp()
    event = claims.get("events")
    rules = {
        "iss": claims.get("iss") == issuer,
        "aud": claims.get("aud") in (client_id, [client_id]),
        "iat": isinstance(issued, int) and moment - LONGEST_LIFE < issued <= moment + LEEWAY_SECONDS,
        "exp": isinstance(expires, int) and moment - LEEWAY_SECONDS < expires <= moment + LONGEST_LIFE,
        "jti": isinstance(claims.get("jti"), str) and bool(claims["jti"]),
        "sid": isinstance(claims.get("sid"), str) and bool(claims["sid"]),
        "events": isinstance(event, dict) and isinstance(event.get(EVENT), dict),
        "nonce": "nonce" not in claims,
    }
    broken = [rule for rule, is_kept in rules.items() if not is_kept]
    if broken:
        raise LogoutTokenInvalid(", ".join(broken))
    until = dt.datetime.fromtimestamp(int(claims["exp"]) + LEEWAY_SECONDS, dt.UTC)
    return LogoutToken(claims["sid"], claims["jti"], until)
