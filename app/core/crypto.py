"""Keys in files, and the vault that encrypts national ids and finds them again without decrypting."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.atomic import create_atomically
from app.core.errors import SettingsInvalid
from app.core.settings import Environment, Settings

KEY_BYTES = 32
FOLLOWS_WITHIN_SECONDS = 1.0

_LARGEST_ID = 0xFFFF
_ID_BYTES = 2
_NONCE_BYTES = 12
_INDEX_CONTEXT = b"resident.national_id\0"
_ROW_CONTEXT = "resident|national_id|"
_DIGITS = 11


class KeyFile(StrEnum):
    """The key files of an installation, by their names in the key folder."""

    NATIONAL_ID_ENCRYPTION = "national-id-encryption.keys"
    NATIONAL_ID_INDEX = "national-id-index.keys"
    LINKS = "links.keys"
    SESSION = "session.keys"
    DOCUMENTS = "documents.keys"
    AUDIT = "audit.keys"


VAULT_KEYS = (KeyFile.NATIONAL_ID_ENCRYPTION, KeyFile.NATIONAL_ID_INDEX)


class KeysUnusable(ValueError):
    """A key file that cannot be used; names file and line, never what stands there."""


class NationalIdUnreadable(ValueError):
    """An encrypted national id that does not open: changed, moved to another row, or its key is gone."""


class KeyRing:
    """The keys of one purpose by their 16-bit ids, newest last. Its repr shows ids alone.

    A file has one key a line, ``id:base64`` of 32 bytes; empty lines and lines beginning with # say nothing.
    """

    __slots__ = ("_keys", "newest_id")

    def __init__(self, keys: Iterable[tuple[int, bytes]]) -> None:
        pairs = list(keys)
        if not pairs:
            raise KeysUnusable("no key")
        if any(not 0 <= key_id <= _LARGEST_ID or len(key) != KEY_BYTES for key_id, key in pairs):
            raise KeysUnusable(f"a key needs an id from 0 to {_LARGEST_ID} and {KEY_BYTES} bytes")
        if len({key_id for key_id, _ in pairs}) != len(pairs):
            raise KeysUnusable("two keys with the same id")
        self._keys = dict(pairs)
        self.newest_id = pairs[-1][0]

    def __repr__(self) -> str:
        return f"KeyRing(ids={list(self._keys)})"

    @property
    def keys(self) -> Mapping[int, bytes]:
        """Raw keys by id, oldest first."""
        return MappingProxyType(self._keys)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys as text, newest last, as `LinkSigner` and Flask's sessions want them."""
        return tuple(base64.b64encode(key).decode("ascii") for key in self._keys.values())

    @classmethod
    def load(cls, path: Path) -> Self:
        """The keys in the file *path*. Raises `KeysUnusable`, and FileNotFoundError when there is none."""
        pairs = []
        for number, line in enumerate(path.read_text("ascii", errors="replace").splitlines(), start=1):
            if line.strip() and not line.startswith("#"):
                pairs.append(_parse_key(line.strip(), f"{path}, line {number}"))
        try:
            return cls(pairs)
        except KeysUnusable as error:
            raise KeysUnusable(f"{path}: {error}") from None

    @property
    def lines(self) -> bytes:
        """What a file of these keys holds."""
        rows = (f"{key_id}:{base64.b64encode(key).decode('ascii')}\n" for key_id, key in self._keys.items())
        return "".join(rows).encode("ascii")

    @classmethod
    def create(cls, path: Path) -> Self:
        """The keys in *path*, made with one new key (mode 0600) when the file is not there; the folder must exist.

        Of several processes that start at once one makes it and all load the same.
        """
        if not path.exists():
            line = f"1:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode('ascii')}\n"
            create_atomically(path, line.encode("ascii"), mode=0o600)
        return cls.load(path)


