"""FBO files: what is read, and what leaves doubt about the rest of a file and refuses it with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import FileRejected
from app.residents.mandate_file import MandateFile, MandateRecord, Registration, read_mandates
from tests.residents.fbo import ACCOUNT, OTHER_ACCOUNT, SAMPLE, assignment, mandate, transmission, write

LARGEST = 20_000_000
GOOD = transmission(assignment(mandate("000112000507155"), mandate("001006300507304", "N", number=2)))


def read(path: Path, lines: list[str], line_end: str = "\r\n") -> MandateFile:
    return read_mandates(write(path / "fbo.txt", lines, line_end), LARGEST)


def refusal(path: Path, lines: list[str]) -> tuple[int | None, str]:
    """The line and the reason why the whole file is refused."""
    with pytest.raises(FileRejected) as caught:
        read(path, lines)
    assert caught.value.source == "fbo.txt"
    return caught.value.row, caught.value.reason


def changed(line: int, record: str) -> list[str]:
    """The good file with one line (1-based) replaced."""
    return [record if number == line else good for number, good in enumerate(GOOD, start=1)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_mandates_are_read_with_either_line_end(tmp_path: Path, line_end: str) -> None:
    found = read(tmp_path, GOOD, line_end)
    assert found.mandates == [
        MandateRecord(3, ACCOUNT, "000112000507155", Registration.NEW_OR_CHANGED, True),
        MandateRecord(4, ACCOUNT, "001006300507304", Registration.NEW_OR_CHANGED, False),
    ]
    assert (found.rejected.read, found.rejected.rejected, found.complete_accounts) == (2, [], set())


@pytest.mark.parametrize("tail", ["", "\r\n\r\n", "\n", " \r\n", "\x1a"])
def test_blank_lines_behind_the_last_record_do_not_count(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "fbo.txt"
    path.write_bytes(("\r\n".join(GOOD) + tail).encode("iso-8859-1"))
    assert len(read_mandates(path, LARGEST).mandates) == 2


def test_a_kid_may_end_in_a_hyphen(tmp_path: Path) -> None:
    found = read(tmp_path, transmission(assignment(mandate("00012345-"))))
    assert [record.kid for record in found.mandates] == ["00012345-"]


def test_a_kid_of_25_positions_keeps_its_leading_zeros(tmp_path: Path) -> None:
    found = read(tmp_path, transmission(assignment(mandate("0" * 24 + "1"))))
    assert [record.kid for record in found.mandates] == ["0" * 24 + "1"]


@pytest.mark.parametrize("kid", ["", "12A4567", "1-234567", "12 4567", "-", "æ"])
def test_a_record_without_a_usable_kid_is_rejected_alone(tmp_path: Path, kid: str) -> None:
    found = read(tmp_path, transmission(assignment(mandate(kid), mandate("000112000507155", number=2))))
    assert [record.kid for record in found.mandates] == ["000112000507155"]
    (rejection,) = found.rejected.rejected
    assert (rejection.row, rejection.field) == (3, "kid")


def test_several_assignments_keep_their_accounts(tmp_path: Path) -> None:
    lists = [assignment(mandate("000112000507155")), assignment(mandate("1230", "J", 0), account=OTHER_ACCOUNT)]
    found = read(tmp_path, transmission(*lists))
    assert [record.account for record in found.mandates] == [ACCOUNT, OTHER_ACCOUNT]
    assert found.complete_accounts == {OTHER_ACCOUNT}


def test_an_assignment_of_payments_is_told_of_and_left_alone(tmp_path: Path) -> None:
    payments = [
        "NY090020001008566000000299991042764".ljust(80, "0"),
        "NY09103000000011104200111048120000000000000000400" + "688373".rjust(25) + "000000",
        "NY09103100000019636827194099038562000000016010299990512341".ljust(80, "0"),
        "NY0900880000000100000004" + "400".rjust(17, "0") + "170192" * 3 + "0" * 21,
    ]
    found = read(tmp_path, transmission(payments, assignment(mandate("1230")), transactions=2))
    assert [record.kid for record in found.mandates] == ["1230"]
    (rejection,) = found.rejected.rejected
    assert (rejection.row, rejection.field) == (2, None)
    assert "flask payments import" in rejection.reason


@pytest.mark.parametrize("length", [0, 1, 79, 81])
def test_a_record_that_is_not_80_characters_long_refuses_the_file(tmp_path: Path, length: int) -> None:
    record = GOOD[2].ljust(81, "0")[:length]
    assert refusal(tmp_path, changed(3, record)) == (3, f"{length} characters where a record has 80")


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 5])
def test_a_file_cut_off_between_records_is_refused(tmp_path: Path, kept: int) -> None:
    row, reason = refusal(tmp_path, GOOD[:kept])
    assert row == kept
    assert "cut off" in reason


def test_a_file_cut_off_inside_a_record_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, [*GOOD[:3], GOOD[3][:40]]) == (4, "40 characters where a record has 80")


@pytest.mark.parametrize(
    ("lines", "row", "part"),
    [
        (GOOD[1:], 1, "start record (NY000010)"),
        ([GOOD[0], *GOOD], 2, "second start record"),
        ([*GOOD, GOOD[0]], 7, "behind the file's end record"),
        ([GOOD[0], GOOD[2], GOOD[5]], 2, "outside of any assignment"),
        ([*GOOD[:4], *GOOD[1:]], 5, "begins before the one before it has ended"),
        ([*GOOD[:4], GOOD[5]], 5, "has no end record"),
        (changed(3, "NY219470" + "x" * 72), 3, "not built as the specification says"),
        (changed(3, mandate("1230", "X")), 3, "not built as the specification says"),
        (changed(3, mandate("1230", "J", 3)), 3, "not built as the specification says"),
        (changed(3, mandate("1230")[:-1] + "1"), 3, "not built as the specification says"),
        (changed(3, "NY2194XX" + "0" * 72), 3, "no record type"),
        (changed(3, "NY219477" + "0" * 72), 3, "no record type"),
        (changed(6, "NY000089" + "00000002000000060000000000000000099" + "9999".ljust(37, "0")), 6, "not built"),
        (changed(3, "NY210230" + "0" * 7 + "010127" + " " * 11 + "0" * 17 + "1".rjust(25) + "0" * 6), 3, "no mandate"),
    ],
)
def test_what_leaves_doubt_refuses_the_file_and_names_the_line(
    tmp_path: Path, lines: list[str], row: int, part: str
) -> None:
    found, reason = refusal(tmp_path, lines)
    assert part in reason
    assert found == row


def test_wrong_counts_refuse_the_file(tmp_path: Path) -> None:
    one = mandate("1230")
    assert (
        refusal(tmp_path, transmission(assignment(one, records_said=4)))[1]
        == "the assignment's count of records is wrong"
    )
    assert refusal(tmp_path, transmission(assignment(one), records=6))[1] == "the file's count of records is wrong"
    assert (
        refusal(tmp_path, transmission(assignment(one), transactions=2))[1]
        == "the file's count of transactions is wrong"
    )
    lost = [line for line in transmission(assignment(one, mandate("9993", number=2))) if "9993" not in line]
    assert refusal(tmp_path, lost) == (4, "the assignment's count of records is wrong")


@pytest.mark.parametrize("content", [b"", b"\r\n \r\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fbo.txt").write_bytes(content)
    with pytest.raises(FileRejected, match="the file is empty"):
        read_mandates(tmp_path / "fbo.txt", LARGEST)


def test_a_file_without_mandates_is_refused(tmp_path: Path) -> None:
    assert "holds no mandates" in refusal(tmp_path, transmission())[1]
    payments = ["NY090020001008566000000299991042764".ljust(80, "0"), "NY0900880000000000000002".ljust(80, "0")]
    assert "holds no mandates" in refusal(tmp_path, transmission(payments))[1]


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(FileRejected, match="MAX_FILE_BYTES"):
        read_mandates(write(tmp_path / "fbo.txt", GOOD), 100)


def test_the_shape_of_the_public_sample_is_read(tmp_path: Path) -> None:
    records = [mandate(kid, notify, 0, number) for number, (kid, notify) in enumerate(SAMPLE, start=1)]
    found = read(tmp_path, transmission(assignment(*records)), "\n")
    assert len(found.mandates) == 16
    assert sum(record.wants_notice for record in found.mandates) == 11
    assert found.complete_accounts == {ACCOUNT}


def test_no_refusal_repeats_what_stands_in_the_file(tmp_path: Path) -> None:
    for line in range(1, len(GOOD) + 1):
        for record in (GOOD[line - 1][:60], GOOD[line - 1][:-1] + "x", "24863644077".ljust(80, "1")):
            _, reason = refusal(tmp_path, changed(line, record))
            assert not any(part.isdigit() and len(part) > 8 for part in reason.split())
