"""Names as they are searched: in words without case, accents or the ways of writing æ, ø and å."""

from __future__ import annotations

import re
import unicodedata

LONGEST_WORD = 40
MOST_WORDS = 8

# Letters that Unicode takes apart into nothing, as people type them who do not have them.
_LETTERS = str.maketrans({"æ": "ae", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ŋ": "n", "ŧ": "t", "þ": "th", "œ": "o"})
# "Haakon" and "Håkon", "Bjoern" and "Bjørn" are told apart by nobody who listens.
_PAIRS = (("aa", "a"), ("oe", "o"))
_APOSTROPHES = re.compile(r"['’`´.]")
_BETWEEN = re.compile(r"[^a-z0-9]+")


def fold(text: str) -> str:
    """*text* in letters a to z, digits and blanks: "Åse-Marie  O'Brien" gives "ase marie obrien"."""
    lower = _APOSTROPHES.sub("", text.casefold()).translate(_LETTERS)
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(letter))
    for written, meant in _PAIRS:
        bare = bare.replace(written, meant)
    return _BETWEEN.sub(" ", bare).strip()


def words_of(name: str) -> list[str]:
    """The different words of *name*, folded, in their order: at most 8 of at most 40 letters."""
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in fold(name).split()))[:MOST_WORDS]
