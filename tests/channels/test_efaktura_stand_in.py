"""Against a gateway that loses, refuses and repeats, no invoice is lost and none is demanded twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from app.channels.contract import Outcome, ReceiptNote, ReceiptStatus
from app.channels.efaktura import EfakturaChannel
from app.clients.connect import efaktura_client
from app.clients.http import outside as real_outside
from app.core.ids import derived_id
from app.core.links import presentation_links, presentation_signer
from app.core.settings import Settings, load_settings
from app.sandbox.received import read_log
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Efaktura as Known
from app.sandbox.world import Faults, Person, ServiceFaults, write_world
from tests.channels.consignments import NATIONAL_ID
from tests.channels.efaktura_support import IDENTIFIER, made


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
def development(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, instance_dir=tmp_path / "instance")


def stand_in(settings: Settings, faults: Faults) -> EfakturaChannel:
    write_world(settings.sandbox_dir, [Person(NATIONAL_ID, None, "Kari", efaktura=Known(IDENTIFIER, True))], faults)
    way = real_outside(settings, SandboxTransport(settings.sandbox_dir))
    return EfakturaChannel(efaktura_client(settings, way), 2)


def demands(settings: Settings, number: str) -> list[str]:
    lines = [line for line in read_log(settings.sandbox_dir) if line["invoice"] == number]
    return [f"{line['kind']} {line['outcome']}" for line in lines]


@pytest.mark.parametrize("fault", ["timeout_after", "500_after"])
def test_the_stand_in_loses_its_answer_and_the_invoice_is_demanded_once(development: Settings, fault: str) -> None:
    efaktura, one = stand_in(development, Faults(invoices={"F-1": {"efaktura": [fault]}})), made("F-1")
    assert efaktura.send([one])[one.key].outcome is Outcome.UNCERTAIN
    found = efaktura.find(one)
    assert found.outcome is Outcome.ACCEPTED
    again = efaktura.send([one])[one.key]
    assert (again.outcome, again.provider_reference) == (Outcome.ACCEPTED, found.provider_reference)
    regrouped = efaktura.send([one, made("F-2")])
    assert {result.outcome for result in regrouped.values()} == {Outcome.ACCEPTED}
    assert demands(development, "F-1").count("demand accepted") == 1
    assert [note.status for note in efaktura.receipts([found.provider_reference or ""])] == [ReceiptStatus.DELIVERED]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("timeout_before", Outcome.UNAVAILABLE), ("429", Outcome.UNAVAILABLE), ("500", Outcome.UNCERTAIN)],
)
def test_the_stand_in_takes_nothing_and_the_next_try_does(development: Settings, fault: str, outcome: Outcome) -> None:
    efaktura, one = stand_in(development, Faults(invoices={"F-1": {"efaktura": [fault]}})), made("F-1")
    assert efaktura.send([one])[one.key].outcome is outcome
    assert efaktura.find(one).outcome is Outcome.UNAVAILABLE
    assert efaktura.send([one])[one.key].outcome is Outcome.ACCEPTED
    assert demands(development, "F-1") == ["demand failed", "demand accepted"]


def test_the_stand_in_refuses_at_once_or_later(development: Settings) -> None:
    efaktura = stand_in(
        development, Faults(invoices={"F-1": {"efaktura": "refuse"}, "F-2": {"efaktura": "late_refusal"}})
    )
    at_once, later = made("F-1"), made("F-2")
    results = efaktura.send([at_once, later])
    assert results[at_once.key].outcome is Outcome.REFUSED
    assert efaktura.find(at_once).outcome is Outcome.REFUSED
    reference = results[later.key].provider_reference or ""
    assert efaktura.receipts([reference]) == [ReceiptNote(reference, ReceiptStatus.FAILED, "5002")]


def test_the_stand_in_sees_a_notice_as_a_notice(development: Settings) -> None:
    efaktura = stand_in(development, Faults())
    efaktura.send([made("F-1", pays_by_avtalegiro=True, witness_kind="notice")])
    efaktura.send([made("F-2", pays_by_avtalegiro=True, witness_kind="notice"), made("F-3")])
    assert demands(development, "F-1") == ["notice accepted"]
    assert demands(development, "F-2") == ["notice accepted"]
    assert demands(development, "F-3") == ["demand accepted"]


def test_no_invoice_is_lost_or_demanded_twice_by_a_gateway_that_fails_half_the_time(development: Settings) -> None:
    kinds = ("429", "500", "timeout_before", "timeout_after", "500_after")
    efaktura = stand_in(development, Faults(services={"efaktura": ServiceFaults(0.5, kinds)}))
    waiting = {one.key: one for one in (made(f"F-{number}") for number in range(20))}
    for _ in range(60):
        for key, result in efaktura.send(list(waiting.values())[:7]).items():
            settled = efaktura.find(waiting[key]) if result.outcome is Outcome.UNCERTAIN else result
            if settled.outcome is Outcome.ACCEPTED:
                del waiting[key]
        if not waiting:
            break
    assert not waiting
    for number in range(20):
        assert demands(development, f"F-{number}").count("demand accepted") == 1


def test_a_presentation_link_is_ours_and_names_the_invoice(development: Settings) -> None:
    public_id = str(derived_id("invoice"))
    url = presentation_links(development)(public_id)
    base, _, token = url.rpartition("/")
    assert base == "http://127.0.0.1:8000/presentasjon"
    assert presentation_signer(development).read(token) == {"invoice": public_id}
