"""Every text a person reads is there in nynorsk and English: none stale, empty, doubtful or with other values."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message, TranslationError
from babel.messages.checkers import checkers
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
LANGUAGES = ("nn", "en")
MEND = "run make translations, and fill in what is new"
MARKS = ("-k", "lazy_gettext", "-k", "lazy_ngettext:1,2")


def catalogue(language: str) -> Catalog:
    path = ROOT / "app" / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@cache
def wanted() -> Catalog:
    """Every text that the code and the templates mark."""
    with tempfile.NamedTemporaryFile(suffix=".pot") as pot:
        command = ["extract", "-F", "pyproject.toml", *MARKS, "--no-location", "-o", pot.name, "."]
        subprocess.run([sys.executable, "-m", "babel.messages.frontend", *command], cwd=ROOT, check=True)
        return read_po(pot)


def texts(found: Catalog) -> dict[object, Message]:
    return {(message.context, message.id): message for message in found if message.id}


def faults(message: Message) -> list[str]:
    """What is wrong with one translation."""
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    found = ["empty"] if not all(strings) else []
    found += ["fuzzy"] if message.fuzzy else []
    if message.pluralizable and len(strings) != 2:
        found.append("one of its two numbers is missing")
    for check in checkers:
        try:
            check(None, message)
        except TranslationError as error:
            found.append(str(error))
    if any(text != text.strip() for text in strings if text):
        found.append("blanks at its ends")
    return found


def test_there_is_something_to_translate() -> None:
    assert len(texts(wanted())) > 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_holds_the_texts_of_the_pages_and_no_others(language: str) -> None:
    there, needed = texts(catalogue(language)), texts(wanted())
    assert sorted(map(str, needed.keys() - there.keys())) == [], MEND
    assert sorted(map(str, there.keys() - needed.keys())) == [], MEND
    assert list(catalogue(language).obsolete) == [], MEND


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_whole(language: str) -> None:
    found = {str(message.id): faults(message) for message in texts(catalogue(language)).values()}
    assert {text: wrong for text, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_is_written_as_the_tool_writes_it(language: str) -> None:
    """So that the tool's next run changes what is new and nothing else."""
    path = ROOT / "app" / "translations" / language / "LC_MESSAGES" / "messages.po"
    again = io.BytesIO()
    write_po(again, catalogue(language), width=110, ignore_obsolete=True)
    assert path.read_bytes().splitlines() == again.getvalue().splitlines(), MEND


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (Message("Hei", ""), "empty"),
        (Message("Hei", "Hallo", flags=["fuzzy"]), "fuzzy"),
        (Message(("%(num)s fil", "%(num)s filer"), ("%(num)s file", "")), "empty"),
        (Message(("%(num)s fil", "%(num)s filer"), ("%(num)s file",)), "one of its two numbers is missing"),
        (Message("Hei %(name)s", "Hallo %(navn)s", flags=["python-format"]), "unknown named placeholder"),
        (Message("Hei", "Hallo "), "blanks at its ends"),
    ],
)
def test_each_fault_is_found(message: Message, fault: str) -> None:
    assert fault in "; ".join(faults(message))
