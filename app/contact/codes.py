"""Six-digit codes and the links beside them: how they are made, kept and compared."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass
from typing import Self

from app.core.crypto import KeyFile, KeyRing
from app.core.settings import Settings
from app.core.tokens import LinkInvalid, LinkSigner

CODE_LIFE = dt.timedelta(minutes=10)
LINK_LIFE = dt.timedelta(hours=24)
MOST_TRIES = 5

_CONTEXT = "contact code"
_PURPOSE = "confirm-email"


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes and links under the installation's link keys, newest last. A code counts for one confirmation alone."""

    ring: KeyRing
    signer: LinkSigner

    @classmethod
    def by(cls, settings: Settings) -> Self:
        """With the keys under ``INSTANCE_DIR/keys``."""
        settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        ring = KeyRing.create(settings.keys_dir / KeyFile.LINKS)
        return cls(ring, LinkSigner(ring.secrets, _PURPOSE, LINK_LIFE))

    def make(self) -> str:
        """Six digits that nobody can foresee."""
        return f"{secrets.randbelow(1_000_000):06d}"

    def hashed(self, public_id: str, code: str) -> bytes:
        """What is kept of *code* for the confirmation *public_id*: 32 bytes, by the newest key."""
        return self._hash(self.ring.keys[self.ring.newest_id], public_id, code)

    def fits(self, public_id: str, code: str, kept: bytes) -> bool:
        """Whether *code* is the one that *kept* was made from, under any live key; takes equally long either way."""
        found = [hmac.compare_digest(self._hash(key, public_id, code), kept) for key in self.ring.keys.values()]
        return any(found)

    def token(self, public_id: str) -> str:
        """The signed part of the link for the confirmation *public_id*."""
        return self.signer.sign({"confirmation": public_id})

    def read(self, token: str) -> str:
        """The confirmation's public id. Raises `LinkExpired` or `LinkInvalid`."""
        found = self.signer.read(token).get("confirmation")
        if not isinstance(found, str):
            raise LinkInvalid
        return found

    def _hash(self, key: bytes, public_id: str, code: str) -> bytes:
        return hmac.digest(key, f"{_CONTEXT}\0{public_id}\0{code}".encode(), "sha256")
