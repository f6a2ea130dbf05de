"""Tells UTF-8 from Windows-1252 by reading a whole file once, in small pieces."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from app.core.errors import FileRejected

_PIECE = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Æ, Ø, Å, æ, ø, å as UTF-8 writes them; in Windows-1252 these pairs are no letters that follow each other.
_UTF_8_LETTERS = re.compile(rb"\xc3[\x86\x98\x85\xa6\xb8\xa5]")
_NO_LETTER = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def encoding_of(path: Path) -> str:
    """``utf-8-sig`` (with or without a mark in front) when every byte is valid UTF-8, else ``cp1252``.

    Raises `FileRejected` for UTF-16, for bytes that Windows-1252 does not have, and for a mixture of both, which
    would garble every name; and OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(_UTF_16):
        raise FileRejected(path.name, "the file is UTF-16: export it as UTF-8 or Windows-1252")
    if _is_utf_8(path):
        return "utf-8-sig"
    if head.startswith(codecs.BOM_UTF8) or any(_UTF_8_LETTERS.search(piece) for piece in _pieces(path)):
        raise FileRejected(path.name, "the file mixes UTF-8 with something else: export it anew in one encoding")
    if any(_NO_LETTER.search(piece) for piece in _pieces(path)):
        raise FileRejected(path.name, "the file is neither UTF-8 nor Windows-1252")
    return "cp1252"


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(path):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
