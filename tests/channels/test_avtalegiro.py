from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import netsgiro
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.channels.avtalegiro import Avtalegiro, running_number
from app.channels.avtalegiro_file import assignment_number, foreign_reference, specification
from app.channels.contract import Consignment, Outcome, Result
from app.core.clock import Clock
from app.core.errors import SettingsInvalid
from app.core.kid import mod10_digit
from app.core.latin1 import to_latin1
from tests.channels.avtalegiro_specification import LAYOUTS, read_file
from tests.channels.consignments import ACCOUNT, DUE_ON, OTHER_ACCOUNT, consignment
from tests.conftest import TODAY, make_settings

NAME = "avtalegiro-0000012"
CLOCK = Clock.for_day(TODAY)


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox" / "avtalegiro"


@pytest.fixture
def avtalegiro(tmp_path: Path) -> Avtalegiro:
    return Avtalegiro(make_settings(tmp_path, avtalegiro_data_sender="00112233"), CLOCK)


def kid_of(number: int) -> str:
    body = f"{number:09d}"
    return body + mod10_digit(body)


def claim(number: str = "20260001", **values: Any) -> Consignment:
    return consignment(number, **{"witness_kind": "claim", "claim_type": "02", **values})


def written(avtalegiro: Avtalegiro, outbox: Path, *claims: Consignment) -> bytes:
    results = avtalegiro.prepare(NAME, claims)
    assert {one.outcome for one in results.values()} == {Outcome.ACCEPTED}
    avtalegiro.hand_over(NAME)
    return (outbox / f"{NAME}.txt").read_bytes()


def read_with_netsgiro(content: bytes) -> list[netsgiro.PaymentRequest]:
    """The claims of the only assignment in *content*."""
    [assignment] = netsgiro.parse(content.decode("latin-1")).assignments
    claims = [one for one in assignment.transactions if isinstance(one, netsgiro.PaymentRequest)]
    assert len(claims) == len(assignment.transactions)
    return claims


def outcome(avtalegiro: Avtalegiro, *claims: Consignment) -> Result:
    """What became of the last of *claims*."""
    return avtalegiro.prepare(NAME, claims)[claims[-1].key]


def test_the_specification_table_names_every_position_once() -> None:
    for name, rows in LAYOUTS.items():
        positions = [position for first, last, _ in rows for position in range(first, last + 1)]
        assert positions == list(range(1, 81)), name


def test_the_specification_table_reads_the_samples_of_the_specification() -> None:
    quickstart = (
        "NY000010012345671703231000080800000000000000000000000000000000000000000000000000",
        "NY210020000000000032300199998877777000000000000000000000000000000000000000000000",
        "NY2102300000001060417           00000000000524463          000133700501645000000",
        "NY2102310000001Wonderland                         ACME invoice #50164      00000",
        "NY210088000000010000000400000000000524463060417060417000000000000000000000000000",
        "NY000089000000010000000600000000000524463060417000000000000000000000000000000000",
    )
    records = read_file("".join(f"{line}\r\n" for line in quickstart).encode("latin-1"))
    assert records[2][1]["amount_ore"] == "00000000000524463"
    assert records[3][1]["foreign_reference"].strip() == "ACME invoice #50164"


