"""Digipost's invoice data goes with a demand to a mailbox of theirs, and with nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from app.channels.contract import Outcome
from app.channels.mailbox import Mailbox
from app.channels.payment_data import NAMESPACE, payment_data
from app.clients.eformidling import Eformidling
from app.clients.http import Outside
from app.core.clock import Clock
from app.sandbox.received import read_log
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Krr, Person, write_world
from tests.channels.consignments import NATIONAL_ID, consignment
from tests.clients.access_point import AccessPoint, error
from tests.clients.fakes import answer
from tests.conftest import TODAY, make_settings

CLOCK = Clock.for_day(TODAY)
PDF = b"%PDF-1.7 made up"
MailboxOf = Callable[[AccessPoint], Mailbox]


def invoice(**values: Any) -> Any:
    return consignment(**{"pdf": PDF, "recipient_mailbox_provider": "digipost", **values})


def fields(content: bytes | None) -> dict[str, str]:
    assert content is not None
    return {etree.QName(part).localname: part.text or "" for part in etree.fromstring(content)}


@pytest.fixture
def mailbox_of(tmp_path: Path) -> MailboxOf:
    settings = make_settings(tmp_path, digipost_payment_data=True)
    return lambda point: Mailbox(point.client, settings, CLOCK)


def test_amount_due_date_account_and_kid_are_said_as_digipost_wants_them() -> None:
    content = payment_data(invoice(due_on=dt.date(2026, 12, 21)))
    assert content is not None
    root = etree.fromstring(content)
    assert root.tag == f"{{{NAMESPACE}}}invoice"
    assert fields(content) == {
        "due-date": "2026-12-21T00:00:00+01:00",
        "sum": "1543.34",
        "creditor-account": "12345678911",
        "kid": "1234567897",
    }


def test_in_summer_the_day_begins_by_summer_time() -> None:
    assert fields(payment_data(invoice(due_on=dt.date(2027, 7, 1))))["due-date"] == "2027-07-01T00:00:00+02:00"


@pytest.mark.parametrize(
    ("ore", "kroner"), [(1, "0.01"), (100, "1.00"), (99999999999999999, "999999999999999.99"), (10, "0.10")]
)
def test_kroner_are_exact(ore: int, kroner: str) -> None:
    assert fields(payment_data(invoice(amount_ore=ore)))["sum"] == kroner


@pytest.mark.parametrize(
    "values",
    [
        {"recipient_mailbox_provider": "e-boks"},
        {"recipient_mailbox_provider": None},
        {"witness_kind": "notice", "kid": None, "account": None},
        {"witness_kind": "notice"},
        {"kind": "credit_note", "witness_kind": "notice"},
        {"pays_by_avtalegiro": True},
        {"amount_ore": 0},
        {"amount_ore": -100},
        {"kid": None},
        {"kid": "12345-"},
        {"kid": "1" * 26},
        {"account": None},
        {"account": "NO9386011117947"},
    ],
)
def test_whatever_is_no_demand_that_digipost_can_pay_carries_none(values: dict[str, Any]) -> None:
    assert payment_data(invoice(**values)) is None


def test_the_file_is_attached_after_the_letter_and_named_beside_it(mailbox_of: MailboxOf) -> None:
    point, one = AccessPoint(), invoice()
    assert mailbox_of(point).send([one])[one.key].outcome is Outcome.ACCEPTED
    assert point.steps == ["capabilities", "create", "attach", "attach", "send"]
    [document] = point.told.bodies("/api/messages/out")
    assert document["digital"]["metadataFiler"] == {"faktura-20260001.pdf": "betaling.xml"}
    letter, data = (asked for asked in point.told.requests if asked.method == "PUT")
    assert (letter.headers["content-type"], letter.content) == ("application/pdf", PDF)
    assert data.headers["content-type"] == "application/xml"
    assert 'filename="betaling.xml"' in data.headers["content-disposition"]
    assert fields(data.content)["kid"] == "1234567897"


def test_a_letter_whose_data_cannot_be_attached_does_not_leave(mailbox_of: MailboxOf) -> None:
    point, one = AccessPoint(attach=[answer(200), error("MissingFileTitleException", 500)]), invoice()
    assert mailbox_of(point).send([one])[one.key].outcome is Outcome.UNAVAILABLE
    assert "send" not in point.steps


def test_without_the_setting_nothing_of_it_is_sent(tmp_path: Path) -> None:
    point, one = AccessPoint(), invoice()
    Mailbox(point.client, make_settings(tmp_path), CLOCK).send([one])
    assert point.steps == ["capabilities", "create", "attach", "send"]
    [document] = point.told.bodies("/api/messages/out")
    assert "metadataFiler" not in document["digital"]


def test_the_stand_in_takes_the_letter_with_its_data(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    write_world(folder, [Person(NATIONAL_ID, None, "Kari Nordmann", Krr(status="AKTIV", mailbox="digipost"))])
    settings = make_settings(tmp_path, digipost_payment_data=True)
    client = Eformidling(Outside(SandboxTransport(folder), is_sandbox=True), "http://localhost:9093", "u", "p")
    one = invoice()
    channel = Mailbox(client, settings, CLOCK)
    assert [channel.send([one])[one.key].outcome for _ in range(2)] == [Outcome.ACCEPTED] * 2
    taken = [entry for entry in read_log(folder) if entry["outcome"] == "accepted" and entry["kind"] == "demand"]
    assert [(entry["invoice"], entry["metadata"]) for entry in taken] == [("20260001", ["betaling.xml"])]
