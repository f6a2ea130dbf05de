"""The register as a file: encodings, delimiters, header, and rubbish that costs only its own row."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import FileRejected
from app.residents.register_file import Record, Unreadable, open_register
from app.residents.register_lines import LONGEST_RECORD

HEADER = "customer_number;name;city"


def read(path: Path, content: str | bytes, encoding: str = "utf-8") -> list[Record | Unreadable]:
    """Everything in a file with *content*."""
    path = path / "register.csv"
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    with open_register(path) as register:
        return list(register.records())


def names(found: list[Record | Unreadable]) -> list[str]:
    """The name column of the readable rows."""
    return [record.texts["name"] for record in found if isinstance(record, Record)]


def refusal(path: Path, content: str | bytes) -> str:
    """Why the file as a whole is refused."""
    with pytest.raises(FileRejected) as caught:
        read(path, content)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_usual_encoding_and_line_end_is_read(tmp_path: Path, encoding: str, line_end: str) -> None:
    content = line_end.join([HEADER, "1;Åse Sørbø;Jørpeland", "2;Øystein;Tau", ""])
    assert names(read(tmp_path, content, encoding)) == ["Åse Sørbø", "Øystein"]


def test_a_comma_also_parts_the_columns(tmp_path: Path) -> None:
    found = read(tmp_path, 'city,name,customer_number\nTau,"Berg, Kari",1\n')
    assert found == [Record(2, {"city": "Tau", "name": "Berg, Kari", "customer_number": "1"})]


def test_columns_come_in_any_order_and_case(tmp_path: Path) -> None:
    assert names(read(tmp_path, 'Name;"CUSTOMER_NUMBER"\nKari;1\n')) == ["Kari"]


def test_only_customer_number_and_name_are_required(tmp_path: Path) -> None:
    assert names(read(tmp_path, "customer_number;name\n1;Kari\n")) == ["Kari"]


@pytest.mark.parametrize("missing", ["customer_number", "name"])
def test_a_missing_required_column_refuses_the_file(tmp_path: Path, missing: str) -> None:
    header = ";".join({"customer_number", "name", "city"} - {missing})
    assert refusal(tmp_path, f"{header}\n1;2\n") == f"register.csv, row 1, {missing}: the column is missing"


def test_an_unknown_column_refuses_the_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, "customer_number;name;epost\n") == "register.csv, row 1: unknown column 'epost'"


def test_a_column_that_stands_there_twice_refuses_the_file(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, "customer_number;name;name\n") == "register.csv, row 1, name: the column stands there twice"
    )


def test_a_file_without_header_is_refused_without_repeating_its_first_row(tmp_path: Path) -> None:
    reason = refusal(tmp_path, "1001;24863644077;Kari\n")
    assert "no header" in reason
    assert "Kari" not in reason
    assert "24863644077" not in reason


def test_a_value_in_the_header_is_named_by_its_place(tmp_path: Path) -> None:
    assert "unknown column number 3" in refusal(tmp_path, "customer_number;name;24863644077\n")


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\r\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == "register.csv: the file is empty"


def test_utf_16_is_refused_by_name(tmp_path: Path) -> None:
    assert "UTF-16" in refusal(tmp_path, f"{HEADER}\n1;Åse;Tau\n".encode("utf-16"))


def test_a_mixture_of_encodings_is_refused_rather_than_garbled(tmp_path: Path) -> None:
    mixed = f"{HEADER}\n1;Åse;Tau\n".encode() + "2;Bjørn;Tau\n".encode("cp1252")
    assert "mixes UTF-8" in refusal(tmp_path, mixed)
    assert "mixes UTF-8" in refusal(tmp_path, b"\xef\xbb\xbf" + f"{HEADER}\n".encode() + b"1;\xe6;Tau\n")


def test_a_utf_8_file_cut_off_inside_a_letter_is_refused(tmp_path: Path) -> None:
    assert "mixes UTF-8" in refusal(tmp_path, f"{HEADER}\n1;Åse;Tau\n2;Bjø".encode()[:-1])


def test_bytes_that_no_encoding_has_are_refused(tmp_path: Path) -> None:
    assert "neither UTF-8 nor Windows-1252" in refusal(tmp_path, f"{HEADER}\n".encode() + b"1;\x81\xfe;Tau\n")


def test_a_folder_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileRejected, match="cannot be read"), open_register(tmp_path):
        pass


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2;\x00Kari;Tau", "control characters"),
        ("2;Ka\x1bri;Tau", "control characters"),
        ('2;"Ka\x00ri";Tau', "control characters"),
        ("2;Kari", "2 fields where the header names 3"),
        ("2;Kari;Tau;NO", "4 fields where the header names 3"),
        ('2;"Kari;Tau', "quotation mark"),
        ('2;"Kari" Berg;Tau', "quotation mark"),
        (f"2;{'K' * 1_000_000};Tau", f"longer than {LONGEST_RECORD} characters"),
        (f'2;"{"K" * 1_000_000}";Tau', f"longer than {LONGEST_RECORD} characters"),
    ],
)
def test_a_spoilt_row_costs_itself_alone(tmp_path: Path, line: str, reason: str) -> None:
    first, spoilt, last = read(tmp_path, f"{HEADER}\n1;Åse;Tau\n{line}\n3;Nils;Tau\n")
    assert isinstance(first, Record)
    assert isinstance(spoilt, Unreadable)
    assert spoilt.row == 3
    assert reason in spoilt.reason
    assert last == Record(4, {"customer_number": "3", "name": "Nils", "city": "Tau"})


def test_a_quote_never_closed_does_not_swallow_the_rest_of_a_large_file(tmp_path: Path) -> None:
    rows = "".join(f"{number};Kari {number};Tau\n" for number in range(3_000))
    found = read(tmp_path, f'{HEADER}\nx;"Ola;Tau\n{rows}y;Per;"Tau')
    assert [record.row for record in found if isinstance(record, Unreadable)] == [2, 3_003]
    assert len(names(found)) == 3_000


def test_a_quoted_line_break_becomes_a_blank_and_rows_keep_their_line_numbers(tmp_path: Path) -> None:
    found = read(tmp_path, f'{HEADER}\n1;"Åse\nSørbø";Tau\n\n2;Nils;Tau\n')
    assert [(record.row, record.texts["name"]) for record in found if isinstance(record, Record)] == [
        (2, "Åse Sørbø"),
        (5, "Nils"),
    ]


def test_quotation_marks_inside_a_name_are_kept(tmp_path: Path) -> None:
    assert names(read(tmp_path, f'{HEADER}\n1;Ole "Olle" Berg;Tau\n2;"Per ""Pelle"" Li";Tau\n')) == [
        'Ole "Olle" Berg',
        'Per "Pelle" Li',
    ]


def test_rows_of_nothing_but_delimiters_are_no_rows(tmp_path: Path) -> None:
    assert names(read(tmp_path, f"{HEADER}\n1;Kari;Tau\n;;\n ; ; \n;;;;;\n")) == ["Kari"]


def test_progress_adds_up_to_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    path.write_text(f"{HEADER}\n" + "".join(f"{number};Kari;Tau\n" for number in range(5_000)))
    told: list[int] = []
    with open_register(path, told.append) as register:
        assert sum(1 for _ in register.records()) == 5_000
    assert len(told) > 3
    assert sum(told) == path.stat().st_size