def expected_records() -> list[tuple[str, dict[str, str]]]:
    """The file of `test_every_position…`, counted by hand."""
    cancelled = {"transaction_number": "0000001", "transaction_type": "93"}
    first = {"transaction_number": "0000001", "transaction_type": "02"}
    second = {"transaction_number": "0000002", "transaction_type": "21"}
    other = {"transaction_number": "0000001", "transaction_type": "02"}
    kid_3, kid_4 = f"{kid_of(3):>25}", f"{kid_of(4):>25}"
    return [
        (
            "start of transmission",
            {"data_sender": "00112233", "transmission_number": "0000012"},
        ),
        ("start of assignment", {"assignment_type": "36", "assignment_number": "0000120", "account": ACCOUNT}),
        ("amount item 1", {**cancelled, "due_on": "300127", "amount_ore": f"{70000:017d}", "kid": kid_4}),
        ("amount item 2", {**cancelled, "payer_name": "Kari Nordm", "foreign_reference": f"{'20260004':<25}"}),
        (
            "end of assignment",
            {"assignment_type": "36", "transaction_count": "00000001", "record_count": "00000004",
             "sum_ore": f"{70000:017d}", "earliest_due_on": "300127", "latest_due_on": "300127"},
        ),
        ("start of assignment", {"assignment_type": "00", "assignment_number": "0000121", "account": ACCOUNT}),
        ("amount item 1", {**first, "due_on": "211226", "amount_ore": f"{154334:017d}", "kid": f"{'1234567897':>25}"}),
        ("amount item 2", {**first, "payer_name": "Åse Ødegår", "foreign_reference": f"{'20260001':<25}"}),
        ("amount item 1", {**second, "due_on": "050127", "amount_ore": f"{99:017d}", "kid": f"{kid_of(2):>25}"}),
        ("amount item 2", {**second, "payer_name": "Kari Nordm", "foreign_reference": "Z-0000000000000000000-001"}),
        (
            "specification",
            {"transaction_number": "0000002", "line_number": "001", "column_number": "1", "text": f"{'Barnehage':<40}"},
        ),
        ("specification", {"transaction_number": "0000002", "line_number": "001", "column_number": "2",
                           "text": " " * 40}),
        ("specification", {"transaction_number": "0000002", "line_number": "002", "column_number": "1",
                           "text": "a" * 40}),
        (
            "specification",
            {"transaction_number": "0000002", "line_number": "002", "column_number": "2", "text": f"{'a' * 5:<40}"},
        ),
        (
            "end of assignment",
            {"assignment_type": "00", "transaction_count": "00000002", "record_count": "00000010",
             "sum_ore": f"{154433:017d}", "earliest_due_on": "211226", "latest_due_on": "050127"},
        ),
        ("start of assignment", {"assignment_type": "00", "assignment_number": "0000122", "account": OTHER_ACCOUNT}),
        ("amount item 1", {**other, "due_on": "201226", "amount_ore": f"{10**15:017d}", "kid": kid_3}),
        ("amount item 2", {**other, "payer_name": "Kari Nordm", "foreign_reference": f"{'20260003':<25}"}),
        (
            "end of assignment",
            {"assignment_type": "00", "transaction_count": "00000001", "record_count": "00000004",
             "sum_ore": f"{10**15:017d}", "earliest_due_on": "201226", "latest_due_on": "201226"},
        ),
        (
            "end of transmission",
            {"transaction_count": "00000004", "record_count": "00000020",
             "sum_ore": f"{10**15 + 154433 + 70000:017d}", "earliest_due_on": "201226"},
        ),
    ]  # fmt: skip


def test_every_position_of_every_record_stands_as_the_specification_says(avtalegiro: Avtalegiro, outbox: Path) -> None:
    content = written(
        avtalegiro,
        outbox,
        claim("20260001", recipient_name="Åse Ødegård–Šimić"),
        claim(
            "AB" * 10 + "Z-0000000000000000000-001",
            kid=kid_of(2), due_on=dt.date(2027, 1, 5), amount_ore=99, claim_type="21",
            lines=("Barnehage", "a" * 45),
        ),
        claim("20260003", kid=kid_of(3), account=OTHER_ACCOUNT, amount_ore=10**15, due_on=dt.date(2026, 12, 20)),
        claim("20260004", kid=kid_of(4), due_on=dt.date(2027, 1, 30), amount_ore=70000, is_cancellation=True),
    )  # fmt: skip
    records = read_file(content)
    assert len(records) == 20
    assert records == expected_records()


def test_each_record_is_80_bytes_of_latin_1_ended_by_cr_lf(avtalegiro: Avtalegiro, outbox: Path) -> None:
    content = written(avtalegiro, outbox, claim(recipient_name="Łukasz Żółć 😀 田"))
    assert len(content) == 6 * 82
    assert all(line.endswith(b"\r\n") and len(line) == 82 for line in content.splitlines(keepends=True))


def test_the_file_reads_back_with_netsgiro_as_it_was_given(avtalegiro: Avtalegiro, outbox: Path) -> None:
    content = written(
        avtalegiro, outbox, claim("1", claim_type="21", kid=kid_of(1), lines=("Én", "To")), claim("2", kid=kid_of(2))
    )
    transmission = netsgiro.parse(content.decode("latin-1"))
    assert transmission.data_transmitter == "00112233"
    [assignment] = transmission.assignments
    assert (assignment.account, assignment.number) == (ACCOUNT, "0000120")
    by_bank, by_us = read_with_netsgiro(content)
    assert (by_bank.kid, by_bank.amount, by_bank.date) == (kid_of(1), Decimal("1543.34"), DUE_ON)
    assert [line.rstrip() for line in (by_bank.text or "").splitlines()] == ["Én", "To"]
    assert (by_us.reference, by_us.payer_name, by_us.text) == ("2", "Kari Nordm", "")


