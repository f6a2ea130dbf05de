"""Brings any text into ISO-8859-1, the only letters that bank files know."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from anyascii import anyascii


def to_latin1(text: str) -> str:
    """*text* with what ISO-8859-1 lacks written by what it has: ``ć`` as ``c``, ``–`` as ``-``, ``æøå`` kept.

    Every character of the result is one byte and one printed column: control characters, soft hyphens and other
    invisible signs are dropped, every kind of space becomes an ordinary one.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_latin1_of, unicodedata.normalize("NFC", text)))


@lru_cache(maxsize=4096)
def _latin1_of(character: str) -> str:
    if _is_printed(character):
        return character
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category[0] in "CM":
        return ""
    return _without_marks(character) or _printed_ascii(character)


def _without_marks(character: str) -> str:
    """The letter under as few dropped accents as will do: ``ǻ`` keeps its ring and becomes ``å``."""
    letters = unicodedata.normalize("NFD", character)
    for end in range(len(letters) - 1, 0, -1):
        shorter = unicodedata.normalize("NFC", letters[:end])
        if len(shorter) == 1 and _is_printed(shorter):
            return shorter
    return ""


def _printed_ascii(character: str) -> str:
    return "".join(filter(_is_printed, anyascii(character)))


def _is_printed(character: str) -> bool:
    return character <= "\u00ff" and character.isprintable()
