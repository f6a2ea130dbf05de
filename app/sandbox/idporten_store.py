"""What a log-in stand-in remembers: its signing key, what was used once, and which sessions have ended.

Each fact is one file, made whole or not at all, so that all processes agree and a kill loses nothing.
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
from pathlib import Path

from joserfc.jwk import RSAKey

KEY_FILE = "signing.pem"
KEY_BITS = 2048


class IdportenStore:
    """The folder *name* of the sandbox's directory."""

    def __init__(self, directory: Path, name: str = "idporten") -> None:
        self._folder = directory / name

    def use_once(self, kind: str, value: str) -> bool:
        """Whether this is the first use of *value*, in any process."""
        return self._create(self._name(kind, value), b"")

    def is_used(self, kind: str, value: str) -> bool:
        """Whether *value* was used."""
        return (self._folder / self._name(kind, value)).exists()

    def key(self) -> RSAKey:
        """The key that signs tokens, made at first use."""
        path = self._folder / KEY_FILE
        if not path.exists():
            self._create(KEY_FILE, RSAKey.generate_key(KEY_BITS, private=True).as_pem(private=True))
        return _imported(path.read_bytes())

    def _name(self, kind: str, value: str) -> str:
        return f"{kind}-{hashlib.sha256(value.encode()).hexdigest()[:40]}"

    def _create(self, name: str, content: bytes) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        own = self._folder / f".{secrets.token_hex(8)}"
        own.touch(mode=0o600)
        own.write_bytes(content)
        try:
            os.link(own, self._folder / name)
        except FileExistsError:
            return False
        finally:
            own.unlink()
        return True


@functools.lru_cache(maxsize=8)
def _imported(pem: bytes) -> RSAKey:
    """Kept: OpenSSL takes longer to check a key than everything else that an answer needs."""
    return RSAKey.import_key(pem, {"kid": hashlib.sha256(pem).hexdigest()[:16], "use": "sig", "alg": "RS256"})