awkward = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(
        st.tuples(
            awkward,
            st.integers(1, 10**14),
            st.dates(dt.date(2026, 12, 7), dt.date(2027, 11, 24)),
            st.lists(awkward, max_size=50),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_name_and_text_reads_back_cut_and_in_latin_1(
    avtalegiro: Avtalegiro, people: list[tuple[str, int, dt.date, list[str]]]
) -> None:
    claims = [
        claim(str(at), recipient_name=name, amount_ore=ore, due_on=due, kid=kid_of(at), claim_type="21",
              lines=tuple(lines))
        for at, (name, ore, due, lines) in enumerate(people)
    ]  # fmt: skip
    results = avtalegiro.prepare(NAME, claims)
    assert all(result.outcome is Outcome.ACCEPTED for result in results.values())
    content = next((avtalegiro._folder).glob(".*.ready")).read_bytes()
    read_file(content)
    for (name, ore, due, _), found in zip(people, read_with_netsgiro(content), strict=True):
        assert (found.amount_in_cents, found.date) == (ore, due)
        assert (found.payer_name or "") == to_latin1(name).strip()[:10].strip()
        assert len((found.text or "").splitlines()) <= 42


def test_a_long_number_gives_its_last_25_characters() -> None:
    assert foreign_reference("0123456789" * 4) == "5678901234567890123456789"
    assert foreign_reference(" Š–17 ") == "S-17"


def test_two_numbers_with_the_same_last_25_do_not_share_a_file(avtalegiro: Avtalegiro) -> None:
    tail = "9" * 25
    result = outcome(avtalegiro, claim("1" + tail, kid=kid_of(1)), claim("2" + tail, kid=kid_of(2)))
    assert (result.outcome, result.detail) == (Outcome.UNAVAILABLE, "reference_taken")


def test_a_second_claim_for_the_same_kid_and_day_is_refused(avtalegiro: Avtalegiro, outbox: Path) -> None:
    first, second = claim("1"), claim("2", amount_ore=500)
    results = avtalegiro.prepare(NAME, [first, second])
    assert results[first.key].outcome is Outcome.ACCEPTED
    assert results[second.key] == Result(Outcome.REFUSED, detail="claim_exists")
    avtalegiro.hand_over(NAME)
    assert len(read_file((outbox / f"{NAME}.txt").read_bytes())) == 6


def test_the_same_kid_on_another_day_is_another_claim(avtalegiro: Avtalegiro, outbox: Path) -> None:
    written(avtalegiro, outbox, claim("1"), claim("2", due_on=DUE_ON + dt.timedelta(days=31)))


def test_a_claim_waits_while_its_predecessor_is_cancelled_in_the_same_file(avtalegiro: Avtalegiro) -> None:
    result = outcome(avtalegiro, claim("old", is_cancellation=True), claim("new"))
    assert (result.outcome, result.detail) == (Outcome.UNAVAILABLE, "cancelled_in_same_file")


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ({"kid": None}, "wrong_kid"),
        ({"kid": "1234567890"}, "wrong_kid"),
        ({"account": None}, "wrong_account"),
        ({"account": "12345678912"}, "wrong_account"),
        ({"amount_ore": 0}, "wrong_amount"),
        ({"amount_ore": -1}, "wrong_amount"),
        ({"amount_ore": 10**17}, "wrong_amount"),
        ({"due_on": TODAY + dt.timedelta(days=3)}, "due_too_soon"),
        ({"due_on": TODAY + dt.timedelta(days=366)}, "due_too_far"),
        ({"due_on": TODAY, "is_cancellation": True}, "due_too_soon"),
    ],
)
def test_what_the_bank_would_not_take_is_refused_and_writes_no_file(
    avtalegiro: Avtalegiro, outbox: Path, values: dict[str, Any], detail: str
) -> None:
    assert outcome(avtalegiro, claim(**values)) == Result(Outcome.REFUSED, detail=detail)
    assert not outbox.exists()
    avtalegiro.hand_over(NAME)
    avtalegiro.discard(NAME)


def test_a_cancellation_the_day_before_is_still_sent(avtalegiro: Avtalegiro, outbox: Path) -> None:
    written(avtalegiro, outbox, claim(due_on=TODAY + dt.timedelta(days=1), is_cancellation=True))


def test_a_kid_that_ends_in_a_hyphen_is_written(avtalegiro: Avtalegiro, outbox: Path) -> None:
    records = read_file(written(avtalegiro, outbox, claim(kid="1000005-")))
    assert records[2][1]["kid"] == "1000005-".rjust(25)


def test_a_sum_that_17_digits_cannot_hold_waits_for_the_next_file(avtalegiro: Avtalegiro) -> None:
    result = outcome(avtalegiro, claim("1", amount_ore=10**17 - 1), claim("2", kid=kid_of(2), amount_ore=1))
    assert (result.outcome, result.detail) == (Outcome.UNAVAILABLE, "file_full")


