"""The private keys by which outside services know us; where a stand-in answers, what is told to it instead."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from app.core.atomic import create_atomically, write_atomically
from app.core.errors import SettingsInvalid

ALGORITHM = "RS256"
KEY_BITS = 2048


def read_private_key(path: Path, key_id: str, missing: str) -> RSAKey:
    """The RSA key in the PEM file *path*, to sign under *key_id*.

    Raises `SettingsInvalid`: with the sentence *missing* when there is no such file, else with what is wrong with it.
    """
    try:
        key = _imported(path.read_bytes(), key_id)
    except FileNotFoundError:
        raise SettingsInvalid(missing) from None
    except (JoseError, ValueError):
        raise SettingsInvalid(f"{path} is not an RSA key in PEM form") from None
    if not key.is_private:
        raise SettingsInvalid(f"{path} holds a public key: the private key is needed to sign")
    return key


@functools.lru_cache(maxsize=8)
def _imported(pem: bytes, key_id: str) -> RSAKey:
    """Kept by its content: OpenSSL takes 40 ms to check a key, and each log-in and each client asks for one."""
    options: Any = {"kid": key_id, "use": "sig", "alg": ALGORITHM}
    return RSAKey.import_key(pem, options)


def make_private_key(path: Path) -> None:
    """Put a new RSA key at *path*, unless there is one."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_atomically(path, RSAKey.generate_key(KEY_BITS, private=True).as_pem(private=True), mode=0o600)


def tell_stand_in(path: Path, client: Mapping[str, Any]) -> None:
    """Register *client* with a stand-in that reads the JSON file *path*, as a person would in a portal."""
    content = json.dumps(client).encode()
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
