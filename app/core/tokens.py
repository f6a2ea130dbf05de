"""Signed, expiring links; each purpose has its own salt, so a token for one is noise to another."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from itsdangerous import BadData, SignatureExpired, TimedSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

# Payloads are ids: three times the longest we make. Longer ones are refused before any hashing.
LONGEST_TOKEN = 512
# Payload (a dot before it: compressed), time and signature, the last as 32 bytes in base64 the way we write them.
# Readers of base64 skip strange characters and the last two bits, so a right signature would have many spellings.
TOKEN = re.compile(r"\.?[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{1,11}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


class LinkExpired(ValueError):
    """The link was ours and is too old."""


class LinkInvalid(ValueError):
    """The link is not ours, is for another purpose, or was changed on the way."""


class _Serializer(URLSafeTimedSerializer):
    """Reads what the library's own wrote too, but never tries to compress: with ids that takes as long as signing."""

    def dump_payload(self, obj: Any) -> bytes:
        """*obj* as JSON in base64."""
        return base64_encode(TimedSerializer.dump_payload(self, obj))


@dataclass(frozen=True, slots=True)
class LinkSigner:
    """Signs and reads the tokens of one purpose.

    keys: newest last; the newest signs, all of them read, so keys can be changed without breaking links.
    The payload is readable by anyone who has the token: ids only.
    """

    keys: tuple[str, ...] = field(repr=False)
    purpose: str
    lifetime: timedelta
    _serializer: _Serializer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.keys or not all(self.keys):
            raise ValueError("a link signer needs at least one key, and no empty ones")
        serializer = _Serializer(
            list(self.keys),
            salt=self.purpose,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
        object.__setattr__(self, "_serializer", serializer)

    def sign(self, payload: Mapping[str, str | int]) -> str:
        """The token of *payload*, safe in a URL. Raises ValueError when it would be too long to be read again."""
        token = str(self._serializer.dumps(dict(payload)))
        if len(token) > LONGEST_TOKEN:
            raise ValueError("payload too long for a link: put an id in it")
        return token

    def read(self, token: str) -> dict[str, str | int]:
        """The payload of *token*. Raises `LinkExpired` or `LinkInvalid`."""
        if len(token) > LONGEST_TOKEN or not TOKEN.fullmatch(token):
            raise LinkInvalid
        try:
            payload = self._serializer.loads(token, max_age=int(self.lifetime.total_seconds()))
        except SignatureExpired:
            raise LinkExpired from None
        except BadData:
            raise LinkInvalid from None
        if not isinstance(payload, dict):
            raise LinkInvalid
        return payload