def test_a_notice_by_the_bank_is_cut_at_84_records_and_says_so(avtalegiro: Avtalegiro, outbox: Path) -> None:
    one = claim(claim_type="21", lines=tuple(f"linje {at}" for at in range(43)))
    assert avtalegiro.prepare(NAME, [one])[one.key].detail == "text_cut"
    avtalegiro.hand_over(NAME)
    records = read_file((outbox / f"{NAME}.txt").read_bytes())
    assert sum(name == "specification" for name, _ in records) == 84


def test_a_claim_that_we_notify_carries_no_specification(avtalegiro: Avtalegiro, outbox: Path) -> None:
    records = read_file(written(avtalegiro, outbox, claim(claim_type="02", lines=("Barnehage",))))
    assert "specification" not in {name for name, _ in records}


def test_long_lines_are_wrapped_between_words() -> None:
    lines = specification(("ord " * 30, "")).lines
    assert [len(line) for line in lines] == [79, 39, 0]


def test_the_hidden_file_is_named_only_by_the_hand_over(avtalegiro: Avtalegiro, outbox: Path) -> None:
    avtalegiro.prepare(NAME, [claim()])
    assert [path.name for path in outbox.iterdir()] == [f".{NAME}.ready"]
    avtalegiro.hand_over(NAME)
    assert [path.name for path in outbox.iterdir()] == [f"{NAME}.txt"]
    avtalegiro.hand_over(NAME)
    (outbox / f"{NAME}.txt").unlink()
    avtalegiro.hand_over(NAME)
    assert list(outbox.iterdir()) == []


def test_discard_leaves_nothing_hidden_and_what_left_in_place(avtalegiro: Avtalegiro, outbox: Path) -> None:
    avtalegiro.prepare(NAME, [claim()])
    (outbox / f".{NAME}.part").write_bytes(b"half")
    avtalegiro.discard(NAME)
    avtalegiro.discard(NAME)
    assert list(outbox.iterdir()) == []
    written(avtalegiro, outbox, claim())
    avtalegiro.discard(NAME)
    assert (outbox / f"{NAME}.txt").exists()


def test_a_hand_over_is_never_made_twice(avtalegiro: Avtalegiro, outbox: Path) -> None:
    written(avtalegiro, outbox, claim())
    with pytest.raises(FileExistsError):
        avtalegiro.prepare(NAME, [claim("2")])


def test_what_an_ended_process_left_half_written_is_replaced(avtalegiro: Avtalegiro, outbox: Path) -> None:
    outbox.mkdir(parents=True)
    (outbox / f".{NAME}.part").write_bytes(b"half")
    assert len(written(avtalegiro, outbox, claim())) == 6 * 82


def test_only_the_program_itself_may_read_the_file(avtalegiro: Avtalegiro, outbox: Path) -> None:
    written(avtalegiro, outbox, claim())
    assert (outbox / f"{NAME}.txt").stat().st_mode & 0o777 == 0o600


def test_no_two_of_a_million_files_share_an_assignment_number() -> None:
    assert assignment_number(999_999, 9) == "9999999"
    assert assignment_number(1_000_000, 0) == assignment_number(0, 0) == "0000000"
    numbers = {assignment_number(file, index) for file in range(1, 2000) for index in range(10)}
    assert len(numbers) == 1999 * 10


def test_an_eleventh_assignment_waits_for_the_next_file(avtalegiro: Avtalegiro) -> None:
    accounts = [account for account in map(account_of, range(100)) if account][:11]
    claims = [claim(str(at), kid=kid_of(at), account=account) for at, account in enumerate(accounts)]
    assert outcome(avtalegiro, *claims) == Result(Outcome.UNAVAILABLE, detail="file_full")
    assert outcome(avtalegiro, *claims[:10]).outcome is Outcome.ACCEPTED


def account_of(number: int) -> str:
    body = f"{1200000000 + number:010d}"
    check = -sum(int(digit) * weight for digit, weight in zip(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
    return "" if check == 10 else f"{body}{check}"


def test_a_name_without_a_running_number_is_wrong_use(avtalegiro: Avtalegiro) -> None:
    assert running_number("avtalegiro-20261124-0017") == 17
    with pytest.raises(ValueError, match="running number"):
        avtalegiro.prepare("avtalegiro", [claim()])
    with pytest.raises(ValueError, match="not a name"):
        avtalegiro.hand_over("../17")


def test_a_data_sender_that_is_not_eight_digits_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="AVTALEGIRO_DATA_SENDER"):
        Avtalegiro(make_settings(tmp_path, avtalegiro_data_sender="123"), CLOCK)
