"""The positions of every record of a claim file, written down from the specification and not from our code.

Source: AvtaleGiro system specification 3.3 §2.2. A row is (first, last, what), 1-based, both ends included; *what* is
either the text that always stands there or, in braces, the name of a value.
"""

from __future__ import annotations

Row = tuple[int, int, str]

LAYOUTS: dict[str, tuple[Row, ...]] = {
    "start of transmission": (
        (1, 2, "NY"),
        (3, 4, "00"),
        (5, 6, "00"),
        (7, 8, "10"),
        (9, 16, "{data_sender}"),
        (17, 23, "{transmission_number}"),
        (24, 31, "00008080"),
        (32, 80, "0" * 49),
    ),
    "start of assignment": (
        (1, 2, "NY"),
        (3, 4, "21"),
        (5, 6, "{assignment_type}"),
        (7, 8, "20"),
        (9, 17, "0" * 9),
        (18, 24, "{assignment_number}"),
        (25, 35, "{account}"),
        (36, 80, "0" * 45),
    ),
    "amount item 1": (
        (1, 2, "NY"),
        (3, 4, "21"),
        (5, 6, "{transaction_type}"),
        (7, 8, "30"),
        (9, 15, "{transaction_number}"),
        (16, 21, "{due_on}"),
        (22, 32, " " * 11),
        (33, 49, "{amount_ore}"),
        (50, 74, "{kid}"),
        (75, 80, "0" * 6),
    ),
    "amount item 2": (
        (1, 2, "NY"),
        (3, 4, "21"),
        (5, 6, "{transaction_type}"),
        (7, 8, "31"),
        (9, 15, "{transaction_number}"),
        (16, 25, "{payer_name}"),
        (26, 50, " " * 25),
        (51, 75, "{foreign_reference}"),
        (76, 80, "0" * 5),
    ),
    "specification": (
        (1, 2, "NY"),
        (3, 4, "21"),
        (5, 6, "21"),
        (7, 8, "49"),
        (9, 15, "{transaction_number}"),
        (16, 16, "4"),
        (17, 19, "{line_number}"),
        (20, 20, "{column_number}"),
        (21, 60, "{text}"),
        (61, 80, "0" * 20),
    ),
    "end of assignment": (
        (1, 2, "NY"),
        (3, 4, "21"),
        (5, 6, "{assignment_type}"),
        (7, 8, "88"),
        (9, 16, "{transaction_count}"),
        (17, 24, "{record_count}"),
        (25, 41, "{sum_ore}"),
        (42, 47, "{earliest_due_on}"),
        (48, 53, "{latest_due_on}"),
        (54, 80, "0" * 27),
    ),
    "end of transmission": (
        (1, 2, "NY"),
        (3, 4, "00"),
        (5, 6, "00"),
        (7, 8, "89"),
        (9, 16, "{transaction_count}"),
        (17, 24, "{record_count}"),
        (25, 41, "{sum_ore}"),
        (42, 47, "{earliest_due_on}"),
        (48, 80, "0" * 33),
    ),
}

RECORD_TYPES = {
    "10": "start of transmission",
    "20": "start of assignment",
    "30": "amount item 1",
    "31": "amount item 2",
    "49": "specification",
    "88": "end of assignment",
    "89": "end of transmission",
}


def read_record(line: bytes) -> tuple[str, dict[str, str]]:
    """The name and the values of one record; raises AssertionError at the first position that is not as specified."""
    assert len(line) == 80, f"{len(line)} bytes"
    text = line.decode("latin-1")
    name = RECORD_TYPES[text[6:8]]
    values: dict[str, str] = {}
    for first, last, what in LAYOUTS[name]:
        found = text[first - 1 : last]
        if what.startswith("{"):
            values[what.strip("{}")] = found
        else:
            assert found == what, f"{name}, positions {first}-{last}: {found!r}"
    return name, values


def read_file(content: bytes) -> list[tuple[str, dict[str, str]]]:
    """Every record of a file; raises AssertionError unless each line, the last too, ends in CR LF."""
    lines = content.split(b"\r\n")
    assert lines.pop() == b"", "no line end after the last record"
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    return [read_record(line) for line in lines]
