"""Each register is asked about those whose waiting invoices need its answer, and about nobody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.registries import targets as module
from app.registries.models import Register
from app.registries.targets import targets
from app.residents.models import AddressProtection, Preference, Resident, ResidentKind
from app.routing.channels import Channel, Kind
from tests.registries.town import NOW, Town

NUMBER, OTHER = "20914695016", "22885399316"
MOBILE = "+4790000017"
ALL = {Register.EFAKTURA, Register.VIPPS, Register.MAILBOX}


def asked(town: Town, resident: Resident) -> set[Register]:
    """The registers that are asked about *resident*; KRR's two answers come together."""
    return {
        register
        for register in ALL
        for page in targets(town.session, register, town.vault, 10)
        if resident.id in {target.resident_id for target in page}
    }


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda town: town.resident(NUMBER, MOBILE), ALL),
        (lambda town: town.resident(NUMBER), {Register.EFAKTURA, Register.MAILBOX}),
        (lambda town: town.resident(None, MOBILE), {Register.EFAKTURA, Register.VIPPS}),
        (lambda town: town.resident(), set()),
        (lambda town: town.resident(NUMBER, MOBILE, has_invoice=False), set()),
        (lambda town: town.resident(NUMBER, MOBILE, kind=ResidentKind.ORGANISATION), set()),
        (lambda town: town.resident(NUMBER, MOBILE, deceased_on=dt.date(2026, 1, 1)), set()),
        (lambda town: town.resident(NUMBER, MOBILE, address_protection=AddressProtection.CONFIDENTIAL), set()),
    ],
)
def test_who_is_asked_about(town: Town, make: Callable[[Town], Resident], expected: set[Register]) -> None:
    assert asked(town, make(town)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ALL),
        ({"kind": Kind.INFORMATION}, {Register.MAILBOX}),
        ({"kind": Kind.CREDIT_NOTE}, {Register.MAILBOX}),
        ({"is_decision": True}, {Register.MAILBOX}),
        ({"may_ask_krr": False}, {Register.EFAKTURA, Register.VIPPS}),
        ({"may_ask_krr": False, "kind": Kind.INFORMATION}, set()),
    ],
)
def test_the_invoice_says_which_answers_it_needs(town: Town, facts: dict[str, Any], expected: set[Register]) -> None:
    resident = town.resident(NUMBER, MOBILE, has_invoice=False)
    town.invoice(resident, **facts)
    assert asked(town, resident) == expected


def test_one_invoice_of_several_is_enough(town: Town) -> None:
    resident = town.resident(NUMBER, MOBILE, has_invoice=False)
    town.invoice(resident, may_ask_krr=False)
    town.invoice(resident, kind=Kind.CREDIT_NOTE)
    assert asked(town, resident) == ALL
    [page] = targets(town.session, Register.EFAKTURA, town.vault, 10)
    assert len(page) == 1


def test_whom_a_person_released_is_asked_about_again(town: Town) -> None:
    resident = town.resident(NUMBER, MOBILE, has_invoice=False, deceased_on=dt.date(2026, 1, 1))
    town.invoice(resident, is_released=True)
    assert asked(town, resident) == ALL


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"channel": Channel.EFAKTURA}, {Register.VIPPS, Register.MAILBOX}),
        ({"channel": Channel.VIPPS}, {Register.EFAKTURA, Register.MAILBOX}),
        ({"channel": Channel.MAILBOX}, ALL),
        ({"channel": Channel.EMAIL}, ALL),
        ({"channel": None, "is_all_by_letter": True}, set()),
    ],
)
def test_what_the_resident_closed_needs_no_answer(town: Town, choice: dict[str, Any], expected: set[Register]) -> None:
    resident = town.resident(NUMBER, MOBILE)
    town.session.add(Preference(resident_id=resident.id, chosen_at=NOW, **choice))
    town.session.commit()
    assert asked(town, resident) == expected


def test_only_the_open_mobile_counts(town: Town) -> None:
    resident = town.resident(NUMBER)
    town.mobile(resident, "+4790000001", closed_at=NOW)
    assert asked(town, resident) == {Register.EFAKTURA, Register.MAILBOX}
    town.mobile(resident, "+4790000002")
    [[target]] = targets(town.session, Register.VIPPS, town.vault, 10)
    assert target.mobile == "+4790000002"


def test_a_target_holds_the_number_where_the_register_needs_it(town: Town) -> None:
    town.resident(NUMBER, MOBILE, name="Kari Nordmann")
    [[known]] = targets(town.session, Register.MAILBOX, town.vault, 10)
    [[vipps]] = targets(town.session, Register.VIPPS, town.vault, 10)
    assert (known.national_id, known.name, known.postal_code) == (NUMBER, "Kari Nordmann", "4100")
    assert (vipps.national_id, vipps.mobile) == (None, MOBILE)
    for hidden in (NUMBER, "Kari", "4100", MOBILE):
        assert hidden not in repr([known, vipps])


def test_everyone_comes_once_in_pages_and_chunks(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    residents = [town.resident(None, f"+479000000{number}").id for number in range(8)]
    chunks = list(targets(town.session, Register.VIPPS, town.vault, 2))
    assert [len(chunk) for chunk in chunks] == [2, 1, 2, 1, 2]
    assert [target.resident_id for chunk in chunks for target in chunk] == residents


def test_a_national_id_that_does_not_open_is_logged_by_the_residents_id_and_the_others_are_asked(town: Town) -> None:
    moved, other = town.resident(NUMBER), town.resident(OTHER)
    moved.national_id_encrypted = town.vault.encrypt(NUMBER, row="another row")
    town.session.commit()
    with capture_logs() as logs:
        [page] = targets(town.session, Register.MAILBOX, town.vault, 10)
    assert {target.resident_id: target.national_id for target in page} == {moved.id: None, other.id: OTHER}
    assert [entry["resident"] for entry in logs] == [moved.id]
    assert NUMBER not in str(logs)
