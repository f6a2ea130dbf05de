"""Mandates and payments: read by netsgiro, byte by byte as the bank writes them, and about our own invoices."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import netsgiro
import pytest
from lxml import etree

from app.sandbox.demo.bankfiles import MandateFile, Registration
from tests.sandbox.demo.conftest import TODAY, Made, ore, text


def records(path: Path) -> list[str]:
    """The records without their line ends; every line must end in CR LF."""
    content = path.read_bytes().decode("iso-8859-1")
    assert content.endswith("\r\n")
    return content[:-2].split("\r\n")


def parsed(path: Path) -> list[Any]:
    """netsgiro's transactions of a file with one assignment."""
    transmission = netsgiro.parse(path.read_bytes().decode("iso-8859-1"))
    (assignment,) = transmission.assignments
    return list(assignment.transactions)


def invoice_of(made: Made) -> dict[str, etree._Element]:
    """Invoices by KID."""
    kids = {text(document, "cac:PaymentMeans/cbc:PaymentID"): document for document in made.documents.values()}
    return {kid: document for kid, document in kids.items() if kid}


@pytest.mark.parametrize(
    "name", ["mandates/fbo-1-fullstendig.txt", "mandates/fbo-2-endringer.txt", "payments/ocr-1.txt"]
)
def test_every_record_has_80_characters_and_the_counts_are_right(made: Made, name: str) -> None:
    lines = records(made.root / name)
    assert {len(line) for line in lines} == {80}
    first_records = [line for line in lines if line[6:8] in ("70", "30")]
    assert int(lines[-2][8:16]) == int(lines[-1][8:16]) == len(first_records)
    assert (int(lines[-2][16:24]), int(lines[-1][16:24])) == (len(lines) - 2, len(lines))


def test_the_bad_mandate_file_has_one_record_of_79_characters(made: Made) -> None:
    lengths = [len(line) for line in records(made.root / "mandates" / "bad-79-tegn.txt")]
    assert lengths == [80, 80, 79, 80, 80]


def test_the_first_mandate_file_is_a_complete_list_and_the_second_brings_changes(made: Made) -> None:
    old = records(made.root / "mandates" / "fbo-1-fullstendig.txt")[2:-2]
    new = records(made.root / "mandates" / "fbo-2-endringer.txt")[2:-2]
    assert {line[15] for line in old} == {"0"}
    assert {line[15] for line in new} == {"1", "2"}
    known = {line[16:41]: line[41] for line in old}
    assert any(line[15] == "1" and line[16:41] not in known for line in new)
    assert any(line[15] == "1" and known.get(line[16:41], line[41]) != line[41] for line in new)
    assert all(line[16:41] in known for line in new if line[15] == "2")


def living_mandates(made: Made) -> dict[str, str]:
    """KID to notify flag after both files."""
    mandates: dict[str, str] = {}
    for name in ("fbo-1-fullstendig", "fbo-2-endringer"):
        for line in records(made.root / "mandates" / f"{name}.txt")[2:-2]:
            mandates[line[16:41].strip()] = line[41]
            if line[15] == "2":
                del mandates[line[16:41].strip()]
    return mandates


def test_netsgiro_reads_the_same_mandates(made: Made) -> None:
    path = made.root / "mandates" / "fbo-1-fullstendig.txt"
    read = [(each.kid, "J" if each.notify else "N") for each in parsed(path)]
    assert read == [(line[16:41].strip(), line[41]) for line in records(path)[2:-2]]


def test_mandates_of_both_flags_meet_invoices_whole_or_by_the_customer_part(made: Made) -> None:
    mandates, kids = living_mandates(made), invoice_of(made).keys()
    assert {flag for kid, flag in mandates.items() if kid in kids} == {"J", "N"}
    customers = {kid[:9] for kid in kids}
    only_by_customer = [kid for kid in mandates if kid not in kids and kid[:9] in customers]
    assert any(kid.endswith("0000000000", 9, 19) for kid in mandates if kid in kids)
    assert any(not kid.endswith("0000000000", 9, 19) for kid in mandates if kid in kids)
    assert only_by_customer
    assert len(mandates) == made.report["mandates"] + 1


def test_netsgiro_reads_the_payments_and_their_sum(made: Made) -> None:
    path = made.root / "payments" / "ocr-1.txt"
    signed = [
        int(line[32:49]) * (-1 if line[31] == "-" else 1)
        for line in records(path)
        if line[:4] == "NY09" and line[6:8] == "30"
    ]
    assert len(parsed(path)) == len(signed) == made.report["payments"]
    assert int(records(path)[-2][24:41]) == sum(signed)


def test_payments_are_whole_half_taken_back_and_for_nobody(made: Made) -> None:
    by_kid, kinds = invoice_of(made), set()
    for line in records(made.root / "payments" / "ocr-1.txt"):
        if line[:4] != "NY09" or line[6:8] != "30":
            continue
        document = by_kid.get(line[49:74].strip())
        if document is None:
            kinds.add("nobody's")
            continue
        amount_ore, owed = int(line[32:49]), ore(document, "cac:LegalMonetaryTotal/cbc:PayableAmount")
        kinds.add("taken back" if line[31] == "-" else "whole" if amount_ore == owed else "part")
        assert 0 < amount_ore <= owed
    assert kinds == {"whole", "part", "taken back", "nobody's"}


def test_a_record_that_does_not_fit_is_refused_and_the_file_gets_no_end() -> None:
    out = io.StringIO()
    with (
        pytest.raises(ValueError, match="record of"),
        MandateFile(out, customer="00102000", number=1, account="32900700120", today=TODAY) as file,
    ):
        file.mandate("1" * 80, "J", Registration.NEW_OR_CHANGED)
    assert "NY000089" not in out.getvalue()
