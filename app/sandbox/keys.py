"""The sandbox's own secret: tokens that any process can check, and ids that hide what they stand for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

KEY_FILE = "sandbox.key"


class TokenInvalid(ValueError):
    """A token that this sandbox did not issue, or that has run out (``expired``)."""

    def __init__(self, expired: bool = False) -> None:
        super().__init__("the token has run out" if expired else "the token is not of this sandbox")
        self.expired = expired


class SandboxKey:
    """Made once per directory; two processes that start together end with the same."""

    def __init__(self, directory: Path) -> None:
        secret = _read_or_make(directory)
        self._secret = secret
        self._signing = OctKey.import_key(hashlib.sha256(b"signing" + secret).digest())
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"sealing" + secret).digest()))

    def hidden(self, *parts: str) -> str:
        """32 hexadecimal characters that are always the same for *parts*, and tell nothing about them."""
        return hmac.new(self._secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:32]

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT (HS256) with *claims*."""
        return jwt.encode({"alg": "HS256"}, claims, self._signing)

    def check(self, token: str, now: float) -> dict[str, Any]:
        """The claims of a token from :meth:`sign`; raises `TokenInvalid`."""
        try:
            claims: dict[str, Any] = dict(jwt.decode(token, self._signing, algorithms=["HS256"]).claims)
        except (JoseError, ValueError):
            raise TokenInvalid from None
        if claims.get("exp", 0) <= now:
            raise TokenInvalid(expired=True)
        return claims

    def seal(self, content: dict[str, str], now: float) -> str:
        """An unreadable token with *content*."""
        return self._fernet.encrypt_at_time(json.dumps(content).encode(), int(now)).decode()

    def unseal(self, token: str, now: float, life_seconds: int) -> dict[str, str]:
        """The content of a token from :meth:`seal`; raises `TokenInvalid`."""
        try:
            sealed_at = self._fernet.extract_timestamp(token)
            content: dict[str, str] = json.loads(self._fernet.decrypt(token))
        except (InvalidToken, ValueError, TypeError):
            raise TokenInvalid from None
        if sealed_at + life_seconds < now:
            raise TokenInvalid(expired=True)
        return content


def _read_or_make(directory: Path) -> bytes:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / KEY_FILE
    if not path.exists():
        own = directory / f"{KEY_FILE}.{secrets.token_hex(8)}"
        own.touch(mode=0o600)
        own.write_bytes(secrets.token_bytes(32))
        try:
            os.link(own, path)
        except FileExistsError:
            pass
        finally:
            own.unlink()
    return path.read_bytes()
