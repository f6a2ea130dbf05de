"""Text for bank files: always ISO-8859-1, always one column a character."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.latin1 import to_latin1


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Åse Bjørnæs, ÆØÅ æøå", "Åse Bjørnæs, ÆØÅ æøå"),
        ("Šimić Đorđević", "Simic Dordevic"),
        ("Nguyễn Văn Łódź", "Nguyên Van Lódz"),
        ("A – B — «C» “D” ‘E’…", "A - B - «C» \"D\" 'E'..."),
        ("ǻ", "å"),
        ("a\u030ase", "åse"),
        ("1\u00a0543\u202f34", "1 543 34"),
        ("a\tb\r\nc\x00\x85\u200bd\u00ade\ufefff", "abcdef"),
        ("Игорь", "Igor'"),
        ("\ud800", ""),
    ],
)
def test_what_the_bank_lacks_is_written_with_what_it_has(text: str, result: str) -> None:
    assert to_latin1(text) == result


@given(st.text())
def test_the_result_always_encodes_and_prints_one_column_a_character(text: str) -> None:
    result = to_latin1(text)
    assert len(result.encode("latin-1")) == len(result)
    assert result.isprintable()
    assert not any(unicodedata.category(character)[0] in "CM" for character in result)


@given(st.text())
def test_doing_it_twice_changes_nothing(text: str) -> None:
    assert to_latin1(to_latin1(text)) == to_latin1(text)


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_printable_latin1_text_stays_as_it_is(text: str) -> None:
    printable = "".join(filter(str.isprintable, text))
    assert to_latin1(printable) == printable
