"""OCR giro files, and what they pay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.errors import FileRejected
from app.core.kid import mod11_digit
from app.core.reports import ImportReport
from app.core.settings import Settings
from app.invoices.models import Closure, Payment
from app.invoices.ocr import parse_ocr
from app.invoices.payments import import_payments
from app.invoices.queries import invoice_by_number
from app.residents.models import Resident
from tests.invoices.builders import KID, ehf, means, ocr
from tests.invoices.counting import Drop, Take

SAMPLE = Path("/work/shared/data/avtalegiro/ocr_giro_transactions.txt")
Pay = Callable[..., ImportReport]


@pytest.fixture
def pay(session: Session, settings: Settings, clock: Clock, tmp_path: Path) -> Pay:
    """Imports an OCR giro file with these bytes."""

    def take(data: bytes, name: str = "ocr.txt") -> ImportReport:
        path = tmp_path / name
        path.write_bytes(data)
        return import_payments(session, path, settings, clock)

    return take


@pytest.fixture
def invoices(take: Take, drop: Drop, kari: Resident) -> None:
    """1,250.00 and then 300.00 under one KID."""
    take(drop(a_xml=ehf("1"), b_xml=ehf("2", amount="300.00", due="2026-12-31")))


def closed(session: Session) -> list[Closure | None]:
    session.expire_all()
    return [invoice_by_number(session, number).closed_reason for number in "12"]


def payments(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Payment)) or 0


@pytest.mark.usefixtures("invoices")
@pytest.mark.parametrize(
    ("amounts", "paid"),
    [
        ([125000], [True, False]),
        ([50000], [False, False]),
        ([50000, 75000], [True, False]),
        ([30000], [False, True]),
        ([155000], [True, True]),
        ([200000], [True, True]),
        ([125000, 100], [True, False]),
    ],
)
def test_payments_close_what_they_cover_earliest_due_first(
    session: Session, pay: Pay, amounts: list[int], paid: list[bool]
) -> None:
    report = pay(ocr(*((KID, amount, "10") for amount in amounts)))
    assert (report.read, report.created, report.rejected) == (len(amounts), len(amounts), [])
    assert closed(session) == [Closure.PAID if is_paid else None for is_paid in paid]


@pytest.mark.usefixtures("invoices")
def test_parts_from_several_files_add_up(session: Session, pay: Pay) -> None:
    pay(ocr((KID, 100000, "10")))
    pay(ocr((KID, 25000, "15")))
    assert closed(session) == [Closure.PAID, None]
    pay(ocr((KID, 30000, "13")))
    assert closed(session) == [Closure.PAID, Closure.PAID]


@pytest.mark.usefixtures("invoices")
@pytest.mark.parametrize("data", [ocr((KID, 125000, "10")), ocr((KID, 125000, "10")).replace(b"\n", b"\r\n")])
def test_the_same_file_twice_changes_nothing(session: Session, pay: Pay, data: bytes) -> None:
    pay(ocr((KID, 125000, "10")))
    report = pay(data, "again.txt")
    assert (report.read, report.created, report.unchanged) == (1, 0, 1)
    assert payments(session) == 1


@pytest.mark.usefixtures("invoices")
@pytest.mark.parametrize(("amount", "kind"), [(125000, "18"), (-125000, "18"), (-125000, "10")])
def test_money_taken_back_pays_nothing(session: Session, pay: Pay, amount: int, kind: str) -> None:
    pay(ocr((KID, 125000, "10"), (KID, amount, kind)))
    assert closed(session) == [None, None]
    assert session.scalar(select(func.sum(Payment.amount_ore))) == 0


@pytest.mark.usefixtures("invoices")
def test_a_reversal_of_what_was_marked_paid_is_given_to_a_person(session: Session, pay: Pay) -> None:
    pay(ocr((KID, 125000, "10")))
    report = pay(ocr((KID, 125000, "18")))
    assert [found.field for found in report.rejected] == ["KID"]
    assert KID not in report.rejected[0].reason
    assert closed(session) == [Closure.PAID, None]


@pytest.mark.usefixtures("invoices")
def test_an_unknown_kid_and_a_payment_without_one_never_stop_a_file(session: Session, pay: Pay) -> None:
    report = pay(ocr(("99999999990", 100, "10"), ("", 5000, "21"), (KID, 125000, "10")))
    assert (report.created, report.rejected) == (3, [])
    assert payments(session) == 3
    assert closed(session) == [Closure.PAID, None]


def test_a_payment_to_another_account_is_not_for_an_invoice_with_the_same_kid(
    session: Session, pay: Pay, take: Take, drop: Drop, kari: Resident
) -> None:
    other = "15062295088"
    take(drop(a_xml=ehf("1", payment=means(account=other)), b_xml=ehf("2", due="2026-12-31")))
    pay(ocr((KID, 125000, "10")))
    assert closed(session) == [None, Closure.PAID]
    pay(ocr((KID, 125000, "10"), account=other))
    assert closed(session) == [Closure.PAID, Closure.PAID]


@pytest.mark.parametrize(("days", "paid"), [(7, True), (8, False)])
def test_what_was_paid_before_anything_came_this_way_pays_no_later_invoice(
    session: Session, pay: Pay, take: Take, drop: Drop, kari: Resident, days: int, paid: bool
) -> None:
    """A customer's KID is the same for years; the payments of the builder are of 24 November."""
    pay(ocr((KID, 125000, "10")))
    issued = dt.date(2026, 11, 24) + dt.timedelta(days=days)
    take(drop(a_xml=ehf("1", issued=f"{issued}"), b_xml=ehf("2", issued="2026-12-15", due="2027-01-20")))
    later = ocr((KID, 125000, "10")).replace(b"241126", b"201226")
    pay(later, "later.txt")
    assert closed(session) == [Closure.PAID, Closure.PAID if paid else None]