class NationalIdVault:
    """Encrypts national ids (AES-256-GCM, bound to their row) and makes blind indexes to find them by.

    The index keys are as sensitive as the numbers: there are few enough numbers to try them all.
    """

    __slots__ = ("_ciphers", "_current_cipher", "_current_index", "_index_keys", "_looked_at", "_paths", "_prefix",
                 "_seen")  # fmt: skip

    def __init__(self, encryption: KeyRing, index: KeyRing) -> None:
        self._paths: tuple[Path, ...] = ()
        self._seen: tuple[tuple[int, int], ...] = ()
        self._looked_at = time.monotonic()
        self._use(encryption, index)

    @classmethod
    def kept_in(cls, *paths: Path) -> Self:
        """The vault of the key files of encryption and index, which follows them: a job may outlast a change of keys.

        Raises `KeysUnusable`.
        """
        found = cls(*[KeyRing.load(path) for path in paths])
        found._paths, found._seen = paths, _stamps(paths)
        return found

    def _follow(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if not self._paths or (now - self._looked_at < FOLLOWS_WITHIN_SECONDS and not at_once):
            return
        self._looked_at = now
        if (seen := _stamps(self._paths)) != self._seen:
            self._use(*[KeyRing.load(path) for path in self._paths])
            self._seen = seen

    def _use(self, encryption: KeyRing, index: KeyRing) -> None:
        self._ciphers = {_pack(key_id): AESGCM(key) for key_id, key in encryption.keys.items()}
        self._prefix = _pack(encryption.newest_id)
        self._current_cipher = self._ciphers[self._prefix]
        self._index_keys = {_pack(key_id): key for key_id, key in index.keys.items()}
        self._current_index = _pack(index.newest_id)

    def encrypt(self, number: str, *, row: str) -> bytes:
        """*number* (eleven digits) as 41 bytes: key id 2, nonce 12, ciphertext with tag 27; opens only for *row*."""
        self._follow()
        nonce = os.urandom(_NONCE_BYTES)
        return self._prefix + nonce + self._current_cipher.encrypt(nonce, _digits(number), _bound_to(row))

    def decrypt(self, blob: bytes, *, row: str) -> str:
        """The number that was encrypted for *row*. Raises `NationalIdUnreadable`."""
        if blob[:_ID_BYTES] not in self._ciphers:
            self._follow(at_once=True)
        cipher = self._ciphers.get(blob[:_ID_BYTES])
        if cipher is None:
            raise NationalIdUnreadable("the key that encrypted this national id is not in the key file")
        nonce = blob[_ID_BYTES : _ID_BYTES + _NONCE_BYTES]
        try:
            return cipher.decrypt(nonce, blob[_ID_BYTES + _NONCE_BYTES :], _bound_to(row)).decode("ascii")
        except (InvalidTag, ValueError):
            raise NationalIdUnreadable("this encrypted national id was changed or belongs to another row") from None

    def is_current(self, blob: bytes) -> bool:
        """Whether *blob* was encrypted with the newest key."""
        return blob[:_ID_BYTES] == self._prefix

    def blind_index(self, number: str) -> bytes:
        """34 bytes, key id 2 and HMAC-SHA256 32, by the newest index key: equal for equal numbers, for the UNIQUE."""
        self._follow()
        return self._index_with(self._current_index, _digits(number))

    def blind_indexes(self, number: str) -> list[bytes]:
        """The blind indexes of *number* under every live key, newest last, to look up with IN during a key change."""
        self._follow()
        digits = _digits(number)
        return [self._index_with(prefix, digits) for prefix in self._index_keys]

    def _index_with(self, prefix: bytes, digits: bytes) -> bytes:
        return prefix + hmac.digest(self._index_keys[prefix], _INDEX_CONTEXT + digits, "sha256")


def vault(settings: Settings) -> NationalIdVault:
    """The vault of this installation; outside production its keys are made at first use. Raises `SettingsInvalid`."""
    paths = [settings.keys_dir / name for name in VAULT_KEYS]
    if settings.environment is Environment.PRODUCTION:
        for path in paths:
            if not path.exists():
                raise SettingsInvalid(
                    f"{path} is missing: restore it, since a new key opens no stored national id, or for a new "
                    "installation write 1: and 32 random bytes in base64 on one line (openssl rand -base64 32)"
                )
    settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for path in paths:
            KeyRing.create(path)
        return NationalIdVault.kept_in(*paths)
    except KeysUnusable as error:
        raise SettingsInvalid(str(error)) from None


def _stamps(paths: Iterable[Path]) -> tuple[tuple[int, int], ...]:
    return tuple((found.st_mtime_ns, found.st_ino) for found in (path.stat() for path in paths))


def _parse_key(line: str, place: str) -> tuple[int, bytes]:
    key_id, _, encoded = line.partition(":")
    if not key_id.isdigit():
        raise KeysUnusable(f"{place}: expected id:base64")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise KeysUnusable(f"{place}: not base64") from None
    return int(key_id), key


def _pack(key_id: int) -> bytes:
    return key_id.to_bytes(_ID_BYTES, "big")


def _digits(number: str) -> bytes:
    # A number with a space would encrypt well and never be found again.
    if len(number) != _DIGITS or not (number.isascii() and number.isdigit()):
        raise ValueError("a national id goes into the vault as eleven digits")
    return number.encode("ascii")


def _bound_to(row: str) -> bytes:
    return f"{_ROW_CONTEXT}{row}".encode()
