"""Maskinporten: signed grants against tokens for Digdir's registers.

Source: docs.digdir.no maskinporten_protocol_jwtgrant and maskinporten_feilsoking (error codes MP-nnn).
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import structlog
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.clients.http import Answered, AnswerLost, CallFailed, NotSent, Outside, ServiceClient, until_answered
from app.clients.tokens import TokenCache
from app.core.client_keys import ALGORITHM, make_private_key, read_private_key, tell_stand_in
from app.core.settings import Settings

log = structlog.get_logger(__name__)

PROVIDER = "maskinporten"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# They allow 120; the rest is for clocks that differ.
GRANT_SECONDS = 100
KEY_FILE, PUBLIC_KEYS_FILE = "maskinporten.pem", "maskinporten-jwks.json"

_ERROR_CODE = re.compile(r"MP-\d{3}")
_ERROR_WORD = re.compile(r"[a-z_]{1,40}")


class TokenRefused(NotSent):
    """Maskinporten did not give a token: ours to repair, whatever was to be asked was not asked."""


class Maskinporten:
    """Tokens by scope, kept until 20 seconds before they end. Safe for threads."""

    def __init__(
        self, outside: Outside, *, issuer: str, client_id: str, key: RSAKey, now: Callable[[], float] = time.time
    ) -> None:
        self._http = ServiceClient(PROVIDER, issuer, outside)
        # The audience is the issuer with its slash; the address of the token endpoint is refused.
        self._issuer, self._client_id, self._key, self._now = issuer, client_id, key, now
        self._tokens = TokenCache(self._fetch, now)

    def authorized(self, scope: str, call: Callable[[str], Answered]) -> Answered:
        """The answer of *call* with a token for *scope*; after 401 once more, with a new token.

        Raises `TokenRefused` or `NotSent` when there is no token, and whatever *call* raises.
        """
        return self._tokens.authorized(scope, call)

    def token(self, scope: str) -> str:
        """A token for *scope* (one), from the cache or fetched. Raises `TokenRefused` or `NotSent`."""
        return self._tokens.token(scope)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _fetch(self, scope: str) -> tuple[str, float]:
        try:
            answered = until_answered(lambda: self._ask(scope))
            if answered.is_success:
                content = answered.json_object()
                return str(content["access_token"]), float(content["expires_in"])
        except CallFailed as error:
            failure = NotSent(PROVIDER, error.detail, needs_alarm=error.needs_alarm)
        except (KeyError, TypeError, ValueError):
            failure = NotSent(PROVIDER, "the answer has no usable access_token and expires_in")
        else:
            failure = _refusal(answered)
        raise failure

    def _ask(self, scope: str) -> Answered:
        # A grant works once, so each try has its own.
        return self._http.call("POST", "token", data={"grant_type": GRANT, "assertion": self._assertion(scope)})

    def _assertion(self, scope: str) -> str:
        issued = int(self._now())
        # Exactly these: any other claim is refused.
        claims = {
            "aud": self._issuer,
            "iss": self._client_id,
            "scope": scope,
            "iat": issued,
            "exp": issued + GRANT_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])


def _refusal(answered: Answered) -> NotSent:
    """What went wrong, with Maskinporten's code and none of its free text."""
    try:
        content = answered.json_object()
    except AnswerLost:
        content = {}
    word = _ERROR_WORD.fullmatch(str(content.get("error") or ""))
    code = _ERROR_CODE.search(str(content.get("error_description") or ""))
    parts = [str(answered.status), word[0] if word else "", code[0] if code else ""]
    detail = f"no token: {' '.join(part for part in parts if part)}"
    if answered.status == 429 or answered.status >= 500:
        return NotSent(PROVIDER, detail)
    log.error("maskinporten_refused", detail=detail)
    return TokenRefused(PROVIDER, detail, needs_alarm=True)


def client_key(settings: Settings) -> RSAKey:
    """The key registered with Maskinporten, under ``INSTANCE_DIR/keys``; raises `SettingsInvalid`.

    Where the sandbox answers, the key is made when it is missing, and its public half registered with the stand-in.
    """
    path = settings.keys_dir / KEY_FILE
    if settings.sandbox:
        make_private_key(path)
    missing = f"there is no key for Maskinporten: put the registered RSA key into {path}"
    key = read_private_key(path, settings.maskinporten_key_id, missing)
    if settings.sandbox:
        client = {"client_id": settings.maskinporten_client_id, "keys": [key.as_dict(private=False)]}
        tell_stand_in(settings.sandbox_dir / PUBLIC_KEYS_FILE, client)
    return key
