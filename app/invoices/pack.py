"""Many small XML files kept as one document.

A document of its own for every invoice would cost more time than reading and checking it (measured: 80 µs for the
file without waiting for the disk, 370 µs with). A pack is the files one after the other, then an index as JSON
(``{"key": [offset, size], …}``), then the length of the index in eight decimal digits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

MEDIA_TYPE = "application/vnd.fakturaportalen.pack"

_LENGTH_DIGITS = 8


class NotInPack(LookupError):
    """The pack has no file under that key."""


def make_pack(files: Mapping[str, bytes]) -> bytes:
    """The files, by key, as the bytes of one pack."""
    index, offset = {}, 0
    for key, data in files.items():
        index[key] = [offset, len(data)]
        offset += len(data)
    written = json.dumps(index, separators=(",", ":")).encode()
    return b"".join((*files.values(), written, f"{len(written):0{_LENGTH_DIGITS}}".encode()))


def from_pack(pack: bytes, key: str) -> bytes:
    """The file under *key*; raises `NotInPack`."""
    length = int(pack[-_LENGTH_DIGITS:])
    index = json.loads(pack[-_LENGTH_DIGITS - length : -_LENGTH_DIGITS])
    try:
        offset, size = index[key]
    except KeyError:
        raise NotInPack(key) from None
    return pack[offset : offset + size]