def test_a_kid_that_ends_in_a_dash_is_paid(session: Session, pay: Pay, take: Take, drop: Drop, kari: Resident) -> None:
    body = next(str(number) for number in range(1000, 9999) if mod11_digit(str(number)) == "-")
    take(drop(a_xml=ehf("1", payment=means(kid=f"{body}-")), b_xml=ehf("2")))
    pay(ocr((f"{body}-", 125000, "10")))
    assert closed(session) == [Closure.PAID, None]


GOOD = ocr((KID, 125000, "10"), (KID, 100, "11"))


def _line(number: int, change: Callable[[bytes], bytes]) -> bytes:
    lines = GOOD.split(b"\n")
    lines[number - 1] = change(lines[number - 1])
    return b"\n".join(lines)


@pytest.mark.parametrize(
    ("data", "row", "reason"),
    [
        (b"", None, "empty"),
        (_line(3, lambda line: line[:79]), 3, "79 characters"),
        (_line(4, lambda line: line + b" "), 4, "81 characters"),
        (_line(3, lambda line: line.replace(b"241126", b"311126")), 3, "not as the OCR giro manual"),
        (_line(3, lambda line: line[:40] + b"x" + line[41:]), 3, "not as the OCR giro manual"),
        (_line(3, lambda line: b"NY0977" + line[6:]), 3, "not as the OCR giro manual"),
        (_line(3, lambda line: b"NY2121" + line[6:]), 3, "no OCR giro file"),
        (b"\n".join(GOOD.split(b"\n")[:-2]), 7, "without its end record"),
        (b"\n".join(GOOD.split(b"\n")[1:]), 1, "outside a transmission"),
        (b"\n".join(line for line in GOOD.split(b"\n") if not line.startswith(b"NY091130")), 6, "counts"),
        (_line(3, lambda line: line.replace(b"0125000", b"0125001")), 7, "sum"),
        (GOOD + GOOD, 9, "outside a transmission"),
        (_line(2, lambda line: b"NY0900" + b"88" + line[8:]), 2, "assignment"),
        (_line(6, lambda line: b"NY0900" + b"20" + b"0" * 72), 6, "assignment"),
    ],
)
def test_a_file_that_is_not_right_is_refused_with_its_line_and_nothing_of_it_is_kept(
    session: Session, pay: Pay, data: bytes, row: int | None, reason: str
) -> None:
    with pytest.raises(FileRejected, match=reason) as caught:
        pay(data)
    assert (caught.value.source, caught.value.row) == ("ocr.txt", row)
    assert payments(session) == 0


@pytest.mark.skipif(not SAMPLE.exists(), reason="the public sample files are not on this machine")
def test_the_public_sample_is_read_whole() -> None:
    found = parse_ocr(SAMPLE.read_bytes(), SAMPLE.name)
    assert (len(found), sum(payment.amount_ore for payment in found)) == (20, 5_144_900)
    assert found[0] == (3, "99991042764", "0000531", 102000, "21", dt.date(1992, 1, 20))
    assert {payment.account for payment in found} == {"99991042764"}
