"""Sentences in the reader's language where there is no web request: commands, reports and jobs.

Read straight from the .po files that the pages use too, so nothing needs to be compiled first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

from babel.messages.pofile import read_po

SOURCE_LANGUAGE = "nb"
TRANSLATIONS = Path(__file__).parent.parent / "translations"


class Explained(Protocol):
    """Anything with a sentence in bokmål, such as `app.routing.channels.Reason`."""

    @property
    def sentence(self) -> str: ...


def sentence(thing: Explained, locale: str) -> str:
    """The sentence of *thing* in *locale* (nb, nn, en); in bokmål when there is no such language or translation."""
    return translated(thing.sentence, locale)


def translated(message: str, locale: str) -> str:
    """*message*, a bokmål sentence, in *locale*; itself when there is no translation."""
    return _catalogue(locale).get(message, message)


@cache
def _catalogue(locale: str) -> Mapping[str, str]:
    path = TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"
    # The locale may come from a command line: only the folders that are there are languages.
    if locale == SOURCE_LANGUAGE or not locale.isalpha() or not path.exists():
        return {}
    with path.open("rb") as file:
        catalogue = read_po(file, locale=locale)
    return {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and isinstance(message.string, str) and message.string
    }
